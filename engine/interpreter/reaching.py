"""The nodes that reach outside the run: what they ask of the world, and how they take what comes back."""

from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import UNSET

from engine.errors import ExpressionError
from engine.interpreter import waiting
from engine.interpreter.outcomes import Go, NodeFailed, Perform, Suspend
from engine.interpreter.payloads import payload
from engine.interpreter.placeholders import PLACEHOLDER, placeholder
from engine.interpreter.walk import Walk
from engine.model.effects import Enqueue, Notify, Reached
from engine.model.events import Delivered, Returned
from engine.model.inputs import Expectation
from engine.model.nodes import EmitEvent, Http, Task
from engine.model.run import HttpRequest, Invoke
from engine.model.values import Json, span

_REPEATABLE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_FAILING: Final = 400


def http(walk: Walk, node: Http) -> Perform:
    """Ask for the request with everything in it evaluated."""
    key = None if node.idempotency_key is None else walk.printed(walk.value(node.idempotency_key))
    request = HttpRequest(
        method=node.method,
        url=walk.encoded(node.url, component),
        query={name: found for name, value in node.query.items() if (found := _listed(walk, walk.value(value)))},
        headers={name: walk.printed(walk.value(value)) for name, value in node.headers.items()},
        json=UNSET if node.json is None else walk.value(node.json),
        body=None if node.body is None else walk.printed(walk.value(node.body)),
        connection=node.connection,
        idempotency_key=key or None,
        timeout=span(node.timeout) or 0,
        retries=node.retries,
    )
    walk.reached.append(Reached("asked", node.method))
    return Perform(Invoke(walk.calls, walk.frame.node, request, is_repeatable(node, key)))


def is_repeatable(node: Http, key: str | None) -> bool:
    """Whether the request may be made again when nobody knows what became of it; a key that comes out empty is none."""
    if node.repeatable is not None:
        return node.repeatable
    return node.method in _REPEATABLE or bool(key)


def returned(walk: Walk, node: Http, event: Returned) -> Go:
    """Keep what came back, whatever it was, and go on; raises NodeFailed where the call has failed."""
    _keep_answer(walk, node, event.result)
    status = (event.result or {}).get("status")
    status = status if isinstance(status, int) else None
    if status is not None:
        walk.reached.append(Reached("answered", str(status), _retries(event)))
    if event.code is not None:
        raise NodeFailed(event.code, event.message, status)
    if status is not None and status >= _FAILING:
        raise NodeFailed("http.status", f"the answer has the status {status}", status)
    return Go(node.next)


def _keep_answer(walk: Walk, node: Http, result: dict[str, Json] | None) -> None:
    """What came back, where the flow looks for it; raises NodeFailed where the run's state could not hold it."""
    copies = 1 if node.save is None else 2
    if copies * len(msgspec.msgpack.encode(result)) > walk.limits.state_bytes:
        raise NodeFailed("http.response_size", "the answer is larger than what a run can keep of it")
    walk.frame.nodes[walk.frame.node] = result or {}
    if node.save is not None:
        walk.frame.variables[node.save] = result


def _retries(event: Returned) -> int:
    retries = (event.result or {}).get("retries")
    return retries if isinstance(retries, int) else 0


def task(walk: Walk, node: Task) -> Suspend:
    """Put the task into its queue, and wait."""
    walk.effects.append(Enqueue(node.queue, payload(walk, node.payload)))
    walk.reached.append(Reached("queued", node.queue))
    return Suspend(waiting.pause(walk, node, Expectation(kind="task", node=walk.frame.node)))


def delivered(walk: Walk, node: Task, event: Delivered) -> Go:
    """Keep what the worker gave; raises NodeFailed where it could not do its work."""
    result = None if event.code is not None else event.result
    _keep(walk, node, result)
    if event.code is not None:
        raise NodeFailed(event.code, event.message)
    return Go(node.next)


def late(walk: Walk, node: Task) -> Go | None:
    """Nobody has done the task in time; None where the frame expires."""
    _keep(walk, node, None)
    return Go(node.timeout.next, "timeout") if node.timeout is not None else None


def _keep(walk: Walk, node: Task, result: Json) -> None:
    walk.frame.nodes[walk.frame.node] = result if isinstance(result, dict) else {}
    if node.save is not None:
        walk.frame.variables[node.save] = result


def emit(walk: Walk, node: EmitEvent) -> Go:
    """Tell the tenant's webhooks."""
    walk.effects.append(Notify(node.event, walk.value(node.data), walk.frame.node, walk.frame.script.ref.flow))
    walk.reached.append(Reached("emitted", node.event))
    return Go(node.next)


def component(text: str) -> str:
    """The text as one component of a path, which leads nowhere else; what stands for a callback's URL is encoded where that leaves."""
    if text in {".", ".."}:
        raise ExpressionError("expression.value", "A component of a path cannot be made of dots alone.")
    pieces = PLACEHOLDER.split(text)  # every other one is the key of a callback
    return "".join(placeholder(piece) if place % 2 else quote(piece, safe="") for place, piece in enumerate(pieces))


def _listed(walk: Walk, value: Json) -> list[str]:
    """A query parameter's values; none for null."""
    values = value if isinstance(value, list) else [value]
    return [walk.printed(one) for one in values if one is not None]
