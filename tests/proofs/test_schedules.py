"""Whatever the order in which events come, waits begin, deadlines pass and runs are cancelled: none is missed, none is taken twice."""

import itertools
import random
from pathlib import Path

import pytest

from engine.runtime.invariants import check_invariants
from engine.runtime.store.sqlite.open import open_sqlite
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore
from tests.proofs.schedules import Group, drawn, shelved


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_in_memory_every_schedule_comes_to_what_it_must() -> None:
    catalog, chance = await shelved(MemoryRegistry()), random.Random(1)  # noqa: S311 - the same schedules each time
    for _ in range(120):
        clock = ManualClock()
        group = Group(MemoryStore(clock), catalog, clock, itertools.count(1))
        assert await group.live(drawn(chance, 5)) == []


async def test_on_sqlite_every_schedule_comes_to_what_it_must_though_many_share_a_commit(tmp_path: Path) -> None:
    clock, chance = ManualClock(), random.Random(2)  # noqa: S311 - the same
    store, registry = await open_sqlite(tmp_path / "baton.db", clock)
    group = Group(store, await shelved(registry), clock, itertools.count(1))
    for _ in range(6):
        assert await group.live(drawn(chance, 30)) == []
    await store.close()
    await registry.close()
    assert check_invariants(tmp_path / "baton.db") == []
