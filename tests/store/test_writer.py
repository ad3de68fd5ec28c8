"""What the SQLite store adds to the contract: many turns in one commit, none in the other's way, nothing lost when the machine fails."""

import asyncio
import resource
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.errors import StoreError, Unavailable, Unfit
from engine.runtime.clock import SystemClock
from engine.runtime.faults import FaultName, FaultPoints, fail
from engine.runtime.invariants import check_invariants
from engine.runtime.store.migrate import migrate
from engine.runtime.store.port import ConversationChange, Noted, Order, Record, Snapshot, StaleRecord
from engine.runtime.store.sqlite import questions
from engine.runtime.store.sqlite.address import sqlite_path
from engine.runtime.store.sqlite.connect import connect_writer
from engine.runtime.store.sqlite.lines import BATCH
from engine.runtime.store.sqlite.load_statements import FIND_REPLY, LOAD_RUN, LOAD_RUN_AND_WAIT, LOAD_WAIT
from engine.runtime.store.sqlite.lock import ServerLock
from engine.runtime.store.sqlite.open import open_registry, open_sqlite
from engine.runtime.store.sqlite.save_statements import END_WAIT, UPDATE_RUN
from engine.runtime.store.sqlite.store import SqliteStore
from engine.testing.clock import ManualClock
from tests.store.turns import MINUTE, Taking, end_wait, ending, look, new_id, start, starting


async def together(store: SqliteStore, *orders: tuple[Order, Taking]) -> list[str | BaseException]:
    """Takes all orders in one batch: what is asked for before the loop comes round shares it. Gives each one's answer or refusal."""
    return await asyncio.gather(*[store.take(order, decide) for order, decide in orders], return_exceptions=True)


def refusing(_: Snapshot) -> tuple[Noted, str]:
    raise Unfit([])


def writing(conversation_id: str, name: str) -> Taking:
    """Writes one variable into the conversation, and nothing else."""

    def decide(_: Snapshot) -> tuple[Noted, str]:
        change = ConversationChange(id=conversation_id, written={name: 1}, owned=frozenset(), messages=0)
        return Noted(conversation=change), name

    return decide


def breaking(snapshot: Snapshot) -> tuple[Record, str]:
    """Writes a run, a turn and a wait, and then a message that no database takes."""
    record, answer = starting()(snapshot)
    assert isinstance(record, Record)
    return replace(record, messages=(replace(record.messages[0], text="\ud800"),)), answer


async def test_a_batch_is_committed_whole_though_some_of_it_is_refused_stale_or_broken(sqlite: SqliteStore, path: Path) -> None:
    run_id = await start(sqlite)
    answers = await together(
        sqlite,
        (Order(tenant_id="t"), starting(key="first")),
        (Order(tenant_id="t"), refusing),
        (Order(tenant_id="t", run_id=run_id), ending("expired")),
        (Order(tenant_id="t"), breaking),
        (Order(tenant_id="t", run_id=run_id), ending("answered")),
    )
    assert [type(answer) for answer in answers] == [str, Unfit, StaleRecord, UnicodeEncodeError, str]
    assert (await look(sqlite, Order(tenant_id="t", idempotency=("scope", "first")))).stored is not None
    assert check_invariants(path) == []


async def test_turns_of_one_run_in_one_batch_are_taken_one_after_the_other(sqlite: SqliteStore, path: Path) -> None:
    run_id = await start(sqlite)
    answers = await together(sqlite, *[(Order(tenant_id="t", run_id=run_id), ending("answered")) for _ in range(5)])
    assert answers == ["answered"] * 5
    assert [row.rev for row in await sqlite.turns("t", run_id)] == [1, 2, 3, 4, 5, 6]
    assert check_invariants(path) == []


async def test_of_many_answers_to_one_wait_one_wins(sqlite: SqliteStore, path: Path) -> None:
    run_id = await start(sqlite)
    waiting = (await look(sqlite, Order(tenant_id="t", run_id=run_id))).wait
    assert waiting is not None
    order = Order(tenant_id="t", run_id=run_id, wait_id=waiting.id)
    answers = await asyncio.gather(*[sqlite.take(order, ending("answered")) for _ in range(500)], return_exceptions=True)
    assert sum(answer == "answered" for answer in answers) == 1
    assert sum(isinstance(answer, StaleRecord) for answer in answers) == 499
    assert check_invariants(path) == []


async def test_more_turns_than_a_batch_holds_are_all_taken(sqlite: SqliteStore, path: Path) -> None:
    run_ids = await asyncio.gather(*[start(sqlite) for _ in range(3 * BATCH + 1)])
    assert len(set(run_ids)) == 3 * BATCH + 1
    assert check_invariants(path) == []


async def test_a_caller_that_hangs_up_does_not_stop_its_turn(sqlite: SqliteStore) -> None:
    run_id = await start(sqlite)
    gone = asyncio.create_task(end_wait(sqlite, run_id, "answered"))
    staying = asyncio.create_task(start(sqlite))
    await asyncio.sleep(0)
    gone.cancel()
    await staying
    assert gone.cancelled()
    assert [row.rev for row in await sqlite.turns("t", run_id)] == [1, 2]


async def test_closing_finishes_what_was_accepted_and_refuses_what_comes_later(path: Path, clock: ManualClock) -> None:
    store, registry = await open_sqlite(path, clock)
    accepted = [asyncio.create_task(start(store)) for _ in range(2 * BATCH)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await start(store)
    await closing
    assert len(set(await asyncio.gather(*accepted))) == 2 * BATCH
    await registry.close()
    assert check_invariants(path) == []


async def test_the_loop_goes_on_while_another_process_writes_and_the_turn_is_taken_after_it(sqlite: SqliteStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    starting_run = asyncio.create_task(start(sqlite))
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert not starting_run.done()
    other.execute("COMMIT")
    other.close()
    assert await sqlite.run("t", await starting_run) is not None


async def test_a_turn_is_taken_as_soon_as_the_other_process_has_done_however_long_that_took(sqlite: SqliteStore, path: Path) -> None:
    other, late = sqlite3.connect(path, isolation_level=None), list[float]()
    for _ in range(3):
        other.execute("BEGIN IMMEDIATE")
        starting_run = asyncio.create_task(start(sqlite))
        await asyncio.sleep(0.24)  # SQLite itself would come back after 228 and 328 ms
        other.execute("COMMIT")
        done = time.monotonic()
        await starting_run
        late.append(time.monotonic() - done)
    other.close()
    assert min(late) < 0.05


async def test_turns_of_one_conversation_in_one_batch_lose_nothing_of_each_other(sqlite: SqliteStore, path: Path) -> None:
    first = await start(sqlite)
    view = await sqlite.run("t", first)
    assert view is not None
    conversation = view.run.conversation_id
    named = Order(tenant_id="t", conversation_id=conversation)
    answers = await together(sqlite, *[(named, writing(conversation, name)) for name in ("a", "b", "c")])
    assert answers == ["a", "b", "c"]
    row = await sqlite.conversation("t", conversation)
    assert row is not None
    assert {name: row.variables[name] for name in ("a", "b", "c")} == {"a": 1, "b": 1, "c": 1}
    assert check_invariants(path) == []


@pytest.mark.parametrize("name", ["before_commit", "after_commit"])
async def test_when_the_commit_fails_all_of_the_batch_hear_it_and_the_next_one_is_taken(
    path: Path, clock: ManualClock, name: FaultName
) -> None:
    faults = FaultPoints({name: 1}, fail)
    store, registry = await open_sqlite(path, clock, faults=faults)
    taking = [asyncio.create_task(start(store, key=key)) for key in ("a", "b")]
    taking.append(asyncio.create_task(store.take(Order(tenant_id="t"), refusing)))
    answers = await asyncio.gather(*taking, return_exceptions=True)
    assert [(type(answer), getattr(answer, "retry_after", None)) for answer in answers] == [(Unavailable, 1)] * 3
    written = name == "after_commit"
    for key in ("a", "b"):
        assert ((await look(store, Order(tenant_id="t", idempotency=("scope", key)))).stored is not None) == written
    await start(store)
    await store.close()
    await registry.close()
    assert check_invariants(path) == []


async def test_a_file_that_disappears_is_noticed_and_taken_up_again_when_it_is_back(sqlite: SqliteStore, path: Path) -> None:
    await start(sqlite)
    moved = path.with_name("moved.db")
    await asyncio.to_thread(path.rename, moved)
    with pytest.raises(Unavailable):
        await start(sqlite)
    with pytest.raises(Unavailable):
        await sqlite.healthy()
    assert moved in await asyncio.to_thread(lambda: list(path.parent.iterdir()))
    assert path not in await asyncio.to_thread(lambda: list(path.parent.iterdir()))
    await asyncio.to_thread(moved.rename, path)
    await sqlite.healthy()
    await start(sqlite)
    assert check_invariants(path) == []


async def test_a_full_disk_refuses_turns_until_there_is_room_again(sqlite: SqliteStore, path: Path) -> None:
    run_id = await start(sqlite)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, unlimited[1]))
    try:
        answers = await together(sqlite, *[(Order(tenant_id="t", run_id=run_id), ending("answered")) for _ in range(3)])
        with pytest.raises(Unavailable):
            await sqlite.healthy()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert [row.rev for row in await sqlite.turns("t", run_id)] == [1]
    assert await end_wait(sqlite, run_id, "answered") == "answered"
    assert check_invariants(path) == []


async def test_a_disk_that_has_room_for_a_few_bytes_alone_is_not_healthy(sqlite: SqliteStore, path: Path) -> None:
    await start(sqlite)
    await sqlite.healthy()
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name("baton.db-wal").stat().st_size + 150_000, unlimited[1]))
    try:
        await start(sqlite)
        with pytest.raises(Unavailable):
            await sqlite.healthy()
        await start(sqlite)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    await sqlite.healthy()
    assert check_invariants(path) == []


async def test_proofs_of_health_take_no_more_room_the_more_there_are(sqlite: SqliteStore, path: Path) -> None:
    def rows() -> list[tuple[int, int]]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT value, length(ballast) FROM meta WHERE name = 'proofs'").fetchall()

    for _ in range(3):
        await sqlite.healthy()
    assert await asyncio.to_thread(rows) == [(3, 262_144)]


async def test_the_clock_goes_on_from_where_it_was_when_it_was_set_back_while_nobody_ran(path: Path, clock: ManualClock) -> None:
    store, registry = await open_sqlite(path, clock)
    clock.advance(MINUTE)
    await start(store)
    latest = store.now()
    await store.close()
    await registry.close()
    store, registry = await open_sqlite(path, ManualClock(latest - 3_600_000))
    assert store.now() == latest
    await store.close()
    await registry.close()


@pytest.mark.parametrize("question", [questions.DUE, questions.NEXT_DUE, questions.DUE_TENANTS, questions.DUE_OF_TENANTS])
async def test_what_is_asked_often_looks_rows_up_and_scans_no_table(sqlite: SqliteStore, path: Path, question: str) -> None:
    await start(sqlite)
    connection = sqlite3.connect(path)
    names = dict.fromkeys(("now", "limit", "each"), 1)
    plan = [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {question}", {**names, "tenants": "[]"})]
    connection.close()
    scans = [step for step in plan if step.startswith("SCAN")]
    harmless = ("SCAN known", "SCAN asked", "SCAN tenant", "SCAN (", "SCAN CONSTANT ROW", "SCAN wait USING INDEX wait_open_by_due")
    assert plan
    assert [step for step in scans if not step.startswith(harmless)] == []


@pytest.mark.parametrize("statement", [FIND_REPLY, LOAD_RUN, LOAD_WAIT, LOAD_RUN_AND_WAIT, UPDATE_RUN, *END_WAIT.values()])
async def test_what_a_turn_needs_is_found_by_keys_alone(sqlite: SqliteStore, path: Path, statement: str) -> None:
    await start(sqlite)
    connection = sqlite3.connect(path)
    plan = [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}", (1,) * statement.count("?"))]
    connection.close()
    assert plan
    assert [step for step in plan if step.startswith("SCAN") and step not in {"SCAN asked", "SCAN CONSTANT ROW"}] == []


@pytest.mark.parametrize(
    ("question", "place"),
    [
        (questions.RUN_VIEW, {"run": "r"}),
        (questions.TURNS, {"run": "r"}),
        (questions.MESSAGES, {"conversation": "c"}),
        (questions.run_views(frozenset({"conversation_id"})), {"conversation_id": "c", "limit": 1}),
    ],
)
async def test_the_turns_of_a_run_are_found_by_one_another(sqlite: SqliteStore, path: Path, question: str, place: dict[str, Any]) -> None:
    await start(sqlite)
    connection = sqlite3.connect(path)
    plan = [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {question}", {"tenant": "t", **place})]
    connection.close()
    assert plan.count("SEARCH turn USING INDEX sqlite_autoindex_turn_1 (tenant_id=? AND id=?)") == 2
    scans = [step for step in plan if step.startswith("SCAN")]
    assert [step for step in scans if step not in {"SCAN chosen", "SCAN runs", "SCAN turns"}] == []
    assert all(plan[plan.index(step) + 1].startswith("SEARCH") for step in scans)  # none within another


def test_a_commit_does_not_carry_over_more_of_the_log_than_a_customer_waits_for(path: Path) -> None:
    migrate(f"sqlite:///{path}")
    with closing(connect_writer(path, "full")) as connection:
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (500,)


async def test_the_sweep_over_waits_uses_the_index_of_those_that_are_open(sqlite: SqliteStore, path: Path) -> None:
    await start(sqlite)
    connection = sqlite3.connect(path)
    plan = [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {questions.DUE}", {"now": 1, "limit": 1})]
    connection.close()
    assert plan == ["SEARCH wait USING INDEX wait_open_by_due (due_at<?)"]


def test_a_second_server_on_the_same_file_is_told_so_in_one_line(path: Path) -> None:
    with ServerLock(path):
        with pytest.raises(StoreError, match=r"^Another server runs on [^\n]*$"):
            ServerLock(path).acquire()
        with ServerLock(path.with_name("other.db")):
            pass
    with ServerLock(path):
        pass


@pytest.mark.parametrize(
    ("url", "place"),
    [("sqlite:///baton.db", "baton.db"), ("sqlite:////var/lib/a%20b.db", "/var/lib/a b.db"), ("sqlite:///a/b.db", "a/b.db")],
)
def test_a_url_names_a_file(url: str, place: str) -> None:
    assert sqlite_path(url) == Path(place)


@pytest.mark.parametrize("url", ["baton.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?mode=ro", "mysql://x"])
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="sqlite:///"):
        sqlite_path(url)


def test_postgresql_is_promised_for_later() -> None:
    with pytest.raises(StoreError, match="comes in a later version"):
        sqlite_path("postgresql://localhost/baton")


async def test_a_folder_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^[^\n]*baton.db cannot be opened[^\n]*$"):
        await open_registry(tmp_path / "no" / "baton.db")


async def test_the_database_is_its_owners_alone(sqlite: SqliteStore, path: Path) -> None:
    await start(sqlite)
    assert {file.name: file.stat().st_mode & 0o077 for file in path.parent.iterdir()} == {
        "baton.db": 0,
        "baton.db-wal": 0,
        "baton.db-shm": 0,
    }


async def test_the_systems_clock_serves_as_well(path: Path) -> None:
    store, registry = await open_sqlite(path, SystemClock(), synchronous="normal")
    assert await start(store) < new_id()
    await store.close()
    await registry.close()


class Panic(BaseException):
    """What a native library raises when it has lost its head."""


def panicking(_: Snapshot) -> tuple[Noted, str]:
    raise Panic


async def test_a_decision_that_panics_disturbs_no_other(sqlite: SqliteStore, path: Path) -> None:
    order = Order(tenant_id="t")
    asked = together(sqlite, (order, starting()), (order, panicking), (order, starting()))
    answers = await asyncio.wait_for(asked, timeout=10)
    assert [type(answer) for answer in answers] == [str, RuntimeError, str]
    assert await sqlite.run("t", await start(sqlite)) is not None
    assert check_invariants(path) == []
