"""A flow as Mermaid text, for documents that draw it themselves.

Whatever the flow's texts hold, they stay texts: everything that Mermaid or the HTML of its labels could read as more than a letter
is written as an entity, and ids have a prefix, since a bare `end` or `class` is a word of the language.
"""

from typing import Final

from engine.loading.drawing.graph import Edge, Vertex, flow_graph
from engine.loading.drawing.words import cut
from engine.model.flow import Flow

_TEXT: Final = 48
_LABEL: Final = 32
_HARMLESS: Final = frozenset(" .,:!?'-/_")
_SHAPES: Final = {
    "ask": ("[/", "/]"),
    "choice": ("[/", "/]"),
    "form": ("[/", "/]"),
    "switch": ("{{", "}}"),
    "split": ("{{", "}}"),
    "wait": ("[\\", "\\]"),
    "task": ("[\\", "\\]"),
    "call": (">", "]"),
    "jump": (">", "]"),
    "flow": ("[[", "]]"),
    "commands": ("(", ")"),
    "end": ("([", "])"),
    "start": ("((", "))"),
    "finish": ("(((", ")))"),
}
_PLAIN: Final = ("[", "]")
_QUOTED: Final = frozenset({"message", "ask", "choice", "form"})
_DOTTED: Final = frozenset({"calls", "jumps", "timeout"})


def draw_mermaid(flow: Flow) -> str:
    """The flow as a Mermaid flowchart."""
    graph = flow_graph(flow)
    lines = ["flowchart TD"]
    lines.extend(f"    {_vertex(vertex)}" for vertex in graph.vertices)
    lines.extend(f"    {_edge(edge)}" for edge in graph.edges)
    return "\n".join([*lines, ""])


def _vertex(vertex: Vertex) -> str:
    opened, closed = _SHAPES.get(vertex.kind, _PLAIN)
    return f'{_id(vertex.id)}{opened}"{_escaped(vertex.name)}{_second_line(vertex)}"{closed}'


def _second_line(vertex: Vertex) -> str:
    """What it says or does; the first sign keeps a text from being read as the beginning of a list, which labels refuse to show."""
    if not vertex.text:
        return ""
    text = _escaped(cut(vertex.text, _TEXT))
    return f"<br/>“{text}”" if vertex.kind in _QUOTED else f"<br/>{vertex.kind} {text}"


def _edge(edge: Edge) -> str:
    arrow = "-.->" if edge.name in _DOTTED else "-->"
    label = f'|"{_escaped(cut(edge.label, _LABEL))}"|' if edge.label else ""
    return f"{_id(edge.source)} {arrow}{label} {_id(edge.target)}"


def _id(name: str) -> str:
    """An id that is no word of Mermaid's, and another one for each vertex."""
    if name.startswith("("):
        return f"the_{name.strip('()')}"
    return f"f_{name.removeprefix('flow:')}" if ":" in name else f"n_{name}"


def _escaped(text: str) -> str:
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    ours = character.isalnum() or character in _HARMLESS or not character.isascii()
    return character if ours else f"#{ord(character)};"
