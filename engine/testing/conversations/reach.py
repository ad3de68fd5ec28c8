"""Which branches a flow has, and which of them its tests have taken."""

from collections.abc import Iterable, Iterator

from engine.interpreter.settling import route_key
from engine.model.effects import Visit
from engine.model.flow import Flow
from engine.model.nodes import Ask, Asking, Assign, Choice, End, Form, Http, Message, Node, ShowBlock, Switch
from engine.model.values import Json

Branches = set[tuple[str, str]]
"""Pairs of a node's id and an edge, as visits name them: `next`, `case:N`, `else`, `option:VALUE`, `route:VALUE`,
`invalid`, `exhausted`, `timeout`, `error`, `ends`."""


def branches_of(flow: Flow) -> Branches:
    """Every way that the author has written out of every node; the expiry of a wait without a timeout is none."""
    return {(node_id, edge) for node_id, node in flow.nodes.items() for edge in _edges(node)}


def covered(flow: str, visits: Iterable[Visit]) -> Branches:
    """The branches of the flow that the visits took; whatever the failure, a node's branch for it is `error`."""
    return {(visit.node, "error" if visit.edge.startswith("error:") else visit.edge) for visit in visits if visit.flow == flow}


def missed(flow: Flow, visits: Iterable[Visit]) -> list[tuple[str, str]]:
    """The branches of the flow that no visit took, in the order of its nodes."""
    taken = covered(flow.flow, visits)
    return [(node_id, edge) for node_id, node in flow.nodes.items() for edge in _edges(node) if (node_id, edge) not in taken]


def _edges(node: Node) -> Iterator[str]:
    match node:
        case Message() | ShowBlock() | Assign():
            yield "next"
        case Switch():
            yield from (f"case:{number}" for number in range(len(node.cases)))
            yield "else"
        case Ask():
            yield from (f"route:{key}" for key in node.routes)
            yield from [] if _all_routed(node) else ["next"]
            yield from _unanswered(node)
        case Choice():
            yield from (f"option:{route_key(option.value)}" for option in node.options)
            yield from _unanswered(node)
        case Form():
            yield "next"
            yield from _unanswered(node)
        case Http():
            yield "next"
            yield from [] if node.on_error is None else ["error"]
        case End():
            yield "ends"


def _unanswered(node: Asking) -> Iterator[str]:
    """The last of the attempts leads out; each one before it asks again."""
    if node.attempts is not None:
        yield from ["invalid", "exhausted"] if node.attempts > 1 else ["exhausted"]
    if node.timeout is not None:
        yield "timeout"


def _all_routed(node: Ask) -> bool:
    """Whether every answer there can be has a route of its own, so that none goes to `next`."""
    answers = _answers(node)
    return node.required and bool(answers) and {route_key(answer) for answer in answers} <= node.routes.keys()


def _answers(node: Ask) -> list[Json]:
    """The only answers that the question takes; none where they cannot be counted."""
    if node.input in {"boolean", "checkbox"}:
        return [True, False]
    return [option.value for option in node.options or ()] if node.input in {"select", "radio"} else []
