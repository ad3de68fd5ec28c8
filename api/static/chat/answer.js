// The answer area: what the open wait lets the person say, drawn once for each wait.
// Each area is {element, focus(), busy(on), problems(found)}.

import { compose } from "./composer.js";
import { el, freshId } from "./dom.js";
import { questionOf } from "./expected.js";
import { drawField } from "./fields.js";
import { optionsOf } from "./controls.js";

/** Types answered in words: their control is the composer itself. */
const WORDS = ["text", "textarea"];

/** The area for a reply that waits for the person; `form` is the payload of its form block, if it has one. */
export function drawAnswer({ expectedInput: expected }, { form, filled, conversation }) {
  if (expected.kind === "handoff") return compose({ label: "Your message", send: (text) => conversation.answer({ text }, [text]) });
  if (expected.kind === "form") return drawForm(expected.fields ?? form?.fields ?? [], form?.submit_label, form?.title, filled, conversation);
  const question = questionOf(expected);
  if (["select", "radio", "boolean", "checkbox"].includes(question.type)) return drawChoices(question, conversation);
  if (WORDS.includes(question.type)) return drawWords(question, conversation);
  return drawQuestion(question, conversation);
}

function drawForm(fields, submitLabel, title, filled, conversation) {
  const drawn = fields.map((field) => {
    const said = filled[field.name];
    return drawField(said === undefined || said === null ? field : { ...field, default: said }, (name, file) => conversation.upload(name, file));
  });
  const send = () => {
    const inputs = drawn.filter((field) => field.name !== null);
    const values = Object.fromEntries(inputs.map((field) => [field.name, field.value()]));
    const labels = new Map(fields.map((field) => [field.name, field.label || field.name]));
    const line = (label, said) => `${label}${/\p{P}$/u.test(label) ? "" : ":"} ${said}`;
    const lines = inputs.filter((field) => field.said() !== "").map((field) => line(labels.get(field.name), field.said()));
    return conversation.answer({ values }, lines.length === 0 ? ["—"] : lines);
  };
  return fieldArea(drawn, { submitLabel: submitLabel || "Send", title, send });
}

/** One question with a control of its own kind; words remain possible, for commands and for those who would rather type. */
function drawQuestion(question, conversation) {
  const field = drawField({ ...question, label: "Your answer" }, (name, file) => conversation.upload(name, file));
  const send = () => {
    const value = field.value();
    return conversation.answer({ values: { [question.name]: value } }, [field.said() || "—"]);
  };
  const area = fieldArea([field], { submitLabel: "Send", title: "Your answer", send, plain: true });
  const words = compose({ label: "Your answer in words", send: (text) => conversation.answer({ text }, [text]) });
  words.element.hidden = true;
  const swap = el("button", {
    type: "button",
    class: "quiet",
    on: {
      click: () => {
        words.element.hidden = false;
        swap.remove();
        words.focus();
      },
    },
  }, "Type it instead");
  const extras = question.required ? [swap] : [swap, skip(question, conversation)];
  return joined(el("div", {}, area.element, el("p", { class: "extras" }, ...extras), words.element), [area, words], area);
}

function drawWords(question, conversation) {
  const words = compose({
    label: "Your answer",
    placeholder: question.placeholder,
    preset: question.default,
    long: question.type === "textarea",
    send: (text) => conversation.answer({ text }, [text]),
  });
  if (question.required) return words;
  return joined(el("div", {}, words.element, el("p", { class: "extras" }, skip(question, conversation))), [words], words);
}

function drawChoices(question, conversation) {
  const buttons = optionsOf(question).map((option) =>
    el("button", { type: "button", class: "choice", on: { click: () => answer(option) } }, option.label),
  );
  const answer = (option) => conversation.answer({ values: { [question.name]: option.value } }, [option.label]);
  const words = compose({ label: "Or type your answer", placeholder: "Or type your answer", send: (text) => conversation.answer({ text }, [text]) });
  const group = el("fieldset", { class: "choices" }, el("legend", { class: "unseen" }, "Choose one"), ...buttons);
  const extras = question.required ? null : el("p", { class: "extras" }, skip(question, conversation));
  const choices = { focus: () => buttons[0]?.focus(), busy: (on) => { group.disabled = on; } };
  return joined(el("div", {}, group, extras, words.element), [choices, words], choices);
}

function skip(question, conversation) {
  const leaveOut = () => conversation.answer({ values: { [question.name]: null } }, ["(skipped)"]);
  return el("button", { type: "button", class: "quiet", on: { click: leaveOut } }, "Skip");
}

/** Several areas as one; the first that can show problems shows them. */
function joined(element, areas, first) {
  return {
    element,
    focus: () => first.focus(),
    busy: (on) => areas.forEach((area) => area.busy(on)),
    problems: (found) => areas.find((area) => area.problems)?.problems(found),
  };
}

function fieldArea(drawn, { submitLabel, title, send, plain = false }) {
  const general = el("p", { class: "error", id: freshId("error"), role: "alert", hidden: true });
  const all = el("fieldset", { class: "all" }, ...drawn.map((field) => field.element), general, el("button", { type: "submit", class: "primary" }, submitLabel));
  const inputs = drawn.filter((field) => field.name !== null);
  const mark = (found) => {
    const flawed = inputs.filter((field) => field.complain(found.fields[field.name] ?? []));
    // An error about something that has no control is still said.
    const lost = Object.entries(found.fields).filter(([name]) => !inputs.some((field) => field.name === name));
    const texts = [...found.general, ...lost.flatMap(([, messages]) => messages)];
    general.textContent = texts.join(" ");
    general.hidden = texts.length === 0;
    flawed[0]?.focus();
    return flawed.length > 0;
  };
  const submit = (event) => {
    event.preventDefault();
    if (!mark({ fields: {}, general: [] })) send();
  };
  return {
    element: el("form", { class: plain ? "fields plain-fields" : "fields", "aria-label": title ?? "Form", novalidate: true, on: { submit } }, all),
    focus: () => inputs[0]?.focus(),
    busy: (on) => { all.disabled = on; },
    problems: mark,
  };
}
