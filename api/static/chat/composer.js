// A line to write in, with its send button.

import { el, freshId } from "./dom.js";

// The contract's bound on a text, in code points; `maxlength` counts UTF-16 units, so it would cut an emoji in two.
const LONGEST = 4000;

export function compose({ label, placeholder, preset, long = false, send }) {
  const ids = { input: freshId("text"), error: freshId("error") };
  const input = el("textarea", { id: ids.input, rows: long ? 3 : 1, placeholder: placeholder ?? `${label}…`, autocomplete: "off", enterkeyhint: "send" });
  if (typeof preset === "string") input.value = preset;
  const error = el("p", { id: ids.error, class: "error", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "primary" }, "Send");
  const row = el("fieldset", { class: "row" }, el("label", { for: ids.input, class: "unseen" }, label), input, button);

  const complain = (texts) => {
    error.textContent = texts.join(" ");
    error.hidden = texts.length === 0;
    input.setAttribute("aria-invalid", String(texts.length > 0));
    if (texts.length > 0) input.setAttribute("aria-describedby", ids.error);
    else input.removeAttribute("aria-describedby");
    if (texts.length > 0) error.scrollIntoView({ block: "nearest" });
  };
  const submit = (event) => {
    event.preventDefault();
    const text = input.value;
    if (text.trim() === "") return input.focus();
    if ([...text].length > LONGEST) return complain([`Please write at most ${LONGEST} characters.`]);
    complain([]);
    return send(text);
  };
  const grow = () => {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight}px`;
  };
  const keydown = (event) => {
    // Enter sends, as in every chat; while an input method composes, Enter belongs to it.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      element.requestSubmit();
    }
  };
  input.addEventListener("input", grow);
  input.addEventListener("keydown", keydown);
  const element = el("form", { class: "composer", novalidate: true, on: { submit } }, row, error);
  return {
    element,
    text: () => input.value.trim(),
    focus: () => input.focus(),
    busy: (on) => { row.disabled = on; },
    problems: (found) => {
      const texts = [...found.general, ...Object.values(found.fields).flat()];
      complain(texts);
      if (texts.length > 0) input.focus();
    },
    complain,
  };
}
