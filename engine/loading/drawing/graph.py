"""A flow as a graph: what stands in it, and every way that leads from one to another, by the names that a trace gives them."""

from collections.abc import Iterator
from typing import Final, assert_never

from msgspec import Struct

from engine.expressions.locales import localized
from engine.interpreter.settling import route_key
from engine.loading.drawing.words import plain
from engine.model.flow import Flow
from engine.model.inputs import MadeOptions
from engine.model.nodes import (
    Ask,
    Asked,
    Assign,
    Call,
    Choice,
    EmitEvent,
    End,
    Form,
    Http,
    Jump,
    Message,
    Node,
    OnError,
    ShowBlock,
    Split,
    Switch,
    Target,
    Task,
    Wait,
    Waiting,
)
from engine.model.values import END, Text

START: Final = "(start)"
COMMANDS: Final = "(commands)"
"""No node can have these ids: names hold neither brackets nor colons."""


class Vertex(Struct, frozen=True):
    """Something to be drawn: a node under its id, a flow that is entered (`flow:ID`), the commands, the start, or the end."""

    id: str
    kind: str
    """A node's `type`, or flow, commands, start, finish."""
    name: str
    text: str = ""
    """What it says, does or waits for, in one line."""


class Edge(Struct, frozen=True):
    """One way from a vertex to another."""

    source: str
    target: str
    name: str
    """As `Visit.edge` calls it: `error` is any `error:CODE`, and an option that is made from data goes by `next`."""
    label: str = ""


class Graph(Struct, frozen=True):
    """Everything that is drawn of a flow."""

    flow: str
    title: str
    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]


class _Way(Struct, frozen=True):
    """An edge, seen from the node that it leaves."""

    target: Target
    name: str
    label: str


def flow_graph(flow: Flow) -> Graph:
    """The graph of a checked flow, in the order of its file."""
    vertices = [Vertex(START, "start", "start")]
    edges = [Edge(START, flow.first, "starts", "" if flow.on_event is None else f"on {flow.on_event.name}")]
    for name, node in flow.nodes.items():
        vertices.append(Vertex(name, str(node.__struct_config__.tag), name, plain(_said(node, flow))))
        ways = [*_ways(node, flow)]
        only = len(ways) == 1
        edges.extend(Edge(name, way.target, way.name, "" if only and way.name == "next" else plain(way.label)) for way in ways)
    if flow.commands:
        vertices.append(Vertex(COMMANDS, "commands", "at any question", plain(", ".join(command.say[0] for command in flow.commands))))
        edges.extend(_commanded(flow))
    entered = dict.fromkeys(node.flow for node in flow.nodes.values() if isinstance(node, Call | Jump))
    vertices.extend(Vertex(_flow_id(name), "flow", name) for name in entered)
    if any(edge.target == END for edge in edges):
        vertices.append(Vertex(END, "finish", END))
    return Graph(flow.flow, _in_words(flow.title, flow) or flow.flow, tuple(vertices), tuple(edges))


def _flow_id(name: str) -> str:
    return f"flow:{name}"


def _in_words(text: Text | None, flow: Flow) -> str:
    return "" if text is None else plain(localized(text, flow.locale, flow.locale))


def _commanded(flow: Flow) -> Iterator[Edge]:
    for command in flow.commands:
        if command.next is not None:
            yield Edge(COMMANDS, command.next, f"command:{command.say[0]}", plain(", ".join(command.say)))


def _said(node: Node, flow: Flow) -> str:
    """What tells the node from others of its type."""
    match node:
        case Message():
            return _in_words(node.text, flow)
        case ShowBlock():
            return f"{node.block}: {title}" if isinstance(title := node.payload.get("title"), str) else node.block
        case Ask() | Choice():
            return _in_words(node.prompt, flow)
        case Form():
            return _in_words(node.title, flow)
        case Switch():
            return ""
        case Assign():
            return ", ".join(node.values)
        case Split():
            return ""
        case Call() | Jump():
            return node.flow
        case Http():
            return f"{node.method} {node.url}"
        case Task():
            return node.queue
        case EmitEvent():
            return node.event
        case Wait():
            return _moments(node)
        case End():
            return node.code or node.status
        case _:
            assert_never(node)


def _moments(node: Wait) -> str:
    if node.causes:
        return "any of " + ", ".join(cause.name or cause.event or cause.length or cause.until or "" for cause in node.causes)
    if node.event is not None:
        return node.event
    return f"for {node.length}" if node.length is not None else f"until {node.until}"


def _ways(node: Node, flow: Flow) -> Iterator[_Way]:
    """Every way out of the node; that of the commands is drawn once for all."""
    match node:
        case Message() | ShowBlock() | Assign() | Form() | EmitEvent():
            yield _Way(node.next, "next", "next")
        case Ask():
            yield from (_Way(target, f"route:{key}", key) for key, target in node.routes.items())
            yield _Way(node.next, "next", "next")
        case Choice():
            yield from _of_choice(node, flow)
        case Switch():
            yield from (_Way(case.next, f"case:{number}", case.when) for number, case in enumerate(node.cases))
            yield _Way(node.otherwise, "else", "else")
        case Split():
            yield from _of_split(node)
        case Call():
            yield from _of_call(node)
        case Jump():
            yield _Way(_flow_id(node.flow), "jumps", "jumps")
        case Http() | Task():
            yield _Way(node.next, "next", "next")
            yield from _of_failures(node.on_error)
        case Wait():
            yield from (_Way(target, f"route:{key}", key) for key, target in node.routes.items())
            yield _Way(node.next, "next", "next")
        case End():
            return
        case _:
            assert_never(node)
    yield from _of_waiting(node)


def _of_failures(on_error: OnError | None) -> Iterator[_Way]:
    if isinstance(on_error, dict):
        yield from (_Way(target, "error", key) for key, target in on_error.items())
    else:
        yield from _if_there(on_error, "error", "error")


def _of_choice(node: Choice, flow: Flow) -> Iterator[_Way]:
    if isinstance(node.options, MadeOptions):
        yield from _if_there(node.next, "next", "any option")
        return
    for option in node.options:
        key = route_key(option.value)
        yield _Way(option.next, f"option:{key}", _in_words(option.label, flow) or key)


def _of_split(node: Split) -> Iterator[_Way]:
    whole = sum(branch.weight for branch in node.branches) or 1
    for number, branch in enumerate(node.branches):
        yield _Way(branch.next, f"branch:{number}", f"{100 * branch.weight / whole:.3g} %")


def _of_call(node: Call) -> Iterator[_Way]:
    yield _Way(_flow_id(node.flow), "calls", "calls")
    yield _Way(node.next, "next", "next")
    yield from _if_there(node.on_expired, "expired", "expired")
    yield from _if_there(node.on_failed, "error", "failed")


def _of_waiting(node: Node) -> Iterator[_Way]:
    """What every wait may have besides its own ways."""
    if isinstance(node, Asked):
        yield from _if_there(node.on_exhausted, "exhausted", "exhausted")
    if isinstance(node, Waiting) and node.timeout is not None:
        yield _Way(node.timeout.next, "timeout", f"timeout {node.timeout.after}")


def _if_there(target: Target | None, name: str, label: str) -> Iterator[_Way]:
    if target is not None:
        yield _Way(target, name, label)
