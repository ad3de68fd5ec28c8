"""A flow as an SVG that stands alone, or in a page that brings the style sheet."""

from collections.abc import Iterator
from html import escape
from typing import Final

from msgspec import Struct

from engine.loading.drawing.graph import Edge, Graph, Vertex, flow_graph
from engine.loading.drawing.layout import Layout, Size, lay_out
from engine.loading.drawing.lines import Point
from engine.loading.drawing.style import STYLE
from engine.loading.drawing.words import cut, folded, plain, width
from engine.model.flow import Flow

_MARGIN: Final = 24.0
_NAME, _TEXT, _KIND, _LABEL = 12.5, 11.5, 10.0, 11.0
"""Sizes of the fonts, as in the style sheet."""
_BOLD: Final = 1.14
"""How much wider than others bold letters are."""
_WIDEST: Final = 214.0
_NARROWEST: Final = 96.0
_INNER: Final = 12.0
_LINE: Final = 15.0
_DOT: Final = 14.0
_LABEL_HEIGHT: Final = 18.0
_LONGEST_LABEL: Final = 28
_WHITE, _GREY, _BLACK = 'fill="#fff"', "#9aa0ac", 'fill="#1d1f23" stroke="none"'
"""Said of each shape as well, for what shows drawings but knows little of style sheets."""
_DOTTED: Final = frozenset({"calls", "jumps", "timeout", "expired", "error", "exhausted"})
_FAMILIES: Final = {
    "message": "say",
    "block": "say",
    "ask": "ask",
    "choice": "ask",
    "form": "ask",
    "commands": "ask",
    "switch": "steer",
    "split": "steer",
    "set": "steer",
    "wait": "pause",
    "http": "reach",
    "task": "reach",
    "emit": "reach",
    "call": "flow",
    "jump": "flow",
    "flow": "flow",
}


class _Box(Struct, frozen=True):
    """What stands in a box, and how large that makes it."""

    name: str
    lines: list[str]
    size: Size


def draw_svg(flow: Flow, *, styled: bool = True) -> str:
    """The flow as an SVG; without `styled` for a page that has `STYLE` already."""
    graph = flow_graph(flow)
    boxes = {vertex.id: _box(vertex) for vertex in graph.vertices}
    labels = {number: cut(edge.label, _LONGEST_LABEL) for number, edge in enumerate(graph.edges) if edge.label}
    layout = lay_out(
        graph,
        {name: box.size for name, box in boxes.items()},
        {number: (width(label, _LABEL) + 8, _LABEL_HEIGHT) for number, label in labels.items()},
    )
    parts = [*_opening(graph, layout, styled=styled)]
    parts.extend(_edge(edge, layout, number, labels.get(number)) for number, edge in enumerate(graph.edges))
    parts.extend(_vertex(vertex, boxes[vertex.id], layout.boxes[vertex.id]) for vertex in graph.vertices)
    return "\n".join([*parts, "</svg>", ""])


def _opening(graph: Graph, layout: Layout, *, styled: bool) -> Iterator[str]:
    across, down = (round(length + 2 * _MARGIN) for length in layout.size)
    view = f"{-_MARGIN:g} {-_MARGIN:g} {across} {down}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow-graph" data-flow="{graph.flow}" width="{across}" height="{down}" '
        f'viewBox="{view}" font-family="sans-serif" font-size="11" role="img" aria-labelledby="flow-graph-title flow-graph-desc">'
    )
    yield f'<title id="flow-graph-title">{escape(graph.title)}</title>'
    yield f'<desc id="flow-graph-desc">{escape(_described(graph))}</desc>'
    if styled:
        yield f"<style>\n{STYLE}</style>"
        yield f'<rect class="ground" x="{-_MARGIN:g}" y="{-_MARGIN:g}" width="{across}" height="{down}" {_WHITE}/>'


def _described(graph: Graph) -> str:
    """The graph in words: every node with where it leads."""
    first = graph.edges[0].target
    names = {vertex.id: vertex.name for vertex in graph.vertices}
    leads: dict[str, list[str]] = {}
    for edge in graph.edges[1:]:
        leads.setdefault(edge.source, []).append(f"{names[edge.target]} ({edge.label})" if edge.label else names[edge.target])
    told = "; ".join(f"{names[source]} leads to {', '.join(targets)}" for source, targets in leads.items())
    return f"The flow {graph.flow} begins at {first}; {told}." if told else f"The flow {graph.flow} begins at {first}."


def _box(vertex: Vertex) -> _Box:
    if vertex.kind == "start":
        return _Box("", [], (_DOT, _DOT))
    name = "".join(folded(vertex.name, _NAME, (_WIDEST - 2 * _INNER) / _BOLD, 1))
    lines = folded(vertex.text, _TEXT, _WIDEST - 2 * _INNER, 2)
    widths = [width(name, _NAME) * _BOLD, width(_shown_kind(vertex), _KIND) * _BOLD, *(width(line, _TEXT) for line in lines)]
    across = min(_WIDEST, max(_NARROWEST, *widths) + 2 * _INNER)
    if vertex.kind == "finish":
        return _Box(name, [], (64.0, 30.0))
    return _Box(name, lines, (round(across), 44.0 + _LINE * len(lines)))


def _shown_kind(vertex: Vertex) -> str:
    return "commands" if vertex.kind == "commands" else vertex.kind


def _vertex(vertex: Vertex, box: _Box, place: Point) -> str:
    across, down = box.size
    left, top = place[0] - across / 2, place[1]
    told = escape(f"{vertex.kind} {vertex.name}{': ' if vertex.text else ''}{vertex.text}")
    inner = "".join((f"<title>{told}</title>", *_shapes(vertex.kind, across, down), *_texts(vertex, box)))
    family = _FAMILIES.get(vertex.kind, "stop")
    opened = f'<g class="node" data-node="{escape(vertex.id)}" data-kind="{vertex.kind}" data-family="{family}" {_WHITE} stroke="{_GREY}"'
    return f'{opened} transform="translate({left:.1f} {top:.1f})">{inner}</g>'


def _shapes(kind: str, across: float, down: float) -> Iterator[str]:
    """The outline: a bubble for what is said or asked, pointed for what decides, barred for another flow, round for the ends."""
    match kind:
        case "start":
            yield f'<circle class="shape" cx="{across / 2:g}" cy="{down / 2:g}" r="{across / 2:g}"/>'
        case "finish" | "end":
            yield f'<rect class="shape" width="{across:g}" height="{down:g}" rx="{min(down / 2, 22):g}"/>'
        case "switch" | "split":
            yield f'<path class="shape" d="M10 0H{across - 10:g}L{across:g} {down / 2:g}L{across - 10:g} {down:g}H10L0 {down / 2:g}Z"/>'
        case "flow":
            yield f'<rect class="shape" width="{across:g}" height="{down:g}" rx="3"/>'
            yield f'<path class="bars" d="M6 0V{down:g}M{across - 6:g} 0V{down:g}"/>'
        case "ask" | "choice" | "form":
            yield f'<path class="shape" d="M10 0H{across - 10:g}q10 0 10 10V{down:g}H10q-10 0 -10 -10V10q0 -10 10 -10Z"/>'
        case "message" | "block":
            yield f'<path class="shape" d="M10 0H{across - 10:g}q10 0 10 10V{down - 10:g}q0 10 -10 10H0V10q0 -10 10 -10Z"/>'
        case "set":
            yield f'<rect class="shape" width="{across:g}" height="{down:g}"/>'
        case _:
            yield f'<rect class="shape" width="{across:g}" height="{down:g}" rx="10"/>'


def _texts(vertex: Vertex, box: _Box) -> Iterator[str]:
    if vertex.kind == "start":
        return
    if vertex.kind == "finish":
        yield f'<text class="name" x="{box.size[0] / 2:g}" y="19.5" text-anchor="middle" {_BLACK}>{escape(box.name)}</text>'
        return
    yield f"<g {_BLACK}>"
    yield f'<text class="kind" x="{_INNER:g}" y="17">{_shown_kind(vertex)}</text>'
    yield f'<text class="name" x="{_INNER:g}" y="33">{escape(box.name)}</text>'
    for number, line in enumerate(box.lines):
        yield f'<text class="text" x="{_INNER:g}" y="{50 + number * _LINE:g}">{escape(line)}</text>'
    yield "</g>"


def _edge(edge: Edge, layout: Layout, number: int, label: str | None) -> str:
    across, down = layout.boxes[edge.target]
    named = f'data-from="{escape(edge.source)}" data-to="{escape(edge.target)}" data-edge="{escape(plain(edge.name))}"'
    kind = "edge dotted" if edge.name in _DOTTED else "edge"
    head = f'<path class="head" fill="{_GREY}" d="M{across:.1f} {down:.1f}l-4.5 -8h9z"/>'
    line = f'<path class="line" fill="none" stroke="{_GREY}" d="{layout.paths[number]}"/>'
    return f'<g class="{kind}" {named}>{line}{head}{_label(layout, number, label)}</g>'


def _label(layout: Layout, number: int, label: str | None) -> str:
    if label is None:
        return ""
    across, top = layout.labels[number]
    wide = width(label, _LABEL) + 8
    ground = f'<rect x="{across - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{_LABEL_HEIGHT:g}" rx="4" {_WHITE}/>'
    return f'<g class="label">{ground}<text x="{across:.1f}" y="{top + 13:.1f}" text-anchor="middle">{escape(label)}</text></g>'
