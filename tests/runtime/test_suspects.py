"""Deadlines over which processes have died: the next start takes them on by themselves, then gives up, and at last leaves alone."""

import msgspec
import pytest

from engine.errors import InvalidWaitToken
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller
from engine.runtime.scheduler import Scheduler
from engine.runtime.suspects import Suspects
from tests.runtime.conftest import World

HALF_A_MINUTE = 30_000


class Kept:
    """What outlives processes, here in memory; with all that was ever written, and with no room at all where a test says so."""

    def __init__(self, data: bytes = b"", *, full: bool = False) -> None:
        self.written = [data]
        self._full = full

    def read(self) -> bytes:
        return self.written[-1]

    def write(self, data: bytes) -> None:
        if self._full:
            raise OSError
        self.written.append(data)

    def batches(self) -> list[list[str]]:
        """Which waits were under way together, one time after the other."""
        notes = [msgspec.json.decode(data)["under_way"] for data in self.written[1:]]
        return [note for note in notes if note]


def left(deaths: int, *wait_ids: str | None) -> Kept:
    """What a process leaves that was the last so many to die over these."""
    return Kept(msgspec.json.encode({"deaths": dict.fromkeys(wait_ids, deaths - 1), "under_way": wait_ids}))


def starting(world: World, kept: Kept) -> Scheduler:
    """The scheduler of a process that starts."""
    runtime = world.runtime
    return Scheduler(runtime.store, runtime.executor, runtime.catalog, world.clock, slate=kept)


async def overdue(world: World, count: int) -> tuple[Caller, list[TurnReply]]:
    """Runs whose deadlines have passed, the longest ago first."""
    caller, runs = await world.customer(), list[TurnReply]()
    for _ in range(count):
        runs.append(await world.trigger(caller, "strict"))
        world.clock.advance(1)
    world.clock.advance(HALF_A_MINUTE)
    return caller, runs


async def ends(world: World, caller: Caller, runs: list[TurnReply]) -> list[tuple[str, str | None]]:
    found = [await world.executor.reader.latest(caller, run.execution_id) for run in runs]
    return [(one.status, one.end_code or one.end_reason) for one in found]


async def test_what_somebody_may_have_died_over_acts_by_itself_when_nothing_else_is_due(world: World) -> None:
    caller, runs = await overdue(world, 4)
    first, second, *others = [run.wait_id for run in runs]
    kept = left(1, first, second)
    assert await starting(world, kept).sweep() == 4
    assert kept.batches() == [others, [first], [second]]
    assert await ends(world, caller, runs) == [("aborted", "expired")] * 4
    assert Suspects(kept).deaths(first or "") == 0


async def test_a_run_over_which_three_have_died_is_given_up_and_its_token_is_worth_nothing(world: World) -> None:
    caller, runs = await overdue(world, 2)
    assert await starting(world, left(3, runs[0].wait_id)).sweep() == 2
    assert await ends(world, caller, runs) == [("failed", "run.poison"), ("aborted", "expired")]
    with pytest.raises(InvalidWaitToken) as refused:
        await world.executor.resume(caller, world.answer(runs[0], "5"))
    assert refused.value.reason == "used"


async def test_where_even_that_has_cost_three_more_it_is_left_alone_and_others_are_not(world: World) -> None:
    caller, runs = await overdue(world, 2)
    scheduler = starting(world, left(6, runs[0].wait_id))
    assert await scheduler.sweep() == 1
    assert await scheduler.sweep() == 0
    assert await ends(world, caller, runs) == [("waiting_input", None), ("aborted", "expired")]


async def test_one_that_was_answered_meanwhile_is_suspected_no_longer(world: World) -> None:
    _, runs = await overdue(world, 1)
    kept = left(2, "answered meanwhile", runs[0].wait_id)
    assert await starting(world, kept).sweep() == 1
    assert msgspec.json.decode(kept.read()) == {"deaths": {}, "under_way": []}


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("note", [b"", b"{", b'{"deaths": {}}', b"\x00"])
async def test_a_note_that_cannot_be_read_or_written_keeps_nothing_from_acting(world: World, note: bytes, *, full: bool) -> None:
    caller, runs = await overdue(world, 2)
    assert await starting(world, Kept(note, full=full)).sweep() == 2
    assert await ends(world, caller, runs) == [("aborted", "expired")] * 2


def test_deaths_are_counted_until_one_lives() -> None:
    kept, died = Kept(), []
    for count in range(3):
        suspects = Suspects(kept)
        assert (suspects.deaths("a"), suspects.deaths("b"), len(suspects)) == (count, min(count, 1), min(count, 1) * 2)
        died.append(suspects.under_way(["a"] if count else ["a", "b"]))
        died[-1].__enter__()  # and never leaves
    living = Suspects(kept)
    assert (living.deaths("a"), living.is_deadly("a"), living.is_hopeless("a")) == (3, True, False)
    with living.under_way(["a"]):
        pass
    assert (len(Suspects(kept)), Suspects(kept).deaths("b")) == (1, 1)
