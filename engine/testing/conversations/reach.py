"""Which branches a flow has, and which of them its tests have taken."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from engine.interpreter.settling import route_key, route_keys
from engine.model.effects import Visit
from engine.model.flow import Flow
from engine.model.inputs import MadeOptions
from engine.model.nodes import (
    Ask,
    Asking,
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
    Task,
    Wait,
    Waiting,
)
from engine.model.values import Json

Branches = set[tuple[str, str]]
"""Pairs of a node's id and an edge, as visits name them: `next`, `case:N`, `else`, `branch:N`, `option:VALUE`, `route:VALUE`,
`invalid`, `exhausted`, `timeout`, `reminded`, `expired`, `error`, `error:KEY` of a mapping `on_error`, `jumps`, `ends`. A command is a
branch of the flow, whichever question it leaves: `command:WORD` of `COMMANDS`."""

COMMANDS: Final = "commands"
"""What stands in a node's place where a branch is a command's."""

OTHER: Final = "other"
"""The key of `on_error` for all failures that have none of their own."""

Path = tuple[str | int, ...]
"""Keys and positions that lead to where something is written."""


def branches_of(flow: Flow) -> Branches:
    """Every way that the author has written out of every node; the expiry of a wait without a timeout is none."""
    return {(node_id, edge) for node_id, edge, _ in ways(flow)}


def covered(flow: Flow, visits: Iterable[Visit]) -> Branches:
    """The branches of the flow that the visits took."""
    return {_branch(flow, visit) for visit in visits if visit.flow == flow.flow}


def missed(flow: Flow, visits: Iterable[Visit]) -> list[tuple[str, str]]:
    """The branches of the flow that no visit took, in the order of its nodes."""
    taken = covered(flow, visits)
    return [(node_id, edge) for node_id, edge, _ in ways(flow) if (node_id, edge) not in taken]


def _branch(flow: Flow, visit: Visit) -> tuple[str, str]:
    """A node has one branch for failures, unless it tells them apart, and one for all options that are made from data."""
    kind, named, what = visit.edge.partition(":")
    if named and kind == "command":
        return COMMANDS, visit.edge
    node = flow.nodes.get(visit.node)
    if named and kind == "error":
        return visit.node, _failure(node, what)
    made = named and kind == "option" and isinstance(node, Choice) and isinstance(node.options, MadeOptions)
    return visit.node, "next" if made else visit.edge


def _failure(node: Node | None, failure: str) -> str:
    """The branch for `CODE`, or for `CODE:STATUS` of a request: that of the first of its keys that there is."""
    if not isinstance(node, Http | Task) or not isinstance(node.on_error, dict):
        return "error"
    code, _, status = failure.partition(":") if isinstance(node, Http) else (failure, "", "")
    keys = ([status, f"{status[0]}xx"] if status else []) + [code, OTHER]
    return next((f"error:{key}" for key in keys if key in node.on_error), "error")


def ways(flow: Flow) -> Iterator[tuple[str, str, Path]]:
    """Each branch's node and edge, and where in the flow's file it is written."""
    for node_id, node in flow.nodes.items():
        yield from ((node_id, edge, ("nodes", node_id, *below)) for edge, below in _edges(node))
    if any(isinstance(node, Asking) for node in flow.nodes.values()):
        yield from ((COMMANDS, f"command:{command.say[0]}", ("commands", number)) for number, command in enumerate(flow.commands))


def _edges(node: Node) -> Iterator[tuple[str, Path]]:
    match node:
        case Message() | ShowBlock() | Assign() | EmitEvent():
            yield "next", ("next",)
        case Switch():
            yield from ((f"case:{number}", ("cases", number)) for number in range(len(node.cases)))
            yield "else", ("else",)
        case Split():
            yield from ((f"branch:{number}", ("branches", number)) for number, share in enumerate(node.branches) if share.weight > 0)
        case Ask() | Choice() | Form():
            yield from _answers(node)
            yield from _attempts(node)
            yield from _meanwhile(node)
        case Call():
            yield "next", ("next",)
            yield from [] if node.on_expired is None else [("expired", ("on_expired",))]
            yield from [] if node.on_failed is None else [("error", ("on_failed",))]
        case Jump():
            yield "jumps", ("flow",)
        case Http():
            yield "next", ("next",)
            yield from _failures(node.on_error)
        case Task():
            yield "next", ("next",)
            yield from _failures(node.on_error)
            yield from _meanwhile(node)
        case Wait():
            yield from _routed(node.routes, every=bool(node.causes) and {cause.name for cause in node.causes} <= node.routes.keys())
            yield from _meanwhile(node)
        case End():
            yield "ends", ()


def _failures(on_error: OnError | None) -> Iterator[tuple[str, Path]]:
    if isinstance(on_error, dict):
        yield from ((f"error:{key}", ("on_error", key)) for key in on_error)
    elif on_error is not None:
        yield "error", ("on_error",)


def _answers(node: Asking) -> Iterator[tuple[str, Path]]:
    if isinstance(node, Ask):
        yield from _routed(node.routes, every=_all_routed(node))
    elif isinstance(node, Form) or isinstance(node.options, MadeOptions):
        yield "next", ("next",)
    else:
        yield from ((f"option:{route_key(option.value)}", ("options", number)) for number, option in enumerate(node.options))


def _routed(routes: Collection[str], *, every: bool) -> Iterator[tuple[str, Path]]:
    """Each route, and `next` where some answer or cause has none."""
    yield from ((f"route:{key}", ("routes", key)) for key in routes)
    yield from [] if every else [("next", ("next",))]


def _attempts(node: Asking) -> Iterator[tuple[str, Path]]:
    """The last of the attempts leads out; each one before it asks again."""
    if node.attempts is not None:
        yield from [("invalid", ("attempts",))] if node.attempts > 1 else []
        yield "exhausted", ("on_exhausted",)


def _meanwhile(node: Waiting) -> Iterator[tuple[str, Path]]:
    """What the clock does to a wait."""
    yield from [("reminded", ("remind",))] if node.remind else []
    yield from [] if node.timeout is None else [("timeout", ("timeout",))]


def _all_routed(node: Ask) -> bool:
    """Whether every answer there can be has a route of its own, so that none goes to `next`."""
    answers = _countable(node)
    return node.required and bool(answers) and all(node.routes.keys() & route_keys(answer) for answer in answers)


def _countable(node: Ask) -> list[Json]:
    """The only answers that the question takes; none where they cannot be counted."""
    if node.input in {"boolean", "checkbox"}:
        return [True, False]
    if node.input not in {"select", "radio"} or not isinstance(node.options, list):
        return []
    return [option.value for option in node.options]
