// What can be started: the intents, the questions people often ask, and one's own first words.

import { compose } from "./composer.js";
import { el, freshId, paint, safeUrl } from "./dom.js";

/** More questions than these would draw the eye away from the intents. */
const MOST_QUESTIONS = 4;

export function drawPicker({ intents, quickQuestions = [] }, conversation) {
  if (intents.length === 0) return empty();
  const ordered = [...intents].sort((one, other) => Number(other.isPinned) - Number(one.isPinned) || other.priority - one.priority);
  const words = compose({ label: "Or in your own words", send: (text) => startWith(text) });
  const start = (intent, text) => conversation.start(intent, text || intent.displayLabel || intent.name);
  const cards = ordered.map((intent) => drawIntent(intent, () => start(intent, words.text())));
  const questions = suggested(quickQuestions, ordered).map(({ question, intent }) =>
    el("button", { type: "button", class: "choice", on: { click: () => start(intent, question) } }, question),
  );
  function startWith(text) {
    const intent = meant(text, ordered);
    if (intent) return start(intent, text);
    cards[0].focus();
    return words.complain(["What is it about? Pick a topic above; your words go with it."]);
  }
  const heading = el("h2", { id: freshId("topics") }, "What can we do for you?");
  const group = el(
    "fieldset",
    { class: "topics", "aria-labelledby": heading.id },
    el("div", { class: "intents" }, ...cards),
    questions.length === 0 ? null : el("div", { class: "choices" }, ...questions),
  );
  return {
    element: el("div", { class: "picker" }, heading, group, words.element),
    focus: () => cards[0].focus(),
    busy: (on) => {
      group.disabled = on;
      words.busy(on);
    },
    problems: (found) => words.problems(found),
  };
}

function empty() {
  const element = el("p", { class: "muted" }, "Nothing can be started here yet: no flow with an intent is published.");
  return { element, focus: () => {}, busy: () => {}, problems: () => {} };
}

/** The intent that a text plainly means: the only one, or the one whose label or example it is. Understanding more is the integrator's part. */
function meant(text, intents) {
  if (intents.length === 1) return intents[0];
  const wanted = folded(text);
  return intents.find((intent) => [intent.name, intent.displayLabel, ...(intent.examples ?? [])].some((known) => folded(known ?? "") === wanted));
}

/** One question of each intent, the first that does not merely repeat its label. */
function suggested(quickQuestions, intents) {
  const found = intents.flatMap((intent) => {
    const own = quickQuestions.filter(({ intentName }) => intentName === intent.name);
    const telling = own.find(({ question }) => folded(question) !== folded(intent.displayLabel ?? ""));
    return telling ? [{ question: telling.question, intent }] : [];
  });
  return found.slice(0, MOST_QUESTIONS);
}

function folded(text) {
  return text.normalize("NFKC").toLowerCase().replace(/[\s.!?…]+$/u, "").trim();
}

function drawIntent(intent, start) {
  const about = intent.subtitle || intent.description;
  const card = el(
    "button",
    { type: "button", class: `intent ${intent.isPinned ? "pinned" : ""}`, on: { click: start } },
    el("span", { class: "icon", "aria-hidden": "true" }, drawIcon(intent)),
    el("span", { class: "intent-text" }, el("strong", {}, intent.displayLabel || intent.name), about ? el("span", { class: "muted" }, about) : null),
  );
  paint(card, intent.accentColor);
  return card;
}

function drawIcon({ icon, displayLabel, name }) {
  const initial = [...(displayLabel || name)][0].toUpperCase();
  if (icon?.kind === "emoji") return icon.value;
  if (!["url", "image"].includes(icon?.kind) || safeUrl(icon.value) === null) return initial;
  const image = el("img", { src: safeUrl(icon.value), alt: "", on: { error: () => image.replaceWith(initial) } });
  return image;
}
