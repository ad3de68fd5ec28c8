"""What a call has come to while the disk is full: it is kept in memory and saved once there is room, so that nobody is asked twice."""

import resource
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from engine.runtime.faults import CallFault, FaultPoints
from engine.runtime.performing import Outside
from tests.runtime.conftest import Script, World, until
from tests.runtime.test_leases import ASKED, LEASE, answer, other_worker, paying, texts

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


class Full:
    """A disk that is full from a place in a call on, until it is freed."""

    def __init__(self, world: World, script: Script) -> None:
        self._world = world
        self._script = script
        self._unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def met(self, place: CallFault, *, repeatable: bool) -> None:
        """Let a run make its call, and try again and again to save what came of it."""
        worker = self._world.executor.worker
        worker._outside = Outside({"http": self._script}, FaultPoints({place: 1}, self._fill))  # noqa: SLF001 - where the disk fills
        self._script.act = answer
        await self._world.publish(paying(repeatable=repeatable))
        self._caller = await self._world.customer()
        with capture_logs() as logs:
            self._run_id = (await self._world.executor.trigger(self._caller, ASKED, patience=0)).reply.execution_id
            for tries in (1, 2):
                await until(lambda tries=tries: len(logs) == tries)  # type: ignore[misc]
                assert [entry["event"] for entry in logs] == ["turn_unsaved"] * tries
                worker.wake()
            await until(lambda: len(logs) == 3)

    def free(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._unlimited)

    def _fill(self, _: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, self._unlimited[1]))

    async def outcome(self) -> tuple[list[str], int]:
        """What the run has said, and how often it called, once all is at rest."""
        await self._world.executor.worker.drain()
        return texts(await self._world.executor.reader.latest(self._caller, self._run_id)), len(self._script.asked)


@pytest.fixture
def full(world: World, script: Script) -> Iterator[Full]:
    disk = Full(world, script)
    yield disk
    disk.free()


@pytest.mark.parametrize("place", ["after_call", "after_result"])
async def test_what_came_of_a_call_is_saved_once_there_is_room_and_the_call_not_made_again(
    world: World, full: Full, place: CallFault
) -> None:
    await full.met(place, repeatable=False)
    full.free()
    world.executor.worker.wake()
    assert await full.outcome() == (["Paid 200."], 1)


async def test_the_ticker_sees_to_it_that_what_could_not_be_saved_is_tried_again(world: World, full: Full) -> None:
    await full.met("after_call", repeatable=False)
    full.free()
    world.runtime.scheduler.start()
    assert await full.outcome() == (["Paid 200."], 1)
    await world.runtime.scheduler.stop()


async def test_after_the_time_of_a_lease_the_run_is_left_to_whoever_takes_it_over(world: World, script: Script, full: Full) -> None:
    await full.met("after_call", repeatable=True)
    world.clock.advance(LEASE)
    with capture_logs() as logs:
        world.executor.worker.wake()
        await world.executor.worker.drain()
    assert [(entry["event"], entry["error"]) for entry in logs] == [("turn_broken_off", "Unavailable")]
    full.free()
    other = other_worker(world, script)
    assert await other.worker.take_over() == 1
    await other.worker.drain()
    assert await full.outcome() == (["Paid 200."], 2)


async def test_a_worker_that_is_told_to_go_gives_back_what_it_could_not_save(world: World, script: Script, full: Full) -> None:
    await full.met("after_call", repeatable=True)
    full.free()
    await world.executor.worker.stop(0)
    other = other_worker(world, script)
    assert await other.worker.take_over() == 1
    await other.worker.drain()
    assert await full.outcome() == (["Paid 200."], 2)
