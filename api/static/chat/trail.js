// The way a run took, as a list: what the graph shows, in words.

import { el } from "./dom.js";

const DONE = { waits: "waits", ends: "ends the flow", invalid: "asks again", reminded: "reminds", expired: "waited in vain", cancelled: "was cancelled" };
const ENDED = { completed: "The run is completed.", failed: "The run has failed.", aborted: "The run was aborted." };

/** Fills the element with the list; whether it is open stays as it was. */
export function drawTrail(element, way, open) {
  const before = element.querySelector("details");
  const isOne = way.stack.length + way.left.length === 1;
  const items = way.visits.map((visit, place) => drawVisit(visit, way.visits[place - 1], isOne));
  const end = el("li", { class: "stands" }, ENDED[way.status] ?? el("span", {}, "It stands at ", el("code", {}, way.node), "."));
  const list = el("ol", { tabindex: "0", "aria-label": "The way taken" }, ...items, end);
  const counted = way.visits.length === 1 ? "1 step" : `${way.visits.length} steps`;
  element.replaceChildren(el("details", { open: before?.open ?? open }, el("summary", {}, "The way taken", el("small", {}, ` ${counted}`)), list));
  list.scrollTop = list.scrollHeight;
}

/** A step; where the run has come from another flow, its own is named. */
function drawVisit(visit, before, isOne) {
  const entered = !isOne && before?.flow !== visit.flow;
  return el(
    "li",
    {},
    el(
      "span",
      { class: "step" },
      el("span", { class: "where" }, entered ? el("small", {}, `${visit.flow} / `) : null, visit.node),
      el("span", { class: "how" }, worded(visit)),
      el("time", { datetime: visit.at }, new Date(visit.at).toLocaleTimeString()),
    ),
    ...visit.warnings.map(({ message }) => el("span", { class: "warned" }, message)),
  );
}

function worded({ edge, target, type }) {
  if (edge === "calls") return type === "call" ? "calls another flow" : "makes a request";
  if (edge === "jumps") return "leaves for another flow";
  if (target !== null) return edge === "next" ? `→ ${target}` : `${edge} → ${target}`;
  return DONE[edge] ?? edge;
}
