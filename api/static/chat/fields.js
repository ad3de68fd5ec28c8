// One field of an answer: its control, its label and help, the value it holds, and what is wrong with it.

import { el, freshId } from "./dom.js";
import { files, grouped, menu, single } from "./controls.js";

const DISPLAY = {
  heading: (field) => el("h3", {}, field.label ?? ""),
  paragraph: (field) => el("p", { class: "muted plain" }, field.label ?? ""),
  divider: () => el("hr"),
};

const GROUPED = ["multi_select", "rating", "boolean"];
const FILES = ["file_upload", "image_upload", "signature"];
/** From here on a select is a menu; fewer options are all shown at once. */
const MENU = 8;

/**
 * A field as {name, element, value(), said(), focus(), complain(texts)}; for one that is only shown, `name` is null.
 * `value()` is null for a blank, `said()` is what the log shows of it, `complain([])` takes the errors away.
 */
export function drawField(field, upload) {
  if (DISPLAY[field.type]) return { name: null, element: DISPLAY[field.type](field) };
  const ids = { control: freshId("field"), help: freshId("help"), error: freshId("error") };
  const label = field.label || field.name;
  const control = pick(field, ids, upload);
  const help = field.help ? el("p", { id: ids.help, class: "help" }, field.help) : null;
  const error = el("p", { id: ids.error, class: "error", hidden: true });
  const mark = field.required ? el("span", { class: "required", "aria-hidden": "true" }, " *") : null;
  const element = control.group
    ? el("fieldset", { class: "field" }, el("legend", {}, label, mark), help, control.element, error)
    : el("div", { class: `field ${field.type}` }, ...labelled(field, ids, label, mark, control), help, error);
  const described = control.group ? element : control.element;
  describe(described, [help && ids.help]);
  return {
    name: field.name,
    element,
    value: control.value,
    said: () => control.said(),
    focus: () => control.focus(),
    complain: (texts) => {
      const flaws = control.flaw() === null ? texts : [control.flaw()];
      error.textContent = flaws.join(" ");
      error.hidden = flaws.length === 0;
      for (const target of control.targets()) target.setAttribute("aria-invalid", String(flaws.length > 0));
      describe(described, [help && ids.help, flaws.length > 0 && ids.error]);
      return flaws.length > 0;
    },
  };
}

function pick(field, ids, upload) {
  if (FILES.includes(field.type)) return files(field, ids.control, upload);
  // Whatever its type, a field with options is answered by one of them.
  const options = field.options ?? [];
  if (field.type !== "multi_select" && options.length >= MENU) return menu(field, ids.control);
  return options.length > 0 || GROUPED.includes(field.type) ? grouped(field, ids.control) : single(field, ids.control);
}

function labelled(field, ids, label, mark, control) {
  const named = el("label", { for: ids.control }, label, mark);
  return field.type === "checkbox" ? [el("div", { class: "tick" }, control.element, named)] : [named, control.element];
}

function describe(element, ids) {
  const listed = ids.filter(Boolean).join(" ");
  if (listed === "") element.removeAttribute("aria-describedby");
  else element.setAttribute("aria-describedby", listed);
}
