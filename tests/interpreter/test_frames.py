"""What holds of runs that go through several flows: bounds on frames, what is stored of them, and what a timer refuses."""

import pytest

from engine.errors import EventRefused
from engine.interpreter import CompiledFlow, advance, compile_flow, decode_run, encode_run
from engine.loading import Source, load_flows
from engine.model.effects import Step
from engine.model.events import Answered, Event, Reminded, Started, TimedOut
from engine.model.run import FlowRef, Run, Trigger
from engine.model.values import Limits
from engine.testing.shelf import Shelf

NOON = 1_767_603_600_000
MINUTE = 60_000
TURNING = """
flow: turning
nodes:
  way: {type: choice, prompt: "Deeper or on?", options: [{value: deeper, next: deeper}, {value: onward, next: onward}]}
  deeper: {type: call, flow: turning, on_failed: caught, next: end}
  onward: {type: jump, flow: turning}
  caught: {type: message, text: Caught., next: end}
"""
UNKNOWN = """
flow: unknown
nodes:
  lost: {type: call, flow: gone, on_failed: told, next: end}
  told: {type: message, text: "{{ vars.error.code }}", next: gone}
  gone: {type: jump, flow: gone}
"""
PAUSED = """
flow: paused
nodes:
  rest: {type: wait, for: 10m, remind: [{after: 5m, text: Halfway.}], next: end}
"""


def shelf(*texts: str) -> Shelf:
    gone = "flow: gone\nnodes: {done: {type: message, text: Here., next: end}}"
    loaded = load_flows([Source(f"{number}.yaml", text) for number, text in enumerate((*texts, gone))])
    flows = [one.flow for one in loaded]
    assert None not in flows, [str(problem) for one in loaded for problem in one.diagnostics]
    scripts = [compile_flow(FlowRef(flow.flow, 1), flow) for flow in flows if flow is not None]
    return Shelf(*(script for script in scripts if script.ref.flow != "gone"))


class TwoVersions(Shelf):
    """A flow that was published again: what is on the old shelf may still be asked for."""

    def __init__(self, old: Shelf, new: CompiledFlow) -> None:
        super().__init__(new)
        self._old = old

    def __call__(self, ref: FlowRef) -> CompiledFlow:
        return self._old(ref) if ref.version == 1 else super().__call__(ref)


def begin(book: Shelf, flow: str, limits: Limits = Limits()) -> Step:  # noqa: B008 - frozen
    run = Run(id="run", locale="en", seed="seed", trigger=Trigger(flow))
    return advance(book, run, Started(at=NOON, flow=flow, version=1), limits)


def go(book: Shelf, run: Run, event: Event, limits: Limits = Limits()) -> Step:  # noqa: B008 - frozen
    return advance(book, decode_run(encode_run(run)), event, limits)


def test_calls_go_so_deep_and_no_deeper_and_no_branch_catches_that() -> None:
    book = shelf(TURNING)
    run = begin(book, "turning").run
    for _ in range(49):
        run = go(book, run, Answered(at=NOON, text="deeper")).run
    assert (len(run.frames), run.status) == (50, "waiting_input")
    over = go(book, run, Answered(at=NOON, text="deeper")).run
    assert (over.status, over.end_code) == ("failed", "limit.depth")


def test_jumps_do_not_go_deeper_but_a_run_has_only_so_many_frames() -> None:
    book = shelf(TURNING)
    limits = Limits(depth=1, frames=20)
    run = begin(book, "turning", limits).run
    for _ in range(19):
        run = go(book, run, Answered(at=NOON, text="onward"), limits=limits).run
    assert (len(run.frames), run.frames_opened, run.status) == (1, 20, "waiting_input")
    over = go(book, run, Answered(at=NOON, text="onward"), limits=limits).run
    assert over.end_code == "limit.frames"


def test_a_flow_that_is_not_published_fails_the_call_which_may_catch_it_and_the_jump() -> None:
    step = begin(shelf(UNKNOWN), "unknown")
    assert [effect.block.payload["text"] for effect in step.effects if hasattr(effect, "block")] == ["flow.unknown"]
    assert (step.run.status, step.run.end_code) == ("failed", "flow.unknown")


def test_a_run_stays_in_the_version_that_it_entered() -> None:
    first = shelf(TURNING)
    run = go(first, begin(first, "turning").run, Answered(at=NOON, text="deeper")).run
    newer = compile_flow(FlowRef("turning", 2), first(FlowRef("turning", 1)).flow)
    deeper = go(TwoVersions(first, newer), run, Answered(at=NOON, text="deeper")).run
    assert [frame.ref.version for frame in deeper.frames] == [1, 1, 2]


def test_a_timer_refuses_answers_and_events_before_their_time() -> None:
    book = shelf(PAUSED)
    run = begin(book, "paused").run
    assert run.status == "waiting_time"
    for event in (Answered(at=NOON, text="now"), Reminded(at=NOON + 5 * MINUTE - 1), TimedOut(at=NOON + 10 * MINUTE - 1)):
        with pytest.raises(EventRefused):
            advance(book, run, event)


def test_a_reminder_opens_no_wait_and_moves_no_deadline() -> None:
    book = shelf(PAUSED)
    run = begin(book, "paused").run
    assert run.pause is not None
    assert (run.pause.due, run.pause.deadline) == (NOON + 5 * MINUTE, NOON + 10 * MINUTE)
    said = go(book, run, Reminded(at=NOON + 5 * MINUTE))
    assert said.run.pause is not None
    assert (said.run.pause.due, said.run.pause.deadline, len(said.effects)) == (NOON + 10 * MINUTE, NOON + 10 * MINUTE, 1)
    with pytest.raises(EventRefused):
        advance(book, said.run, Reminded(at=NOON + 6 * MINUTE))
    assert go(book, said.run, TimedOut(at=NOON + 10 * MINUTE)).run.status == "completed"
