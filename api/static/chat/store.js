// The state of the page. Views read it and hear of every change; the conversation alone writes it.

const ENDED = ["completed", "failed", "aborted"];

export function isOver(reply) {
  return ENDED.includes(reply.status);
}

export class Store extends EventTarget {
  state = {
    /** opening | picking | talking | ended */
    phase: "opening",
    session: null,
    /** The intent under way, when this page started it. */
    intent: null,
    /** What the log shows, in order: {id, kind: block|said|note, ...}. */
    items: [],
    reply: null,
    sending: false,
    /** Why an answer was refused: {fields: {name: [text]}, general: [text]}. */
    problems: null,
    /** What is being waited for: {reason: lost|fast|busy, seconds}. */
    trouble: null,
    /** The last form's answers, to fill them in again when it is asked again. */
    filled: {},
  };

  update(changes) {
    this.state = { ...this.state, ...changes };
    this.dispatchEvent(new Event("change"));
  }

  /** Replaces the log by a stored thread; `said` words the answers that are stored as values, by turn. */
  showThread(messages, said) {
    const items = messages.flatMap((message) =>
      message.role === "user" ? saidThen(message, said) : (message.blocks ?? []).map((block) => ({ id: block.id, kind: "block", block })),
    );
    this.update({ items });
  }

  /** Takes a reply: blocks that are shown already are dropped, the rest is appended; nothing is being sent any more. */
  take(reply) {
    const shown = new Set(this.state.items.map((item) => item.id));
    const blocks = reply.blocks.filter((block) => !shown.has(block.id)).map((block) => ({ id: block.id, kind: "block", block }));
    this.update({ items: [...this.state.items, ...blocks], reply, sending: false, phase: isOver(reply) ? "ended" : "talking" });
  }

  say(id, lines) {
    this.update({ items: [...this.state.items, { id, kind: "said", lines, pending: true }] });
  }

  confirm(id) {
    this.update({ items: this.state.items.map((item) => (item.id === id ? { ...item, pending: false } : item)) });
  }

  unsay(id) {
    this.update({ items: this.state.items.filter((item) => item.id !== id) });
  }

  note(text) {
    this.update({ items: [...this.state.items, { id: `note-${this.state.items.length}-${Date.now()}`, kind: "note", text }] });
  }
}

function saidThen(message, said) {
  const lines = said.get(message.turnId) ?? [message.text || worded(message.values)];
  return [{ id: message.id, kind: "said", lines, pending: false }];
}

/** An answer given as values, in words; who gave it in another browser had the labels, here are the values themselves. */
function worded(values) {
  const said = Object.values(values ?? {}).filter((value) => value !== null && value !== "");
  return said.length === 0 ? "—" : said.map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value))).join(", ");
}
