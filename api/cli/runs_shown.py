"""Runs as `baton runs` shows them: as values for programs, as lines for people."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from api.cli.console import moment, moment_or_none
from engine.errors import StoreError
from engine.interpreter import decode_run
from engine.model.effects import Reached, Visit, Warned
from engine.model.run import Run
from engine.model.values import Json
from engine.runtime.store.port import RunView
from engine.runtime.store.rows import TurnRow
from engine.runtime.traces import decode_trace


class Place(Struct, frozen=True):
    """Where a run stands."""

    flow: str
    version: int
    node: str

    def __str__(self) -> str:
        return f"{self.flow} version {self.version} at {self.node}"


class Listed(Struct, frozen=True, kw_only=True):
    """A run as a list shows it; `flow` and `version` are those that it was started with."""

    id: str
    intent: str
    flow: str
    version: int
    status: str
    place: Place | None
    """None once it has ended."""
    conversation_id: str
    customer_id: str | None
    started_at: str
    ended_at: str | None
    end_reason: str | None
    end_code: str | None

    def standing(self) -> str:
        """Where it stands, or how it ended."""
        if self.place is not None:
            return str(self.place)
        return ": ".join(part for part in (self.end_reason, self.end_code) if part)


class Opened(Struct, frozen=True, kw_only=True):
    """One flow within a run, with what it remembers."""

    flow: str
    version: int
    node: str
    inputs: dict[str, Json]
    variables: dict[str, Json]


class Announced(Struct, frozen=True):
    """A reminder that is still to come."""

    at: str
    text: str


class Awaited(Struct, frozen=True, kw_only=True):
    """What a run waits for, and what the deadline will do."""

    kind: str
    node: str
    deadline: str
    then: str
    attempts_left: int | None
    reminders: list[Announced]


class Shown(Listed, frozen=True, kw_only=True):
    """All that can be said of a run; the first of its frames is the flow that was started, the last one moves."""

    locale: str
    turns: int
    progress: int
    wait: Awaited | None
    frames: list[Opened]
    result: dict[str, Json] | None


def listed(view: RunView) -> Listed:
    """The run for a list; one whose state cannot be read is shown without its place."""
    try:
        return Listed(**_common(view, decode_run(view.run.state)))
    except (StoreError, msgspec.DecodeError):
        return Listed(**_common(view, None))


def shown(view: RunView) -> Shown:
    """The run as it stands."""
    run = decode_run(view.run.state)
    return Shown(
        **_common(view, run),
        locale=run.locale,
        turns=run.turns,
        progress=run.progress,
        wait=_awaited(run),
        frames=[
            Opened(flow=frame.ref.flow, version=frame.ref.version, node=frame.node, inputs=frame.inputs, variables=frame.variables)
            for frame in run.frames
        ],
        result=run.result,
    )


def _common(view: RunView, run: Run | None) -> dict[str, Any]:
    row = view.run
    frame = None if run is None or run.ended else run.frame
    return {
        "id": row.id,
        "intent": row.intent,
        "flow": row.flow,
        "version": row.version,
        "status": row.status,
        "place": None if frame is None else Place(frame.ref.flow, frame.ref.version, frame.node),
        "conversation_id": row.conversation_id,
        "customer_id": view.customer_id,
        "started_at": moment(row.started_at),
        "ended_at": moment_or_none(row.ended_at),
        "end_reason": row.end_reason,
        "end_code": None if run is None else run.end_code,
    }


def _awaited(run: Run) -> Awaited | None:
    pause = run.pause
    if pause is None:
        return None
    return Awaited(
        kind=pause.expectation.kind,
        node=pause.expectation.node,
        deadline=moment(pause.deadline),
        then=pause.then,
        attempts_left=pause.expectation.attempts_left,
        reminders=[Announced(moment(due.at), due.text) for due in pause.reminders],
    )


def shown_lines(run: Shown) -> Iterator[str]:
    """The run for people to read."""
    began = f"{run.flow} version {run.version}, {run.started_at}"
    facts = {
        "run": run.id,
        "intent": run.intent,
        "status": run.status,
        "started": began,
        "stands in": None if run.place is None else str(run.place),
        "ended": None if run.ended_at is None else f"{run.standing()}, {run.ended_at}",
        "result": None if not run.result else _json(run.result),
        "conversation": run.conversation_id,
        "customer": run.customer_id,
        "turns": str(run.turns),
        "progress": f"{run.progress}%",
        "locale": run.locale,
    }
    yield from (f"{name:<14}{value}" for name, value in facts.items() if value is not None)
    if run.wait is not None:
        yield from _wait_lines(run.wait)
    for frame in run.frames:
        yield f"{'frame':<14}{Place(frame.flow, frame.version, frame.node)}"
        yield from (f"  input {name} = {_json(value)}" for name, value in frame.inputs.items())
        yield from (f"  variable {name} = {_json(value)}" for name, value in frame.variables.items())


def _wait_lines(wait: Awaited) -> Iterator[str]:
    left = "" if wait.attempts_left is None else f", attempts left: {wait.attempts_left}"
    yield f"{'waits for':<14}{wait.kind} at {wait.node}, until {wait.deadline} ({wait.then}){left}"
    yield from (f"  reminder at {one.at}: {_json(one.text)}" for one in wait.reminders)


def trace_lines(turns: Sequence[TurnRow]) -> Iterator[str]:
    """A headline for each turn, below it each visit with the edge it was left by, what it did outside, and what was to be warned of."""
    for turn in turns:
        trace = decode_trace(turn.trace)
        yield f"turn {turn.rev}  {trace.event}  {moment(trace.at)}"
        yield from (f"  {_warning(note)}" for note in trace.notes)
        for visit in trace.visits:
            yield f"  {_passage(visit)}"
            yield from (f"    {_effect(reached)}" for reached in visit.effects)
            yield from (f"    {_warning(warned)}" for warned in visit.warnings)


def _passage(visit: Visit) -> str:
    target = "" if visit.target is None else f" -> {visit.target}"
    again = f", visit {visit.number}" if visit.number > 1 else ""
    return f"{visit.flow}/{visit.node} ({visit.type}{again}{', continued' if visit.continued else ''}): {visit.edge}{target}"


def _effect(reached: Reached) -> str:
    return f"{reached.kind} {reached.what}" + (f", retries: {reached.retries}" if reached.retries else "")


def _warning(warned: Warned) -> str:
    return f"warning {warned.code}: {warned.message}"


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
