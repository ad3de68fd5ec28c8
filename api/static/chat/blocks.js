// How each kind of block is drawn. Payloads are written by flow authors: any part may be missing or of another type.

import { el, link, safeUrl } from "./dom.js";
import { markdown } from "./markdown.js";

/** The element for a block; null where there is nothing to show: an unknown kind without a fallback text. */
export function drawBlock({ type, payload }) {
  const draw = KINDS[type];
  const drawn = draw ? draw(payload ?? {}) : null;
  if (drawn !== null) return el("div", { class: "block", "data-kind": type }, drawn);
  const fallback = text(payload?.fallback);
  return fallback === null ? null : el("div", { class: "block", "data-kind": "message" }, el("p", { class: "plain" }, fallback));
}

const KINDS = {
  message: (payload) => {
    const said = text(payload.text);
    if (said === null) return null;
    return payload.format === "markdown" ? el("div", { class: "prose" }, ...markdown(said)) : el("p", { class: "plain" }, said);
  },
  form: (payload) => (text(payload.title) === null ? null : el("p", { class: "plain" }, payload.title)),
  card,
  product: card,
  carousel: (payload) => {
    const cards = (list(payload.items) ?? list(payload.cards) ?? []).map(card).filter((drawn) => drawn !== null);
    if (cards.length === 0) return null;
    // Scrolled by the arrow keys, so it takes the focus itself.
    return el("ul", { class: "reel", tabindex: 0, "aria-label": text(payload.title) ?? "Cards" }, ...cards.map((one) => el("li", {}, one)));
  },
  image: (payload) => picture(payload.url ?? payload.src ?? payload.image, text(payload.alt) ?? text(payload.caption) ?? "Image", text(payload.caption)),
  file: (payload) => {
    const label = text(payload.name) ?? text(payload.title) ?? "File";
    return safeUrl(payload.url) === null ? null : tile(payload.url, label, size(payload.size) ?? text(payload.mime), { download: "" });
  },
  link: (payload) => {
    const label = text(payload.title) ?? text(payload.label) ?? text(payload.text) ?? text(payload.url);
    return safeUrl(payload.url) === null ? null : tile(payload.url, label, text(payload.description) ?? new URL(safeUrl(payload.url)).host);
  },
};

function card(payload) {
  const title = text(payload?.title) ?? text(payload?.name);
  const body = text(payload?.text) ?? text(payload?.description) ?? text(payload?.body);
  const image = payload?.image ?? payload?.image_url;
  if (title === null && body === null && !image) return null;
  return el(
    "article",
    { class: "card" },
    image ? picture(image.url ?? image, text(payload.alt) ?? title ?? "", null) : null,
    el(
      "div",
      { class: "card-text" },
      title === null ? null : el("h3", {}, title),
      text(payload.subtitle) === null ? null : el("p", { class: "muted" }, payload.subtitle),
      price(payload),
      body === null ? null : el("p", { class: "plain" }, body),
      facts(payload),
      actions(payload),
    ),
  );
}

function price(payload) {
  const amount = text(payload.price);
  return amount === null ? null : el("p", { class: "price" }, [amount, text(payload.currency)].filter(Boolean).join(" "));
}

function facts(payload) {
  const rows = (list(payload.fields) ?? list(payload.facts) ?? []).filter((row) => text(row?.value) !== null);
  if (rows.length === 0) return null;
  return el("dl", {}, ...rows.flatMap((row) => [el("dt", {}, text(row.label) ?? text(row.name) ?? ""), el("dd", {}, text(row.value))]));
}

function actions(payload) {
  const listed = list(payload.actions) ?? list(payload.buttons) ?? list(payload.links) ?? [];
  const whole = safeUrl(payload.url) === null ? [] : [{ url: payload.url, label: text(payload.link_label) ?? "Open" }];
  const links = [...listed, ...whole].filter((one) => safeUrl(one?.url) !== null);
  if (links.length === 0) return null;
  return el("p", { class: "actions" }, ...links.map((one) => link(one.url, text(one.label) ?? text(one.title) ?? one.url)));
}

/** An image with its caption. One that cannot be loaded (offline, or kept out by the page's policy) leaves its description. */
function picture(address, alt, caption) {
  const src = safeUrl(address);
  if (src === null) return null;
  const image = el("img", { src, alt, loading: "lazy", on: { error: () => image.replaceWith(el("span", { class: "absent" }, alt)) } });
  return el("figure", {}, image, caption === null ? null : el("figcaption", { class: "muted" }, caption));
}

function tile(address, label, detail, props = {}) {
  return el("p", {}, link(address, el("span", { class: "tile-text" }, label, detail ? el("small", {}, detail) : null), { class: "tile", ...props }));
}

function size(bytes) {
  if (typeof bytes !== "number") return null;
  const units = ["byte", "kilobyte", "megabyte"];
  const step = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1000)), 2);
  return new Intl.NumberFormat(undefined, { style: "unit", unit: units[step], maximumFractionDigits: 1 }).format(bytes / 1000 ** step);
}

function text(value) {
  return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : null;
}

function list(value) {
  return Array.isArray(value) ? value : null;
}
