"""When the scheduler starts, what is urgent comes first; when it stops, what it has begun ends and nothing else begins; a tick may fail."""

import asyncio
from collections.abc import Sequence

import pytest

from engine.errors import Unavailable
from engine.model.values import Millis
from engine.runtime.runtime import Runtime
from engine.runtime.store.port import DueWait, LapsedRun
from engine.runtime.tokens import Keyring
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore


class SlowToLook(MemoryStore):
    """A store whose look for runs to take over takes until it is let go on."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.begun = asyncio.Event()
        self.let_go_on = asyncio.Event()
        self.ended = 0
        self.pruned = 0

    async def lapsed(self, limit: int) -> Sequence[LapsedRun]:
        self.begun.set()
        await self.let_go_on.wait()
        self.ended += 1
        return await super().lapsed(limit)

    async def prune(self, before: Millis) -> int:
        self.pruned += 1
        return await super().prune(before)


def shell(store: MemoryStore, clock: ManualClock) -> Runtime:
    return Runtime(store, MemoryRegistry(), Keyring([b"k" * 32]), clock)


async def test_a_job_under_way_is_waited_for_and_not_cancelled(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    store = SlowToLook(clock)
    scheduler = shell(store, clock).scheduler
    scheduler.start()
    await store.begun.wait()
    stopping = asyncio.create_task(scheduler.stop())
    done, _ = await asyncio.wait({stopping}, timeout=0.05)
    assert not done
    store.let_go_on.set()
    await stopping
    assert store.ended == 1
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


class Unanswering(MemoryStore):
    """A store that cannot say what is due."""

    async def due(self, limit: int) -> Sequence[DueWait]:  # noqa: ARG002 - its shape
        raise Unavailable


async def test_a_tick_that_fails_is_a_tick(clock: ManualClock) -> None:
    scheduler = shell(Unanswering(clock), clock).scheduler
    clock.advance(10_000)
    assert not scheduler.pulse().ticking
    with pytest.raises(Unavailable):
        await scheduler.sweep()
    assert scheduler.pulse().ticking  # or the watchdog would put another ticker in its place each second


async def test_a_start_takes_over_what_was_left_and_forgets_nothing_yet(clock: ManualClock) -> None:
    store = SlowToLook(clock)
    store.let_go_on.set()
    scheduler = shell(store, clock).scheduler
    scheduler.start()
    await store.begun.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    await scheduler.stop()
    assert (store.ended, store.pruned) == (1, 0)


@pytest.mark.parametrize("rounds", range(6))
async def test_however_soon_after_its_start_it_stops_no_job_is_told_to_have_failed(
    rounds: int, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = shell(MemoryStore(clock), clock).scheduler
    scheduler.start()
    for _ in range(rounds):
        await asyncio.sleep(0)
    await scheduler.stop()
    await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
