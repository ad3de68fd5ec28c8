"""One small function for each node type: what a passage through it does."""

from typing import assert_never

import msgspec

from engine.interpreter import asking
from engine.interpreter.outcomes import Done, Go, LimitPassed, NodeFailed, Outcome, Perform
from engine.interpreter.walk import Walk
from engine.model.effects import Invoke
from engine.model.events import Returned
from engine.model.nodes import Ask, Assign, Choice, End, Form, Http, Message, Node, ShowBlock, Switch
from engine.model.values import Json


def visit(walk: Walk, node: Node) -> Outcome:
    """What the node does; raises NodeFailed or ExpressionError where it fails."""
    match node:
        case Message():
            return _message(walk, node)
        case ShowBlock():
            return _block(walk, node)
        case Ask():
            return asking.ask(walk, node)
        case Choice():
            return asking.choice(walk, node)
        case Form():
            return asking.form(walk, node)
        case Switch():
            return _switch(walk, node)
        case Assign():
            return _assign(walk, node)
        case Http():
            return _http(walk, node)
        case End():
            return Done(walk.value(node.result), (node.code or "end.failed") if node.status == "failed" else None)
        case _:
            assert_never(node)


def returned(walk: Walk, node: Http, event: Returned) -> Go:
    """Go on with the result of the call that the node asked for."""
    walk.frame.nodes[walk.frame.node] = event.result or {}
    if node.save is not None:
        walk.frame.variables[node.save] = event.result
    if event.code is not None:
        status = (event.result or {}).get("status")
        raise NodeFailed(event.code, event.message, status if isinstance(status, int) else None)
    return Go(node.next)


def _message(walk: Walk, node: Message) -> Go:
    markdown = node.format == "markdown"
    walk.say(walk.text(node.text, markdown=markdown), node.format)
    return Go(node.next)


def _block(walk: Walk, node: ShowBlock) -> Go:
    payload: dict[str, Json] = walk.value(node.payload)
    if node.fallback is not None:
        payload["fallback"] = walk.text(node.fallback)
    walk.emit(node.block, payload)
    return Go(node.next)


def _switch(walk: Walk, node: Switch) -> Go:
    for number, case in enumerate(node.cases):
        if walk.holds(case.when):
            return Go(case.next, f"case:{number}")
    return Go(node.otherwise, "else")


def _assign(walk: Walk, node: Assign) -> Go:
    for name, written in node.values.items():
        value = walk.value(written)
        scope, _, short = name.rpartition(".")
        if scope == "conversation":
            _remember(walk, short, value)
        else:
            walk.frame.variables[name] = value
    return Go(node.next)


def _remember(walk: Walk, name: str, value: Json) -> None:
    walk.conversation[name] = value
    walk.remembered[name] = value
    if len(msgspec.json.encode(walk.conversation)) > walk.limits.conversation_bytes:
        raise LimitPassed("limit.conversation", f"the conversation's variables take more than {walk.limits.conversation_bytes} bytes")


def _http(walk: Walk, node: Http) -> Perform:
    request: dict[str, Json] = {"method": node.method, "url": walk.value(node.url)}
    repeatable = node.method in {"GET", "HEAD", "PUT", "DELETE"} if node.repeatable is None else node.repeatable
    return Perform(Invoke(walk.calls, walk.frame.node, "http", request, repeatable))
