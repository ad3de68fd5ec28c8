// Building elements. Text reaches the page only as text nodes: nothing here, or anywhere else on the page, parses HTML.

/** A new element; in `props`, `on` holds listeners, false and null leave an attribute out, true writes it bare. */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

let count = 0;

/** An id that no other element of the page has. */
export function freshId(stem) {
  count += 1;
  return `${stem}-${count}`;
}

/** The address when it is one that a link may have, else null: `javascript:` and its like never become a link. */
export function safeUrl(value) {
  if (typeof value !== "string") return null;
  try {
    const url = new URL(value, location.href);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link to another page, or the plain label where the address cannot be one. */
export function link(address, label, props = {}) {
  const href = safeUrl(address);
  if (href === null) return el("span", {}, label);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer", ...props }, label);
}

/** Gives the element an accent colour, and the colour of text that can be read on it; without a colour it has the page's again. */
export function paint(element, color) {
  if (typeof color !== "string" || !/^#[0-9a-f]{6}$/i.test(color)) {
    element.style.removeProperty("--accent");
    element.style.removeProperty("--on-accent");
    return;
  }
  const [red, green, blue] = [1, 3, 5].map((at) => linear(parseInt(color.slice(at, at + 2), 16) / 255));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  element.style.setProperty("--accent", color);
  // Whichever of black and white has the greater contrast by WCAG's formula.
  element.style.setProperty("--on-accent", luminance > 0.179 ? "#000" : "#fff");
}

function linear(channel) {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}
