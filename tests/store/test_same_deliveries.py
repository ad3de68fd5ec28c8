"""Random outboxes, endpoints that answer as they like, replays and forgetting: every store tells the same, and each run in its order."""

import asyncio
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.values import Millis
from engine.runtime.invariants import check_invariants
from engine.runtime.store.deliveries import Delivery, DeliveryFilter, Kept
from engine.runtime.store.port import StaleRecord, Store
from engine.runtime.store.rows import DeliveryRow
from engine.runtime.store.sqlite.open import open_registry, open_sqlite
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryStore
from tests.store.turns import end_wait, start

ENDPOINTS = ("here", "there")
PAUSE = 20
Happening = tuple[str, int]

HAPPENINGS = st.tuples(
    st.sampled_from(["start", "answer", "spread", "heard", "heard", "failed", "parked", "replay", "pass", "prune", "forget"]),
    st.integers(0, 7),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables and nothing in them."""
    file = tmp_path_factory.mktemp("empty") / "baton.db"

    async def make() -> None:
        await (await open_registry(file)).close()

    asyncio.run(make())
    return file


class Teller:
    """One store, and what its endpoints have been told of each run."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.runs: list[str] = []
        self.heard: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        self.in_order = True
        """False once something was replayed: then it comes again."""

    async def do(self, happening: Happening) -> Any:
        """What came of it."""
        kind, number = happening
        endpoint, deliveries = ENDPOINTS[number % 2], self.store.deliveries
        match kind:
            case "start":
                self.runs.append(await start(self.store))
            case "answer" if self.runs:
                try:
                    return await end_wait(self.store, self.runs[number % len(self.runs)], "answered")
                except StaleRecord:
                    return "too late"
            case "spread":
                return await deliveries.spread(lambda _, __: ENDPOINTS[: 1 + number % 2], 1 + number)
            case "heard" | "failed" | "parked":
                return await self._tried(kind, endpoint, number)
            case "replay":
                self.in_order = False
                return await deliveries.replay("t", endpoint)
            case "pass":
                self.clock.advance(number * 10)
            case "prune":
                kept = Kept(delivered=self.store.now() - 50, parked=self.store.now() - 90, told=self.store.now() - 10)
                return await deliveries.prune(kept)
            case "forget" if number == 0:
                return await deliveries.forget("t", endpoint)
        return None

    async def _tried(self, kind: str, endpoint: str, number: int) -> object:
        due = await self.store.deliveries.due([("t", endpoint)], 1 + number)
        if not due:
            return None
        row = due[number % len(due)].row
        if kind == "heard":
            self.heard[endpoint, row.run_id].append((row.rev, row.n))
        return await self.store.deliveries.note(self._after(kind, row), row.tries)

    def _after(self, kind: str, row: DeliveryRow) -> DeliveryRow:
        now, tries = self.store.now(), row.tries + 1
        match kind:
            case "heard":
                return replace(row, tries=tries, due_at=None, ended_at=now, ended_as="delivered")
            case "parked":
                return replace(row, tries=tries, due_at=None, code="http.status", status=500, ended_at=now, ended_as="parked")
            case _:
                return replace(row, tries=tries, due_at=now + PAUSE, code="http.timeout")

    async def seen(self) -> list[object]:
        """Everything that there is to see, runs by their number."""
        story: list[object] = [await self.store.deliveries.outlook()]
        for endpoint in ENDPOINTS:
            every = await self.store.deliveries.of_endpoint("t", DeliveryFilter(endpoint_id=endpoint, limit=1000))
            due = await self.store.deliveries.due([("t", endpoint)], 1000)
            story += [[self._numbered(one) for one in found] for found in (every, due)]
        return story

    def _numbered(self, one: Delivery) -> tuple[DeliveryRow, str, Millis]:
        return replace(one.row, run_id=str(self.runs.index(one.row.run_id))), one.told.type, one.told.at


async def live(path: Path, happenings: list[Happening]) -> None:
    clocks = ManualClock(), ManualClock()
    sqlite, registry = await open_sqlite(path, clocks[1], synchronous="normal")
    tellers = Teller(MemoryStore(clocks[0]), clocks[0]), Teller(sqlite, clocks[1])
    for happening in happenings:
        came = [await teller.do(happening) for teller in tellers]
        assert came[0] == came[1], happening
    assert await tellers[0].seen() == await tellers[1].seen()
    for teller in tellers:
        assert not teller.in_order or all(told == sorted(set(told)) for told in teller.heard.values())
    await sqlite.close()
    await registry.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(HAPPENINGS, max_size=40))
def test_both_stores_tell_the_same_in_the_same_order(empty: Path, happenings: list[Happening]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baton.db"
        shutil.copy(empty, path)
        asyncio.run(live(path, happenings))
        assert check_invariants(path) == []
