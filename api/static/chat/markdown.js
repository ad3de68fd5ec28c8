// A small, safe markdown: paragraphs, headings, lists, quotes, code, emphasis and links, made of elements and text nodes.

import { el, link } from "./dom.js";

const INLINE = new RegExp(
  [
    /\\([!-/:-@[-`{-~])/, // 1: an escaped sign; the server escapes the values of expressions so
    /`([^`\n]+)`/, // 2: code
    /\[((?:\\.|[^\]\\\n])+)\]\(((?:\\.|[^\s)\\])+)\)/, // 3, 4: link
    /\*\*((?:\\.|[^*\\])+)\*\*/, // 5: strong
    /\*((?:\\.|[^*\\\n])+)\*/, // 6: emphasis
    /(?<!\w)_((?:\\.|[^_\\\n])+)_(?!\w)/, // 7: emphasis
    /\n/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

/** The nodes that a line of markdown stands for. */
export function inline(text) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > from) nodes.push(text.slice(from, found.index));
    nodes.push(span(found));
    from = found.index + found[0].length;
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

function span([whole, escaped, code, label, address, strong, star, underscore]) {
  if (whole === "\n") return el("br");
  if (escaped !== undefined) return escaped;
  if (code !== undefined) return el("code", {}, code);
  if (label !== undefined) return link(unescape(address), unescape(label));
  if (strong !== undefined) return el("strong", {}, ...inline(strong));
  return el("em", {}, ...inline(star ?? underscore));
}

function unescape(text) {
  return text.replace(/\\([!-/:-@[-`{-~])/g, "$1");
}

const KINDS = [
  ["heading", /^#{1,6}\s+(.*)$/],
  ["item", /^\s*[-*+]\s+(.*)$/],
  ["number", /^\s*\d{1,9}[.)]\s+(.*)$/],
  ["quote", /^>\s?(.*)$/],
];

function classify(line) {
  for (const [kind, pattern] of KINDS) {
    const found = pattern.exec(line);
    if (found) return [kind, found[1]];
  }
  return [line.trim() === "" ? "blank" : "text", line];
}

/** The elements that a markdown text stands for. */
export function markdown(text) {
  const parts = [];
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; ) {
    const [kind] = classify(lines[at]);
    const start = at;
    if (lines[at].startsWith("```")) {
      at = fenceEnd(lines, at);
      parts.push(el("pre", {}, el("code", {}, lines.slice(start + 1, at).join("\n"))));
      at += 1;
      continue;
    }
    // Lines of one kind belong together; each heading stands alone.
    do at += 1;
    while (at < lines.length && kind !== "heading" && classify(lines[at])[0] === kind && !lines[at].startsWith("```"));
    parts.push(...part(kind, lines.slice(start, at).map((line) => classify(line)[1])));
  }
  return parts;
}

function fenceEnd(lines, start) {
  const end = lines.findIndex((line, at) => at > start && line.startsWith("```"));
  return end === -1 ? lines.length : end;
}

function part(kind, texts) {
  switch (kind) {
    case "heading":
      return [el("p", { class: "heading" }, ...inline(texts[0]))];
    case "item":
    case "number":
      return [el(kind === "item" ? "ul" : "ol", {}, ...texts.map((text) => el("li", {}, ...inline(text))))];
    case "quote":
      return [el("blockquote", {}, ...inline(texts.join("\n")))];
    case "blank":
      return [];
    default:
      return [el("p", {}, ...inline(texts.join("\n")))];
  }
}
