// What the page remembers across reloads, in the browser's own storage: the session, how its answers were worded, and the panel.
// A browser may forbid storage; the page then works, and a reload starts afresh.

/** Answers given by choices and forms are stored as values; only this page knows the labels that were picked. */
const MOST_ANSWERS = 200;
const PANEL = "baton.panel";

export class Memory {
  #token;
  #said;

  constructor(publicKey) {
    this.#token = `baton.session.${publicKey}`;
    this.#said = `baton.said.${publicKey}`;
  }

  get token() {
    return read(this.#token);
  }

  set token(token) {
    write(this.#token, token);
  }

  /** Turn id to the lines that the log showed for the answer of that turn. */
  get said() {
    try {
      return new Map(JSON.parse(read(this.#said) ?? "[]"));
    } catch {
      return new Map();
    }
  }

  /** Whether the panel with the flow's graph is open; null where nobody has said. */
  get panel() {
    const kept = read(PANEL);
    return kept === null ? null : kept === "open";
  }

  set panel(open) {
    write(PANEL, open ? "open" : "closed");
  }

  keepSaid(turnId, lines) {
    const said = [...this.said.set(turnId, lines)];
    write(this.#said, JSON.stringify(said.slice(-MOST_ANSWERS)));
  }
}

function read(place) {
  try {
    return localStorage.getItem(place);
  } catch {
    return null;
  }
}

function write(place, text) {
  try {
    localStorage.setItem(place, text);
  } catch {
    /* forbidden or full: see above */
  }
}
