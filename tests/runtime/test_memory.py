"""Runs between two turns: what is remembered of the latest is what their rows would give."""

from collections.abc import Sequence

import pytest

from engine.interpreter import decode_run, encode_run
from engine.model.effects import Step
from engine.model.run import FlowRef, Frame, Run, Trigger
from engine.runtime.store.rows import RunRow
from engine.runtime.turns.memory import RecentRuns


def stepped(name: str, **variables: str) -> Step:
    frame = Frame(FlowRef("flow", 1), "node", dict(variables))
    run = Run(id=name, locale="en", seed=name, trigger=Trigger("flow"), frames=(frame,))
    return Step(run, encode_run(run), (), (), {})


def row_of(step: Step) -> RunRow:
    """As it would be loaded: its bytes are equal, and not the same."""
    return RunRow("t", step.run.id, "c", "flow", 1, "flow", "waiting_input", 1, 0, 1, "turn", bytes(bytearray(step.state)), 0)


def remembered(memory: RecentRuns, steps: Sequence[Step]) -> list[bool]:
    return [memory.recall(row_of(step)) is step.run for step in steps]


def test_a_run_comes_back_as_the_value_that_it_was() -> None:
    memory, step = RecentRuns(), stepped("a", word="left")
    memory.keep(step)
    assert remembered(memory, [step]) == [True]


def test_a_run_in_another_state_is_decoded() -> None:
    memory, step, later = RecentRuns(), stepped("a", word="left"), stepped("a", word="right")
    memory.keep(step)
    found = memory.recall(row_of(later))
    assert found == later.run == decode_run(later.state)
    assert found is not later.run


def test_a_run_that_goes_on_takes_no_more_than_its_place() -> None:
    memory, other = RecentRuns(), stepped("b", word="left")
    memory.keep(other)
    for number in range(2_000):
        memory.keep(stepped("a", word=str(number)))
    assert remembered(memory, [other]) == [True]


@pytest.mark.parametrize(("size", "kept"), [(100, True), (9_000, False)])
def test_what_is_large_is_decoded_each_time(size: int, *, kept: bool) -> None:
    memory, step = RecentRuns(), stepped("a", word="x" * size)
    memory.keep(step)
    assert remembered(memory, [step]) == [kept]
    assert memory.recall(row_of(step)) == step.run


def test_the_latest_are_remembered_and_no_more_than_the_bound() -> None:
    memory, steps = RecentRuns(), [stepped(f"run {number}") for number in range(1_030)]
    for step in steps:
        memory.keep(step)
    assert remembered(memory, steps) == [number >= 6 for number in range(1_030)]
    assert memory.recall(row_of(steps[0])) == steps[0].run
