// The panel for authors: the graph of the flow where the run stands, the flows that called it, and the way that was taken.

import { el } from "./dom.js";
import { Graph } from "./graph.js";
import { drawTrail } from "./trail.js";

const WIDE = "(min-width: 64rem)";
const EMPTY = "Start a conversation: the flow behind it is drawn here, with the way that it takes.";

export class Way {
  #api;
  #memory;
  #graph;
  #parts;
  #shown = null;
  #chosen = null;
  #asked = 0;
  #turn = null;

  constructor(panel, api, store, memory) {
    this.#api = api;
    this.#memory = memory;
    this.#graph = new Graph(api);
    this.#parts = this.#build(panel);
    this.#open(memory.panel ?? window.matchMedia(WIDE).matches);
    store.addEventListener("change", () => this.#follow(store.state));
  }

  #build(panel) {
    const toggle = el("button", { type: "button", class: "way-toggle", "aria-controls": "way-body", on: { click: () => this.#toggle() } }, "Flow graph");
    const said = el("p", { class: "way-said muted" }, EMPTY);
    const flows = el("nav", { class: "flows", "aria-label": "Flows of this run", hidden: true });
    const trail = el("div", { class: "trail", hidden: true });
    const body = el("div", { id: "way-body", class: "way-body" }, said, flows, this.#graph.element, trail);
    panel.append(toggle, body);
    return { panel, toggle, said, flows, trail, body };
  }

  #toggle() {
    this.#memory.panel = this.#parts.body.hidden;
    this.#open(this.#parts.body.hidden);
  }

  #open(open) {
    this.#parts.toggle.setAttribute("aria-expanded", String(open));
    this.#parts.body.hidden = !open;
    this.#parts.panel.classList.toggle("open", open);
    if (open) this.#graph.center();
  }

  /** Asks anew whenever the run has moved; of several answers under way only the newest counts. */
  async #follow({ reply, phase }) {
    if (reply === null) {
      if (phase === "picking" && this.#turn !== null) this.#clear();
      return;
    }
    const turn = `${reply.executionId} ${reply.turnId} ${reply.status}`;
    if (turn === this.#turn) return;
    this.#turn = turn;
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const way = (await this.#api.get(`/dev/executions/${encodeURIComponent(reply.executionId)}/way`)).body;
      if (asked === this.#asked) await this.#show(way);
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#turn = null;
      this.#say(`The flow could not be drawn: ${error.message}`);
    }
  }

  #clear() {
    this.#turn = null;
    this.#shown = null;
    this.#asked += 1;
    this.#parts.flows.hidden = this.#parts.trail.hidden = this.#graph.element.hidden = true;
    this.#say(EMPTY);
  }

  #say(text) {
    this.#parts.said.textContent = text;
    this.#parts.said.hidden = text === "";
  }

  async #show(way) {
    // Whoever looks at a caller goes on looking at it until the run itself goes elsewhere.
    const moved = this.#shown === null || stackOf(this.#shown) !== stackOf(way);
    if (moved) this.#chosen = way.stack.length - 1;
    this.#shown = way;
    this.#parts.flows.replaceChildren(this.#drawFlows(way));
    this.#parts.flows.hidden = false;
    this.#parts.trail.hidden = false;
    drawTrail(this.#parts.trail, way, window.matchMedia(WIDE).matches);
    await this.#draw();
  }

  async #draw() {
    const way = this.#shown;
    const standing = [...way.stack, ...way.left][this.#chosen];
    await this.#graph.show(standing, way, { innermost: this.#chosen === way.stack.length - 1 });
    this.#say("");
  }

  #drawFlows(way) {
    const all = [...way.stack, ...way.left];
    if (all.length === 1) return el("p", { class: "flow-name" }, nameOf(all[0]));
    const item = (standing, place) =>
      el("li", { class: place < way.stack.length ? "on-stack" : "left" }, this.#drawChoice(standing, place, place < way.stack.length - 1));
    return el("ol", {}, ...all.map(item));
  }

  #drawChoice(standing, place, calls) {
    const told = standing.node === null ? " (left again)" : calls ? ` (calls at ${standing.node})` : " (here)";
    const pressed = String(place === this.#chosen);
    return el("button", { type: "button", class: "flow", "aria-pressed": pressed, on: { click: () => this.#choose(place) } }, nameOf(standing), el("span", { class: "unseen" }, told));
  }

  async #choose(place) {
    this.#chosen = place;
    for (const [at, button] of this.#parts.flows.querySelectorAll("button").entries()) button.setAttribute("aria-pressed", String(at === place));
    try {
      await this.#draw();
    } catch (error) {
      this.#say(`The flow could not be drawn: ${error.message}`);
    }
  }
}

function nameOf({ flow, version }) {
  return el("span", {}, flow, el("small", {}, ` v${version}`));
}

function stackOf(way) {
  return way.stack.map(({ flow, version }) => `${flow} ${version}`).join("/");
}
