"""The executor's heart: one event taken by one run, up to the next wait, the next call or the end.

`advance` is pure and total: a refused event raises and leaves the run as it was; a flow that fails is a run with the status `failed`.
"""

from typing import Final, assert_never

import msgspec

from engine.errors import EventRefused, ExpressionError
from engine.interpreter import reaching, settling, waiting
from engine.interpreter.book import Book
from engine.interpreter.ending import closed_run, closing_step, finished
from engine.interpreter.following import expire_frame, fail_node, follow, go_on
from engine.interpreter.outcomes import LimitPassed, NodeFailed, Outcome
from engine.interpreter.walk import Walk
from engine.model.effects import Step
from engine.model.events import Answered, Cancelled, Delivered, Event, GivenUp, Reminded, Returned, Signalled, Started, TimedOut
from engine.model.nodes import Asking, Http, Task, Wait
from engine.model.run import FlowRef, Pause, Run
from engine.model.values import Limits

_DEFAULTS: Final = Limits()


def advance(book: Book, run: Run, event: Event, limits: Limits = _DEFAULTS) -> Step:
    """What comes of the event.

    Raises EventRefused where the run cannot take it (it has ended, it waits for something else) and AnswerRefused where the answer
    does not fit the wait and no attempts are counted.
    """
    if run.ended:
        raise EventRefused("the run has ended")
    walk = Walk(book, run, event, limits)
    match event:
        case Started():
            return _started(walk, event)
        case Answered():
            return _settled(walk, event)
        case TimedOut():
            return _timed_out(walk, event)
        case Reminded():
            return _reminded(walk, event)
        case Returned():
            return _returned(walk, event)
        case Signalled():
            return _signalled(walk, event)
        case Delivered():
            return _delivered(walk, event)
        case GivenUp():
            return _given_up(walk, event)
        case Cancelled():
            return _cancelled(walk, event)
        case _:
            assert_never(event)


def _started(walk: Walk, event: Started) -> Step:
    if walk.frames:
        raise EventRefused("the run has begun")
    walk.turns = 1
    script = walk.book(FlowRef(event.flow, event.version))
    walk.push(script, event.inputs)
    return go_on(walk, None)


def _settled(walk: Walk, event: Answered) -> Step:
    pause = _open_pause(walk)
    node = walk.node
    if not isinstance(node, Asking):
        raise EventRefused("the run does not wait for the customer")
    walk.turns += 1
    if event.context:
        walk.bring(event.context)
    try:
        outcome = settling.answered(walk, node, pause, event)
    except ExpressionError as error:
        return go_on(walk, fail_node(walk, NodeFailed(error.code, str(error)), continued=True))
    return go_on(walk, _in_time(walk, outcome))


def _timed_out(walk: Walk, event: TimedOut) -> Step:
    pause = _open_pause(walk)
    if event.at < pause.deadline:
        raise EventRefused("the deadline has not come")
    walk.turns += 1
    node = walk.node
    if isinstance(node, Wait):
        way = waiting.over(walk, node, pause)
    elif isinstance(node, Task):
        way = reaching.late(walk, node)
    elif isinstance(node, Asking):
        way = settling.unanswered(walk, node, pause)
    else:
        raise EventRefused("the run does not stand at a wait")
    return go_on(walk, expire_frame(walk) if way is None else _in_time(walk, way))


def _in_time(walk: Walk, outcome: Outcome) -> Step | None:
    """Follow what the event led to, unless it was one turn too many."""
    if walk.turns > walk.limits.turns:
        return fail_node(walk, LimitPassed("limit.turns", f"the run has taken {walk.limits.turns} turns"), continued=True)
    return follow(walk, outcome, continued=True)


def _reminded(walk: Walk, event: Reminded) -> Step:
    """Say the reminder, and others of the same moment with it; the wait goes on as it was, and so the step opens none."""
    pause = _open_pause(walk)
    if not pause.reminders or event.at < pause.reminders[0].at:
        raise EventRefused("no reminder is due")
    due = [reminder for reminder in pause.reminders if reminder.at == pause.reminders[0].at]
    for reminder in due:
        walk.say(reminder.text)
    walk.left("reminded", continued=True)
    rest = msgspec.structs.replace(pause, reminders=pause.reminders[len(due) :])
    return closing_step(walk, closed_run(walk, walk.run.status, pause=rest))


def _returned(walk: Walk, event: Returned) -> Step:
    pending = walk.run.pending
    if pending is None or pending.step != event.step:
        raise EventRefused("the run does not wait for this result")
    node = walk.node
    if not isinstance(node, Http):
        raise EventRefused("the node makes no calls")
    try:
        way: Step | None = follow(walk, reaching.returned(walk, node, event), continued=True)
    except NodeFailed as failure:
        way = fail_node(walk, failure, continued=True)
    return go_on(walk, way)


def _signalled(walk: Walk, event: Signalled) -> Step:
    pause, node = _open_pause(walk), walk.node
    if not isinstance(node, Wait) or event.listening >= len(pause.listens) or event.id in walk.taken:
        raise EventRefused("the run does not wait for this event")
    walk.turns += 1
    return go_on(walk, _in_time(walk, waiting.heard(walk, node, pause, event)))


def _delivered(walk: Walk, event: Delivered) -> Step:
    node = walk.node
    if walk.run.pause is None or not isinstance(node, Task):
        raise EventRefused("the run does not wait for a task")
    walk.turns += 1
    try:
        way = _in_time(walk, reaching.delivered(walk, node, event))
    except NodeFailed as failure:
        way = fail_node(walk, failure, continued=True)
    return go_on(walk, way)


def _given_up(walk: Walk, event: GivenUp) -> Step:
    if walk.frames:
        walk.left(f"error:{event.code}", continued=True)
    return finished(walk, "failed", "failed", code=event.code)


def _cancelled(walk: Walk, event: Cancelled) -> Step:
    walk.turns += 1
    if walk.frames:
        walk.left("cancelled", continued=True)
    return finished(walk, "aborted", event.reason)


def _open_pause(walk: Walk) -> Pause:
    if walk.run.pause is None:
        raise EventRefused("the run does not wait")
    return walk.run.pause
