"""How a wait begins: until when it lasts, what its end means, and what is said meanwhile; all of it frozen when it begins."""

from datetime import date
from typing import Final, NamedTuple

from engine.expressions.moments import localized, moment
from engine.interpreter.outcomes import Go, NodeFailed, Outcome, Suspend
from engine.interpreter.walk import Walk
from engine.model.events import Signalled
from engine.model.inputs import Expectation
from engine.model.nodes import Cause, Wait, Waiting
from engine.model.run import Block, Deadline, Due, Listening, Pause
from engine.model.values import Json, Millis, Template, span

_LONGEST: Final = 365 * 86_400_000
"""Milliseconds that a duration given at run time may have; loading has checked those that are written out."""

_LAST: Final = 253_370_764_800_000
"""The beginning of the year 9999: a wait that began before it has a deadline that can be written in any zone."""


class Timer(NamedTuple):
    """A moment that is waited for, and the name of its cause."""

    at: Millis
    name: str | None = None


def pause(
    walk: Walk,
    node: Waiting,
    expectation: Expectation,
    shown: tuple[Block, ...] = (),
    timer: Timer | None = None,
    listens: tuple[Listening, ...] = (),
) -> Pause:
    """The wait as it begins now; a timer is not cut by the flow's bound, but by the node's own timeout."""
    deadline, then = _deadline(walk, node, timer)
    due = [Due(walk.at + _length(walk, reminder.after), walk.text(reminder.text)) for reminder in node.remind]
    return Pause(
        expectation=expectation,
        deadline=deadline,
        shown=shown,
        then=then,
        cause=timer.name if timer is not None and then == "timer" else None,
        listens=listens,
        reminders=tuple(sorted((one for one in due if one.at < deadline), key=lambda one: one.at)),
    )


def wait(walk: Walk, node: Wait) -> Outcome:
    """Wait for the nearest of the node's moments and for its events; a moment that has come lets the run go on at once."""
    timers = [_timer(walk, cause) for cause in causes(node) if cause.event is None]
    timer = min(timers, key=lambda timer: timer.at, default=None)
    if timer is not None and timer.at <= walk.at:
        return _came(walk, node, "timer", timer.name)
    listens = tuple(_listening(walk, cause) for cause in causes(node) if cause.event is not None)
    expectation = Expectation(kind="event" if listens or node.causes else "timer", node=walk.frame.node)
    return Suspend(pause(walk, node, expectation, timer=timer, listens=listens))


def heard(walk: Walk, node: Wait, ended: Pause, event: Signalled) -> Go:
    """An event has come that the wait listens for."""
    walk.taken = (*walk.taken, event.id)
    return _came(walk, node, "event", ended.listens[event.listening].cause, event.data)


def over(walk: Walk, node: Wait, ended: Pause) -> Go | None:
    """The wait's deadline has passed: what was waited for has come, or the node's timeout; None where the frame expires."""
    if ended.then == "timer":
        return _came(walk, node, "timer", ended.cause)
    _keep(walk, node, None)
    return Go(node.timeout.next, "timeout") if node.timeout is not None else None


def causes(node: Wait) -> list[Cause]:
    """What ends the wait: those of `any`, else the one that the node itself names."""
    return node.causes or [Cause(length=node.length, until=node.until, event=node.event, match=node.match)]


def _listening(walk: Walk, cause: Cause) -> Listening:
    match = {path: walk.value(value) for path, value in cause.match.items()}
    return Listening(cause.event or "", match, walk.callback(walk.frame.node), cause.name)


def _deadline(walk: Walk, node: Waiting, timer: Timer | None) -> tuple[Millis, Deadline]:
    timeout = None if node.timeout is None else walk.at + _length(walk, node.timeout.after)
    if timer is not None and (timeout is None or timer.at <= timeout):
        return timer.at, "timer"
    if timeout is not None:
        return timeout, "timeout"
    return walk.at + (span(walk.frame.script.flow.expires_after) or 0), "expiry"


def _timer(walk: Walk, cause: Cause) -> Timer:
    if cause.length is not None:
        return Timer(walk.at + _length(walk, cause.length, least=0), cause.name)
    return Timer(_moment(walk, walk.value(cause.until)), cause.name)


def _length(walk: Walk, written: Template, *, least: Millis = 1) -> Millis:
    found = walk.value(written)
    length = span(found) if isinstance(found, str) else None
    if length is None or not least <= length <= _LONGEST:
        raise NodeFailed("duration.bad", f"this is no duration of at most 365d: {found!r:.80}")
    return length


def _moment(walk: Walk, found: Json) -> Millis:
    """The moment as milliseconds; a date is its first one in the flow's zone."""
    value = moment(found) if isinstance(found, str) else None
    if not isinstance(value, date):
        raise NodeFailed("datetime.bad", f"`until` needs a date-time such as 2026-01-31T14:30: {found!r:.80}")
    at = round(localized(value, walk.frame.script.flow.timezone).timestamp() * 1000)
    if at > _LAST:
        raise NodeFailed("datetime.bad", f"`until` lies too far away: {found!r:.80}")
    return at


def _came(walk: Walk, node: Wait, by: str, name: str | None, data: Json = None) -> Go:
    _keep(walk, node, {"by": by, "name": name, "data": data})
    return Go(node.routes[name], f"route:{name}") if name in node.routes else Go(node.next)


def _keep(walk: Walk, node: Wait, came: dict[str, Json] | None) -> None:
    walk.frame.nodes[walk.frame.node] = came or {}
    if node.save is not None:
        walk.frame.variables[node.save] = came
