"""The executor's heart: one event taken by one run, up to the next wait, the next call or the end.

`advance` is pure and total: a refused event raises and leaves the run as it was; a flow that fails is a run with the status `failed`.
"""

from typing import Any, assert_never

import msgspec

from engine.errors import EventRefused, ExpressionError
from engine.interpreter import settling
from engine.interpreter.book import Book
from engine.interpreter.outcomes import Done, Go, LimitPassed, NodeFailed, Outcome, Perform, Suspend
from engine.interpreter.state import encode_run
from engine.interpreter.visiting import returned, visit
from engine.interpreter.walk import Walk
from engine.model.effects import Await, Effect, Emit, Finish, Invoke, Step
from engine.model.events import Answered, Cancelled, Event, Returned, Started, TimedOut
from engine.model.nodes import Ask, Choice, Form, Http
from engine.model.run import Ended, EndReason, FlowRef, Pause, Pending, Run, Status
from engine.model.values import END, Json, Limits

_DEFAULTS = Limits()


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
        case Returned():
            return _returned(walk, event)
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
    return _onward(walk, None)


def _settled(walk: Walk, event: Answered) -> Step:
    pause = _open_pause(walk)
    node = walk.frame.script.flow.nodes[walk.frame.node]
    if not isinstance(node, Ask | Choice | Form):
        raise EventRefused("the run does not wait for the customer")
    walk.turns += 1
    if event.context:
        walk.bring(event.context)
    try:
        outcome = settling.answered(walk, node, pause, event)
    except ExpressionError as error:
        return _onward(walk, _failed(walk, NodeFailed(error.code, str(error)), continued=True))
    if isinstance(outcome, Suspend):
        walk.left("invalid", continued=True)
        return _suspended(walk, outcome.pause)
    return _onward(walk, _taken(walk, outcome, continued=True))


def _timed_out(walk: Walk, event: TimedOut) -> Step:
    pause = _open_pause(walk)
    if event.at < pause.deadline:
        raise EventRefused("the deadline has not come")
    node = walk.frame.script.flow.nodes[walk.frame.node]
    if not isinstance(node, Ask | Choice | Form):
        raise EventRefused("the run does not wait for the customer")
    walk.turns += 1
    way = settling.unanswered(walk, node, pause)
    if way is None:
        walk.left("expired", continued=True)
        return _finished(walk, "aborted", "expired")
    return _onward(walk, _taken(walk, way, continued=True))


def _returned(walk: Walk, event: Returned) -> Step:
    pending = walk.run.pending
    if pending is None or pending.step != event.step:
        raise EventRefused("the run does not wait for this result")
    node = walk.frame.script.flow.nodes[walk.frame.node]
    if not isinstance(node, Http):
        raise EventRefused("the node makes no calls")
    try:
        way: Step | None = _taken(walk, returned(walk, node, event), continued=True)
    except NodeFailed as failure:
        way = _failed(walk, failure, continued=True)
    return _onward(walk, way)


def _cancelled(walk: Walk, event: Cancelled) -> Step:
    walk.turns += 1
    if walk.frames:
        walk.left("cancelled", continued=True)
    return _finished(walk, "aborted", event.reason)


def _open_pause(walk: Walk) -> Pause:
    if walk.run.pause is None:
        raise EventRefused("the run does not wait")
    return walk.run.pause


def _onward(walk: Walk, ended: Step | None) -> Step:
    """Visit node after node until the run waits, calls or ends."""
    while ended is None:
        ended = _one_visit(walk)
    return ended


def _one_visit(walk: Walk) -> Step | None:
    frame = walk.frame
    node = frame.script.flow.nodes[frame.node]
    try:
        _count_visit(walk)
        if node.progress is not None:
            walk.progress = node.progress
        return _taken(walk, visit(walk, node))
    except ExpressionError as error:
        return _failed(walk, NodeFailed(error.code, str(error)))
    except NodeFailed as failure:
        return _failed(walk, failure)


def _count_visit(walk: Walk) -> None:
    walk.frame.visits[walk.frame.node] = walk.frame.visits.get(walk.frame.node, 0) + 1
    walk.steps += 1
    if walk.turns > walk.limits.turns:
        raise LimitPassed("limit.turns", f"the run has taken {walk.limits.turns} turns")
    if walk.steps > walk.limits.steps:
        raise LimitPassed("limit.steps", f"more than {walk.limits.steps} nodes were visited in one turn")


def _taken(walk: Walk, outcome: Outcome, *, continued: bool = False) -> Step | None:
    """Follow the outcome of a visit; None when the next node is to be visited."""
    match outcome:
        case Go(target=target, edge=edge):
            walk.left(edge, target, continued=continued)
            if target == END:
                return _frame_done(walk, Done({}))
            walk.frame.node = target
            return None
        case Suspend(pause=pause):
            walk.left("waits")
            return _suspended(walk, pause)
        case Perform(invoke=invoke):
            walk.left("calls")
            return _calling(walk, invoke)
        case Done():
            walk.left("ends")
            return _frame_done(walk, outcome)


def _frame_done(walk: Walk, done: Done) -> Step | None:
    """The flow has come to its end: its result is its outputs with the end node's result laid over them."""
    if done.failed is not None:
        return _finished(walk, "failed", "failed", code=done.failed)
    try:
        result: dict[str, Json] = {**walk.value(walk.frame.script.flow.outputs), **done.result}
    except ExpressionError as error:
        return _finished(walk, "failed", "failed", code=error.code)
    return _finished(walk, "completed", "completed", result=result)


def _failed(walk: Walk, failure: NodeFailed, *, continued: bool = False) -> Step | None:
    """Take the node's branch for failures, if it has one and the failure is no passed bound of the run."""
    frame = walk.frame
    node = frame.script.flow.nodes[frame.node]
    frame.variables["error"] = {"code": failure.code, "message": str(failure), "node": frame.node, "status": failure.status}
    branch = getattr(node, "on_error", None)
    if isinstance(branch, str) and not isinstance(failure, LimitPassed):
        return _taken(walk, Go(branch, f"error:{failure.code}"), continued=continued)
    walk.left(f"error:{failure.code}", continued=continued)
    return _finished(walk, "failed", "failed", code=failure.code)


def _suspended(walk: Walk, pause: Pause) -> Step:
    walk.effects.append(Await(pause))
    return _step(walk, _closed(walk, "waiting_input", pause=pause))


def _calling(walk: Walk, invoke: Invoke) -> Step:
    walk.calls += 1
    walk.effects.append(invoke)
    pending = Pending(invoke.node, invoke.step)
    return _step(walk, _closed(walk, "running", pending=pending, steps=walk.steps, calls=walk.calls))


def _finished(walk: Walk, status: Ended, reason: EndReason, *, code: str | None = None, result: dict[str, Json] | None = None) -> Step:
    walk.progress = 100
    walk.effects.append(Finish(status, reason, code))
    return _step(walk, _closed(walk, status, end_reason=reason, end_code=code, result=result))


def _closed(walk: Walk, status: Status, **changed: Any) -> Run:
    """The run as it leaves this turn; what `changed` does not name is as in a run between two turns."""
    run = walk.run
    return Run(
        id=run.id,
        locale=run.locale,
        seed=run.seed,
        trigger=run.trigger,
        frames=tuple(frame.closed() for frame in walk.frames),
        status=status,
        turns=walk.turns,
        frames_opened=walk.frames_opened,
        progress=walk.progress,
        **changed,
    )


def _step(walk: Walk, run: Run) -> Step:
    state = encode_run(run)
    if len(state) > walk.limits.state_bytes:
        return _too_large(walk)
    return Step(run, state, tuple(walk.effects), tuple(walk.trace), walk.remembered)


def _too_large(walk: Walk) -> Step:
    """The state has outgrown its bound: the run fails as it stood before this turn, with the blocks that were said."""
    said = [effect for effect in walk.effects if isinstance(effect, Emit)]
    kept = msgspec.structs.replace(
        walk.run,
        status="failed",
        pause=None,
        pending=None,
        turns=walk.turns,
        steps=0,
        calls=0,
        progress=100,
        end_reason="failed",
        end_code="limit.state",
    )
    effects: list[Effect] = [*said, Finish("failed", "failed", "limit.state")]
    return Step(kept, encode_run(kept), tuple(effects), tuple(walk.trace), walk.remembered)
