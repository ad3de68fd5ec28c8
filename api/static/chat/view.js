// Puts the state on the page: the log grows, the answer area changes with the wait, the focus follows the person.

import { drawAnswer } from "./answer.js";
import { drawBlock } from "./blocks.js";
import { el, paint } from "./dom.js";
import { drawPicker } from "./picker.js";
import { tryNow } from "./retry.js";

const TROUBLES = {
  lost: "The connection is lost. Trying again…",
  fast: (seconds) => `That was a little fast. Going on in ${Math.ceil(seconds)} s.`,
  busy: "The server is busy. Trying again…",
};
/** What is said of work that takes its time, and after how many milliseconds: short turns say nothing. */
const PATIENCE = [
  [1_500, "Working on it…"],
  [15_000, "Still working on it. Nothing is lost if you come back later."],
];
const ENDINGS = {
  expired: "The time ran out, so this conversation has ended.",
  cancelled: "You ended this conversation.",
  replaced: "This conversation was replaced by a newer one.",
  failed: "Something went wrong on our side, so this conversation has ended.",
};

/** What stays in sight above something new: the bar at the top, and the line before it. */
const CONTEXT = 140;

export class View {
  #store;
  #conversation;
  #page;
  #drawn = new Map();
  #area = null;
  #areaKey = "opening";
  #patience = [];

  constructor(store, conversation) {
    this.#store = store;
    this.#conversation = conversation;
    const ids = ["title", "leave", "progress", "log", "typing", "working", "answer", "trouble"];
    this.#page = Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));
    this.#page.leave.addEventListener("click", () => conversation.leave());
    let before = store.state;
    store.addEventListener("change", () => {
      const previous = before;
      before = store.state;
      this.#show(store.state, previous);
    });
  }

  #show(state, before) {
    const { reply, phase } = state;
    const first = state.items === before.items ? null : this.#showLog(state.items);
    if (state.session !== before.session || state.intent !== before.intent) this.#showName(state);
    this.#page.leave.hidden = phase !== "talking" || reply === null;
    this.#showWork(phase === "opening" || state.sending || (phase === "talking" && reply?.status === "running"));
    this.#showProgress(phase === "talking" ? (reply?.progress ?? 0) : 0);
    this.#showArea(state);
    if (first !== null) this.#scroll(first);
    this.#area?.busy(state.sending);
    if (state.problems !== before.problems && state.problems !== null) this.#area?.problems?.(state.problems);
    if (state.trouble !== before.trouble) this.#showTrouble(state.trouble);
  }

  #showName({ session, intent }) {
    const name = intent?.displayLabel || session?.widget?.label || "Chat";
    this.#page.title.textContent = name;
    document.title = name;
    paint(document.body, intent?.accentColor ?? session?.widget?.accentColor);
  }

  /** Dots at once, and words for those who do not see them, or wonder. */
  #showWork(working) {
    if (working === !this.#page.typing.hidden) return;
    this.#page.typing.hidden = !working;
    this.#page.working.textContent = "";
    this.#patience.forEach(clearTimeout);
    const say = ([after, text]) => setTimeout(() => { this.#page.working.textContent = text; }, after);
    this.#patience = working ? PATIENCE.map(say) : [];
  }

  #showProgress(progress) {
    this.#page.progress.hidden = progress === 0;
    this.#page.progress.setAttribute("aria-valuenow", progress);
    this.#page.progress.firstElementChild.style.width = `${progress}%`;
  }

  /** Adds what is new and takes away what is gone; gives the first new element, if any. */
  #showLog(items) {
    let first = null;
    const wanted = new Set(items.map((item) => item.id));
    for (const [id, element] of this.#drawn) {
      if (wanted.has(id)) continue;
      element?.remove();
      this.#drawn.delete(id);
    }
    // Only what is new is added: redrawing would make a screen reader say all of it again.
    for (const item of items) {
      if (!this.#drawn.has(item.id)) {
        const element = drawItem(item);
        this.#drawn.set(item.id, element);
        if (element !== null) this.#page.log.append(element);
        first ??= element;
      }
      this.#drawn.get(item.id)?.classList.toggle("pending", item.pending === true);
    }
    this.#page.log.hidden = items.length === 0;
    return first;
  }

  #showArea(state) {
    const key = areaKey(state);
    if (key === this.#areaKey) return;
    // Who was answering goes on answering; who was elsewhere, say on a link above, is left there, and so is who has just come.
    const answering = this.#areaKey !== "opening" && (document.activeElement === document.body || this.#page.answer.contains(document.activeElement));
    this.#areaKey = key;
    this.#area = this.#draw(state);
    this.#page.answer.replaceChildren(...(this.#area ? [this.#area.element] : []));
    if (answering && this.#area) this.#area.focus();
    else if (answering) this.#page.answer.focus({ preventScroll: true });
  }

  #draw(state) {
    const conversation = this.#conversation;
    if (state.phase === "picking") return drawPicker(state.session, conversation);
    if (state.phase === "ended") return drawEnding(state.reply, conversation);
    if (state.phase !== "talking" || state.reply === null || !state.reply.expectedInput) return null;
    const form = state.items.findLast((item) => item.block?.type === "form")?.block.payload;
    return drawAnswer(state.reply, { form, filled: state.filled, conversation });
  }

  /** To the end of the conversation, where the answer goes; but no further than that what is new can be read from its beginning. */
  #scroll(first) {
    const above = first.getBoundingClientRect().top + window.scrollY - CONTEXT;
    const end = document.querySelector("main").getBoundingClientRect().bottom + window.scrollY - window.innerHeight;
    window.scrollTo({ top: Math.min(above, end) });
  }

  #showTrouble(trouble) {
    if (trouble === null) return this.#page.trouble.replaceChildren();
    const said = TROUBLES[trouble.reason];
    const text = typeof said === "function" ? said(trouble.seconds) : said;
    if (this.#page.trouble.firstChild?.textContent === text) return undefined;
    const again = trouble.reason === "fast" ? null : el("button", { type: "button", class: "quiet", on: { click: tryNow } }, "Try now");
    return this.#page.trouble.replaceChildren(el("span", {}, text), ...(again ? [again] : []));
  }
}

/** Names the area that a state needs: a new wait, even of the same question, is a new area. */
function areaKey({ phase, reply }) {
  return phase === "talking" && reply !== null ? `${reply.executionId} ${reply.waitToken}` : phase;
}

function drawItem(item) {
  switch (item.kind) {
    case "said":
      return el("div", { class: "said" }, el("span", { class: "unseen" }, "You: "), ...item.lines.map((line) => el("p", { class: "plain" }, line)));
    case "note":
      return el("p", { class: "note" }, item.text);
    default:
      return drawBlock(item.block);
  }
}

function drawEnding(reply, conversation) {
  const button = el("button", { type: "button", class: "primary", on: { click: () => conversation.startAgain() } }, "Start again");
  const text = ENDINGS[reply.endReason] ?? "This conversation has ended.";
  const code = reply.endCode ? el("code", {}, reply.endCode) : null;
  return { element: el("div", { class: "ending" }, el("p", { class: "muted" }, text, code ? " " : null, code), button), focus: () => button.focus(), busy: () => {} };
}
