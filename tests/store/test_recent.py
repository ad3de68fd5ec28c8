"""What the SQLite store remembers of its last turns is what stands in the file, or it is forgotten."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import Unavailable
from engine.runtime.faults import FaultPoints, fail
from engine.runtime.store.port import ConversationChange, Noted, Order, Snapshot, WaitMoved
from engine.runtime.store.sqlite.open import open_sqlite
from engine.runtime.store.sqlite.recent import Left, Recent
from engine.runtime.store.sqlite.store import SqliteStore
from engine.testing.clock import ManualClock
from tests.store.turns import Taking, conversation, end_named_wait, ending, look, start

SECRETLY = "UPDATE run SET intent = 'another' WHERE id = ?"
"""What nobody does: it shows whether a turn has looked into the file."""


async def standing(store: SqliteStore, run_id: str) -> Order:
    """What whoever holds the token of the run's open wait asks for."""
    waiting = (await look(store, Order(tenant_id="t", run_id=run_id))).wait
    assert waiting is not None
    return Order(tenant_id="t", run_id=run_id, wait_id=waiting.id)


async def loaded(store: SqliteStore, run_id: str) -> tuple[Snapshot, Snapshot]:
    """The run as whoever answers finds it, and as it stands in the file."""
    order = await standing(store, run_id)
    return await look(store, order), await look(store, Order(tenant_id="t", run_id=run_id))


async def test_what_is_remembered_is_what_would_be_loaded(sqlite: SqliteStore) -> None:
    run_id = await start(sqlite)
    for _ in range(3):
        await end_named_wait(sqlite, run_id, "answered")
        remembered, stored = await loaded(sqlite, run_id)
        assert (remembered.run, remembered.wait, remembered.conversation) == (stored.run, stored.wait, stored.conversation)


async def test_an_answer_soon_after_its_question_needs_no_look_at_the_file(sqlite: SqliteStore) -> None:
    read = list[str]()
    run_id = await start(sqlite)
    order = await standing(sqlite, run_id)
    connection = sqlite._writer._connection  # noqa: SLF001 - what reaches the file is seen nowhere else
    assert connection is not None
    connection.set_trace_callback(read.append)
    assert await sqlite.take(order, ending("answered")) == "answered"
    connection.set_trace_callback(None)
    assert [statement for statement in read if statement.startswith("SELECT")] == []
    assert any(statement.startswith("UPDATE run") for statement in read)


async def test_what_another_connection_has_written_is_seen(sqlite: SqliteStore, path: Path) -> None:
    run_id = await start(sqlite)
    order = await standing(sqlite, run_id)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(SECRETLY, (run_id,))
    found = (await look(sqlite, order)).run
    assert found is not None
    assert found.intent == "another"


async def test_a_wait_that_was_moved_is_remembered_at_neither_moment(sqlite: SqliteStore) -> None:
    run_id = await start(sqlite)
    order = await standing(sqlite, run_id)
    waiting = (await look(sqlite, order)).wait
    assert waiting is not None
    moved = WaitMoved("t", waiting.id, waiting.due_at, waiting.due_at - 5)
    await sqlite.take(Order(tenant_id="t"), lambda _: (Noted(moved=(moved,)), None))
    remembered = (await look(sqlite, order)).wait
    assert remembered is not None
    assert remembered.due_at == waiting.due_at - 5


async def test_other_tenants_are_served_nothing_from_memory(sqlite: SqliteStore) -> None:
    order = await standing(sqlite, await start(sqlite))
    for stranger in (
        Order(tenant_id="other", run_id=order.run_id, wait_id=order.wait_id),
        Order(tenant_id="other", wait_id=order.wait_id),
    ):
        found = await look(sqlite, stranger)
        assert (found.run, found.wait, found.conversation) == (None, None, None)


async def test_a_commit_that_fails_leaves_nothing_to_be_remembered(path: Path, clock: ManualClock) -> None:
    faults = FaultPoints({"before_commit": 3}, fail)
    store, registry = await open_sqlite(path, clock, faults=faults)
    run_id = await start(store)
    order = await standing(store, run_id)
    with pytest.raises(Unavailable):
        await store.take(order, ending("answered"))
    found = await look(store, order)
    assert found.run is not None
    assert (found.run.rev, found.wait is not None and found.wait.ended_at) == (1, None)
    assert await store.take(order, ending("answered")) == "answered"
    await store.close()
    await registry.close()


async def test_what_is_large_is_loaded_each_time(sqlite: SqliteStore) -> None:
    run_id = await start(sqlite)
    order = await standing(sqlite, run_id)
    talk = (await loaded(sqlite, run_id))[0].conversation
    assert talk is not None

    def growing(to: int) -> Taking:
        change = ConversationChange(id=talk.id, written={"text": "x" * to}, owned=frozenset(), messages=0)
        return lambda _: (Noted(conversation=change), "grown")

    recent = sqlite._writer.recent  # noqa: SLF001 - what is remembered shows nowhere else
    assert recent.standing(order) is not None
    for size, remembered in ((5_000, False), (50, True)):
        await sqlite.take(Order(tenant_id="t", conversation_id=talk.id), growing(size))
        assert (recent.standing(order) is not None) == remembered
        found = (await look(sqlite, order)).conversation
        assert found is not None
        assert found.variables["text"] == "x" * size


async def test_the_latest_are_remembered_and_no_more_than_the_bound() -> None:
    recent = Recent(most=2)
    rows = [conversation("t", 0) for _ in range(3)]
    for row in rows:
        recent.note(Left(conversations=[row]))
    assert [*recent._conversations.values()] == rows[1:]  # noqa: SLF001 - a bound shows nowhere else
