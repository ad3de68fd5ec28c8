"""Every test is played straight through and with its runs stored and loaded between turns; both must give the same."""

import msgspec

from engine.model.effects import Step
from engine.model.inputs import Validation
from engine.model.run import FlowRef, Frame, Run, Trigger
from engine.runtime.store.rows import RunRow
from engine.testing.conversations import Failed, perform_tests, run_tests
from engine.testing.conversations.memories import LivingRuns, SeededRuns
from engine.testing.conversations.running import Modes
from tests.testing.places import FLOWS, read_tests

TEST = read_tests("""
flow: parcel
tests:
  - name: an order
    given: {seed: 7}
    steps:
      - trigger: where
      - bot: any
      - user: A-1
      - bot: any
      - user: again
      - bot: any
      - user: A-1
      - bot: any
      - user: leave
""")


class Forgetful(SeededRuns):
    """Forgets how often each node was visited whenever a run is loaded."""

    def recall(self, row: RunRow) -> Run:
        run = super().recall(row)
        return msgspec.structs.replace(run, frames=(msgspec.structs.replace(run.frame, visits={}),))


class Stricter(SeededRuns):
    """Waits for another answer, and counts no attempts, whenever a run is loaded."""

    def recall(self, row: RunRow) -> Run:
        run = super().recall(row)
        assert run.pause is not None
        (question,) = run.pause.expectation.questions
        other = msgspec.structs.replace(question, validation=Validation(pattern="^never$"))
        expectation = msgspec.structs.replace(run.pause.expectation, questions=(other,), attempts_left=None)
        return msgspec.structs.replace(run, pause=msgspec.structs.replace(run.pause, expectation=expectation))


async def outcome(modes: Modes) -> object:
    return (await perform_tests(TEST, FLOWS, modes=modes))[0].outcome


def test_both_ways_agree_and_the_test_passes() -> None:
    assert run_tests(TEST, FLOWS)[0].passed


async def test_a_way_that_changes_what_is_stored_is_reported_with_the_first_difference() -> None:
    failed = await outcome((LivingRuns, Forgetful))
    assert isinstance(failed, Failed)
    assert failed.message == "the conversation goes another way when its runs are stored and loaded between turns"
    assert [line for line in failed.difference if line[0] in "+-"] == ['-   "number": 1,', '+   "number": 0,']


async def test_a_conversation_that_fails_only_when_it_is_stored_is_reported_too() -> None:
    failed = await outcome((LivingRuns, Stricter))
    assert isinstance(failed, Failed)
    assert failed.message == "the conversation goes another way when its runs are stored and loaded between turns"
    assert any("the answer was refused" in line for line in failed.difference)


async def test_the_same_way_twice_never_disagrees_whatever_it_forgets() -> None:
    failed = await outcome((Forgetful, Forgetful))
    assert not isinstance(failed, Failed)


def test_straight_through_the_very_values_come_back_that_a_step_left() -> None:
    memory = LivingRuns("7")
    run = memory.begin("a", "en", Trigger("parcel"))
    moved = msgspec.structs.replace(run, frames=(Frame(FlowRef("parcel", 1), "hello"),))
    memory.keep(Step(moved, b"state", (), ()))
    assert memory.recall(row(b"state")) is moved


def test_a_run_begins_with_the_seed_of_its_test_else_with_its_id() -> None:
    assert SeededRuns("7").begin("a", "en", Trigger("parcel")).seed == "7"
    assert SeededRuns(None).begin("a", "en", Trigger("parcel")).seed == "a"


async def test_the_seed_of_a_test_reaches_its_runs() -> None:
    seeds: list[str] = []

    class Noting(SeededRuns):
        def recall(self, row: RunRow) -> Run:
            run = super().recall(row)
            seeds.append(run.seed)
            return run

    await perform_tests(TEST, FLOWS, modes=(Noting, Noting))
    assert set(seeds) == {"7"}


def row(state: bytes) -> RunRow:
    return RunRow(
        tenant_id="t",
        id="a",
        conversation_id="c",
        flow="parcel",
        version=1,
        intent="parcel",
        status="waiting_input",
        rev=1,
        epoch=0,
        input_rev=1,
        turn_id="b",
        state=state,
        started_at=0,
    )
