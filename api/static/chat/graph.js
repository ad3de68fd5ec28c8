// A flow's graph in a window that scrolls: drawn by the server, marked here with the way that the run took.

import { el } from "./dom.js";

const COMMANDS = "(commands)";
const START = "(start)";
const END = "end";
const STEP = 1.25;
const LEAST = 0.2;
const MOST = 2;
/** Below this nothing can be read, so a graph that is wider scrolls instead. */
const READABLE = 0.75;

export class Graph {
  #api;
  #window;
  #zooms;
  #drawn = new Map();
  #svg = null;
  #key = null;
  #scale = 1;
  #focus = null;

  constructor(api) {
    this.#api = api;
    this.#window = el("div", { class: "graph-window", tabindex: "0", role: "group" });
    const zoom = (name, label, act) => el("button", { type: "button", class: "zoom", "aria-label": name, on: { click: act } }, label);
    this.#zooms = el(
      "div",
      { class: "zooms", role: "group", "aria-label": "Size of the graph" },
      zoom("Smaller", "−", () => this.#zoom(this.#scale / STEP)),
      zoom("Larger", "+", () => this.#zoom(this.#scale * STEP)),
      zoom("The whole graph", "⤢", () => this.#zoom(this.#fitting())),
    );
    this.element = el("div", { class: "graph", hidden: true }, this.#window, this.#zooms);
  }

  /** Shows the flow of that standing with the run's way through it; the node where the run stands comes into sight. */
  async show({ flow, version, node }, way, { innermost }) {
    const svg = await this.#drawing(flow, version);
    const key = `${flow} ${version}`;
    this.element.hidden = false;
    if (this.#key !== key) {
      this.#window.replaceChildren(svg);
      this.#window.setAttribute("aria-label", `Graph of the flow ${flow}; the way through it stands below as a list`);
      this.#svg = svg;
      this.#key = key;
      this.#zoom(Math.min(1, Math.max(READABLE, this.#window.clientWidth / svg.width.baseVal.value || 1)));
    }
    this.#focus = mark(svg, flow, way, node, innermost);
    this.center();
  }

  /** Scrolls the present node into the middle of the window. */
  center() {
    if (this.#focus === null || this.#window.clientHeight === 0) return;
    const seen = this.#window.getBoundingClientRect();
    const at = this.#focus.getBoundingClientRect();
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#window.scrollBy({
      left: at.x + at.width / 2 - seen.x - seen.width / 2,
      top: at.y + at.height / 2 - seen.y - seen.height / 2,
      behavior: calm ? "auto" : "smooth",
    });
  }

  async #drawing(flow, version) {
    const key = `${flow} ${version}`;
    if (!this.#drawn.has(key)) {
      const path = `/dev/flows/${encodeURIComponent(flow)}/${version}/graph.svg`;
      const { text } = await this.#api.get(path);
      this.#drawn.set(key, document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true));
    }
    return this.#drawn.get(key);
  }

  #fitting() {
    const { width, height } = natural(this.#svg);
    return Math.min(1, this.#window.clientWidth / width, this.#window.clientHeight / height);
  }

  #zoom(scale) {
    if (this.#svg === null) return;
    const { width, height } = natural(this.#svg);
    this.#scale = Math.min(MOST, Math.max(LEAST, scale));
    this.#svg.setAttribute("width", Math.round(width * this.#scale));
    this.#svg.setAttribute("height", Math.round(height * this.#scale));
    this.center();
  }
}

function natural(svg) {
  return svg.viewBox.baseVal;
}

/** Marks nodes and edges that the run passed; gives the node to look at: where it stands, or where it was last. */
function mark(svg, flow, way, node, innermost) {
  const nodes = new Map([...svg.querySelectorAll("[data-node]")].map((group) => [group.dataset.node, group]));
  const edges = [...svg.querySelectorAll("[data-edge]")];
  for (const group of [...nodes.values(), ...edges]) group.classList.remove("visited", "taken", "here", "calling");
  const visits = way.visits.filter((visit) => visit.flow === flow);
  const pass = (group) => group?.classList.add("visited");
  if (visits.length > 0) take(edges.filter((edge) => edge.dataset.from === START), nodes);
  for (const visit of visits) {
    pass(nodes.get(visit.node));
    if (visit.edge.startsWith("command:")) pass(nodes.get(COMMANDS));
    take(passed(edges, visit), nodes);
  }
  const over = ["completed", "failed", "aborted"].includes(way.status);
  const last = visits.at(-1);
  const stands = over || node === null ? (last?.target === END ? END : last?.node) : node;
  const group = nodes.get(stands) ?? null;
  if (!over && node !== null) group?.classList.add(innermost ? "here" : "calling");
  return group;
}

/** The edge that a visit left by: by its name; where the graph has fewer names than the run, by where it led. */
function passed(edges, { node, edge, target }) {
  const [kind] = edge.split(":");
  const from = kind === "command" ? COMMANDS : node;
  const leaving = edges.filter(({ dataset }) => dataset.from === from && (target === null || dataset.to === target));
  const named = leaving.find(({ dataset }) => dataset.edge === edge) ?? leaving.find(({ dataset }) => dataset.edge === kind);
  const found = named ?? (target === null ? undefined : leaving[0]);
  return found === undefined ? [] : [found];
}

function take(edges, nodes) {
  for (const edge of edges) {
    edge.classList.add("taken");
    for (const end of [edge.dataset.from, edge.dataset.to]) nodes.get(end)?.classList.add("visited");
    // Above the others, so that no other line is drawn over it; below the nodes.
    nodes.values().next().value.before(edge);
  }
}
