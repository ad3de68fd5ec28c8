"""One small function for each node type: what a passage through it does."""

from functools import partial
from hashlib import sha256
from itertools import accumulate
from typing import assert_never

import msgspec

from engine.interpreter import asking, waiting
from engine.interpreter.inputs import matched_inputs
from engine.interpreter.lists import made_in
from engine.interpreter.outcomes import Done, Enter, Go, LimitPassed, NodeFailed, Outcome, Perform
from engine.interpreter.walk import Walk
from engine.model.effects import Invoke
from engine.model.events import Returned
from engine.model.nodes import Ask, Assign, Call, Choice, End, Form, Http, Jump, Message, Node, ShowBlock, Split, Switch, Wait
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
        case Split():
            return _split(walk, node)
        case Call():
            return _enter(walk, node, comes_back=True)
        case Jump():
            return _enter(walk, node, comes_back=False)
        case Http():
            return _http(walk, node)
        case Wait():
            return waiting.wait(walk, node)
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
    payload: dict[str, Json] = {name: _listed(walk, written) for name, written in node.payload.items()}
    if node.fallback is not None:
        payload["fallback"] = walk.text(node.fallback)
    walk.emit(node.block, payload)
    return Go(node.next)


def _listed(walk: Walk, written: Json) -> Json:
    """A payload's value, with its templates evaluated and its lists made."""
    made = made_in(written)
    if made is not None:
        return walk.over(made, partial(_listed, walk, written["do"]))
    match written:
        case dict():
            walk.count_part(written)
            return {name: _listed(walk, inner) for name, inner in written.items()}
        case list():
            walk.count_part(written)
            return [_listed(walk, inner) for inner in written]
        case _:
            return walk.value(written)


def _switch(walk: Walk, node: Switch) -> Go:
    for number, case in enumerate(node.cases):
        if walk.holds(case.when):
            return Go(case.next, f"case:{number}")
    return Go(node.otherwise, "else")


def _split(walk: Walk, node: Split) -> Go:
    drawn = f"{walk.run.seed}:{walk.frame.node}:{walk.frame.visits[walk.frame.node]}"
    share = int.from_bytes(sha256(drawn.encode()).digest()[:8]) / 2**64
    bounds = list(accumulate(branch.weight for branch in node.branches))
    number = next((number for number, bound in enumerate(bounds) if share * bounds[-1] < bound), len(bounds) - 1)
    return Go(node.branches[number].next, f"branch:{number}")


def _enter(walk: Walk, node: Call | Jump, *, comes_back: bool) -> Enter:
    script = walk.book.newest(node.flow)
    if script is None:
        raise NodeFailed("flow.unknown", f"there is no published flow {node.flow}")
    inputs, _, unfit = matched_inputs(script.flow, walk.value(node.inputs))
    if unfit:
        raise NodeFailed("inputs.invalid", f"{unfit[0].field.removeprefix('/')}: {unfit[0].message}")
    walk.demand_frame(deeper=comes_back)
    return Enter(script, inputs, comes_back)


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
    if len(msgspec.json.encode({**walk.conversation, name: value})) > walk.limits.conversation_bytes:
        raise LimitPassed("limit.conversation", f"the conversation's variables take more than {walk.limits.conversation_bytes} bytes")
    walk.conversation[name] = value
    walk.remembered[name] = value


def _http(walk: Walk, node: Http) -> Perform:
    request: dict[str, Json] = {"method": node.method, "url": walk.value(node.url)}
    repeatable = node.method in {"GET", "HEAD", "PUT", "DELETE"} if node.repeatable is None else node.repeatable
    return Perform(Invoke(walk.calls, walk.frame.node, "http", request, repeatable))
