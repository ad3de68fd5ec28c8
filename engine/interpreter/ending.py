"""How a turn closes: the run as it is stored, and what it asks of the world."""

from typing import Any, Final

import msgspec

from engine.interpreter.state import encode_run
from engine.interpreter.walk import Walk
from engine.model.effects import Await, Effect, Emit, Finish, Step
from engine.model.run import Ended, EndReason, Frame, Invoke, Pause, Run, Status
from engine.model.values import Json

_CUSTOMERS: Final = frozenset({"text", "choice", "upload", "form", "handoff"})
"""Kinds of waits in which the customer has the next move."""


def suspended(walk: Walk, pause: Pause) -> Step:
    """The run waits from now on."""
    walk.effects.append(Await(pause))
    status: Status = "waiting_input" if pause.expectation.kind in _CUSTOMERS else "waiting_time"
    return closing_step(walk, closed_run(walk, status, pause=pause))


def calling(walk: Walk, invoke: Invoke) -> Step:
    """The turn goes on with the result of the call."""
    walk.calls += 1
    walk.effects.append(invoke)
    return closing_step(walk, closed_run(walk, "running", pending=invoke, steps=walk.steps, calls=walk.calls, now=walk.now))


def finished(walk: Walk, status: Ended, reason: EndReason, *, code: str | None = None, result: dict[str, Json] | None = None) -> Step:
    """The run has ended."""
    walk.progress = 100
    walk.effects.append(Finish(status, reason, code))
    return closing_step(walk, closed_run(walk, status, end_reason=reason, end_code=code, result=result))


def closed_run(walk: Walk, status: Status, **changed: Any) -> Run:
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
        taken=walk.taken,
        tried=walk.tried,
        progress=walk.progress,
        **changed,
    )


def closing_step(walk: Walk, run: Run) -> Step:
    """The turn's step, unless the run has outgrown its bound."""
    state = encode_run(run)
    if len(state) > walk.limits.state_bytes:
        return _too_large(walk)
    return Step(run, state, tuple(walk.effects), tuple(walk.trace), walk.remembered)


def _too_large(walk: Walk) -> Step:
    """The state has outgrown its bound: the run fails as it stood before this turn, with the blocks that were said."""
    said = [effect for effect in walk.effects if isinstance(effect, Emit)]
    bare = (Frame(walk.frames[0].script.ref, walk.frames[0].node),) if walk.frames else ()
    kept = msgspec.structs.replace(
        walk.run,
        frames=walk.run.frames or bare,  # in its first turn it stood nowhere
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
