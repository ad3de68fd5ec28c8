"""Whatever is done to them, the memory store and the SQLite store tell the same story, and the file breaks no invariant."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from engine.runtime.invariants import check_invariants
from engine.runtime.store.port import Order, RunFilter, StaleRecord, Store
from engine.runtime.store.rows import WaitEnd
from engine.runtime.store.sqlite.open import open_registry, open_sqlite
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryStore
from tests.store.turns import end_named_wait, look, start


class Start(Struct, frozen=True):
    lasts: int


class End(Struct, frozen=True):
    run: int
    """Which of the runs started so far, counted round."""
    by: WaitEnd
    key: str | None


class Elsewhere(Struct, frozen=True):
    """Another process on the same file, which stays, does it."""

    end: End


class Pass(Struct, frozen=True):
    time: int


class Reopen(Struct, frozen=True):
    """The process ends and another one begins; memory knows no such thing."""


Happening = Start | End | Elsewhere | Pass | Reopen

ENDS = st.builds(End, st.integers(0, 4), st.sampled_from(["answered", "expired", "cancelled"]), st.sampled_from([None, "a", "b"]))

HAPPENINGS = st.one_of(
    st.builds(Start, st.integers(0, 50)),
    ENDS,
    st.builds(Elsewhere, ENDS),
    st.builds(Pass, st.integers(0, 40)),
    st.just(Reopen()),
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables and nothing in them."""
    file = tmp_path_factory.mktemp("empty") / "baton.db"

    async def make() -> None:
        await (await open_registry(file)).close()

    asyncio.run(make())
    return file


async def do(store: Store, happening: Happening, runs: list[str]) -> str:
    """What came of it."""
    match happening:
        case Start(lasts):
            runs.append(await start(store, lasts=lasts))
            return "started"
        case End(number, by, key) if runs:
            try:
                return await end_named_wait(store, runs[number % len(runs)], by, key=key)
            except StaleRecord:
                return "refused"
        case _:
            return "nothing"


async def seen(store: Store, runs: list[str]) -> list[object]:
    """Everything that a reader and a decision would see, with runs by their number and without the ids of their rows."""
    story: list[object] = [store.now(), await store.next_due()]
    story.append([(runs.index(due.run_id), due.due_at) for due in await store.due(100)])
    story.append([runs.index(view.run.id) for view in await store.runs("t", RunFilter(open_only=True))])
    for key in ("a", "b"):
        kept = (await look(store, Order(tenant_id="t", idempotency=("scope", key)))).stored
        story.append(kept and (kept.at, kept.done))
    for run_id in runs:
        now = await look(store, Order(tenant_id="t", run_id=run_id))
        assert now.run is not None
        assert now.conversation is not None
        story.append((now.run.rev, now.run.status, now.run.input_rev, now.wait and (now.wait.rev, now.wait.deadline)))
        story.append((now.conversation.variables, now.conversation.owned, now.conversation.next_sequence, now.conversation.modified_at))
        story.append([(row.rev, row.event, row.at, row.done) for row in await store.turns("t", run_id)])
        shown = await store.messages("t", now.run.conversation_id)
        story.append([(one.message.sequence, one.message.role, one.message.values) for one in shown])
    return story


async def live(path: Path, happenings: list[Happening]) -> None:
    clocks = ManualClock(), ManualClock()
    memory = MemoryStore(clocks[0])
    sqlite, registry = await open_sqlite(path, clocks[1])
    other, its_registry = await open_sqlite(path, clocks[1])
    runs: tuple[list[str], list[str]] = ([], [])
    for happening in happenings:
        if isinstance(happening, Pass):
            for clock in clocks:
                clock.advance(happening.time)
        elif isinstance(happening, Reopen):
            await sqlite.close()
            await registry.close()
            sqlite, registry = await open_sqlite(path, clocks[1])
        if isinstance(happening, Elsewhere):
            assert await do(memory, happening.end, runs[0]) == await do(other, happening.end, runs[1])
        else:
            assert await do(memory, happening, runs[0]) == await do(sqlite, happening, runs[1])
    assert await seen(memory, runs[0]) == await seen(sqlite, runs[1])
    for opened in (sqlite, registry, other, its_registry):
        await opened.close()


@settings(max_examples=60, deadline=None)
@given(st.lists(HAPPENINGS, max_size=20))
def test_both_stores_tell_the_same_story(empty: Path, happenings: list[Happening]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baton.db"
        shutil.copy(empty, path)
        asyncio.run(live(path, happenings))
        assert check_invariants(path) == []
