// The controls that fields are made of: one input, a group of things to pick, files.
// Each is {element, group, value(), said(), focus(), flaw(), targets()}; `flaw()` is what the browser itself could not read, else null.

import { el } from "./dom.js";

const INPUTS = {
  text: { type: "text" },
  email: { type: "email", inputmode: "email", autocomplete: "email", autocapitalize: "off" },
  tel: { type: "tel", inputmode: "tel", autocomplete: "tel" },
  url: { type: "url", inputmode: "url", autocapitalize: "off" },
  date: { type: "date" },
  time: { type: "time" },
  datetime: { type: "datetime-local" },
  number: { type: "number", inputmode: "decimal" },
  integer: { type: "number", inputmode: "numeric" },
};
const NUMERIC = ["number", "integer"];
const DATED = ["date", "datetime"];

/** One input, text area or check box. */
export function single(field, id) {
  if (field.type === "checkbox") return checkbox(field, id);
  const common = { id, name: field.name, placeholder: field.placeholder, "aria-required": field.required ? "true" : null };
  const element =
    field.type === "textarea"
      ? el("textarea", { rows: 3, ...common })
      : el("input", { ...(INPUTS[field.type] ?? INPUTS.text), ...common, ...bounds(field), autocomplete: INPUTS[field.type]?.autocomplete ?? "off" });
  if (isScalar(field.default)) element.value = String(field.default);
  return {
    element,
    group: false,
    value: () => {
      if (element.value.trim() === "") return null;
      return NUMERIC.includes(field.type) ? Number(element.value) : element.value;
    },
    said: () => element.value.trim(),
    focus: () => element.focus(),
    flaw: () => (element.validity.badInput ? "This is not complete, or not what this field takes." : null),
    targets: () => [element],
  };
}

/** Bounds that help the browser's own pickers; whether an answer is right, the server alone says. */
function bounds(field) {
  const rules = field.validation ?? {};
  if (DATED.includes(field.type)) return { min: rules.date_min, max: rules.date_max };
  if (NUMERIC.includes(field.type)) return { min: rules.min, max: rules.max, step: rules.step ?? (field.type === "integer" ? 1 : "any") };
  return {};
}

function checkbox(field, id) {
  const element = el("input", { id, type: "checkbox", name: field.name, "aria-required": field.required ? "true" : null });
  element.checked = field.default === true;
  return {
    element,
    group: false,
    value: () => element.checked,
    said: () => (element.checked ? "✓" : ""),
    focus: () => element.focus(),
    flaw: () => null,
    targets: () => [element],
  };
}

/** A menu of options. */
export function menu(field, id) {
  const options = field.options ?? [];
  const element = el(
    "select",
    { id, name: field.name, "aria-required": field.required ? "true" : null },
    el("option", { value: "" }, field.placeholder ?? "Choose…"),
    ...options.map((option, at) => el("option", { value: at, selected: option.value === field.default }, option.label)),
  );
  const chosen = () => (element.value === "" ? null : options[Number(element.value)]);
  return {
    element,
    group: false,
    value: () => chosen()?.value ?? null,
    said: () => chosen()?.label ?? "",
    focus: () => element.focus(),
    flaw: () => null,
    targets: () => [element],
  };
}

/** Radio buttons or check boxes, all options in sight. */
export function grouped(field, id) {
  const many = field.type === "multi_select";
  const options = optionsOf(field);
  const preset = many ? (Array.isArray(field.default) ? field.default : []) : [field.default];
  const boxes = options.map((option, at) => {
    const box = el("input", { id: `${id}-${at}`, type: many ? "checkbox" : "radio", name: id });
    box.checked = preset.includes(option.value);
    return box;
  });
  const rows = options.map((option, at) => el("div", { class: "pick" }, boxes[at], el("label", { for: `${id}-${at}` }, option.label)));
  const chosen = () => options.filter((_, at) => boxes[at].checked);
  return {
    element: el("div", { class: field.type === "rating" ? "picks rating" : "picks" }, ...rows),
    group: true,
    value: () => {
      const values = chosen().map((option) => option.value);
      // An empty list says "none of them", which differs from no answer only where a default would take its place.
      if (many) return values.length > 0 || field.default ? values : null;
      return values[0] ?? null;
    },
    said: () => chosen().map((option) => option.label).join(", "),
    focus: () => (boxes.find((box) => box.checked) ?? boxes[0])?.focus(),
    flaw: () => null,
    targets: () => boxes,
  };
}

/** The options of a field, with those that its type implies. */
export function optionsOf(field) {
  if (field.options?.length) return field.options;
  if (field.type === "boolean" || field.type === "checkbox") return [{ value: true, label: "Yes" }, { value: false, label: "No" }];
  if (field.type !== "rating") return [];
  const most = Number(field.validation?.max ?? 5);
  const least = Number(field.validation?.min ?? 1);
  return Array.from({ length: Math.max(most - least + 1, 0) }, (_, at) => ({ value: least + at, label: String(least + at) }));
}

/** A choice of files, each stored as soon as it is chosen. */
export function files(field, id, upload) {
  let stored = [];
  let trouble = null;
  const state = el("p", { class: "help", role: "status" });
  const element = el("input", {
    id,
    type: "file",
    multiple: field.multiple === true,
    accept: field.type === "file_upload" ? null : "image/*",
    "aria-required": field.required ? "true" : null,
    on: { change: () => store() },
  });
  async function store() {
    state.textContent = "Sending…";
    trouble = "Wait until the file has been sent.";
    try {
      stored = await Promise.all([...element.files].map((file) => upload(field.name, file)));
      state.textContent = stored.map((file) => file.name).join(", ");
    } catch (error) {
      stored = [];
      // Not chosen any more, so that the rest of the answer can be sent without it, and the same file chosen again.
      element.value = "";
      state.textContent = `The file could not be sent${error.status === 404 ? ": nobody takes files here" : ""}. Go on without it, or choose it again.`;
    }
    trouble = null;
  }
  return {
    element: el("div", { class: "files" }, element, state),
    group: false,
    value: () => (field.multiple === true ? stored : (stored[0] ?? null)),
    said: () => stored.map((file) => file.name).join(", "),
    focus: () => element.focus(),
    flaw: () => trouble,
    targets: () => [element],
  };
}

function isScalar(value) {
  return ["string", "number", "boolean"].includes(typeof value);
}
