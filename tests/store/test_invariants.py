"""A database that turns have written breaks no invariant; one row spoiled by hand is found and named."""

import asyncio
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from engine.runtime.invariants import check_invariants
from engine.runtime.replies import TurnReply, encode_reply
from engine.runtime.store.port import Order
from engine.runtime.store.sqlite.open import open_sqlite
from engine.testing.clock import ManualClock
from tests.store.turns import MINUTE, end_wait, ending, start


async def write(file: Path) -> None:
    """Leaves a run that waits, one that has ended, one that expired, one that was cancelled; each has told an endpoint of its beginning."""
    clock = ManualClock()
    store, registry = await open_sqlite(file, clock)
    await end_wait(store, await start(store, key="k"), "answered", key="l")
    await store.take(Order(tenant_id="t", run_id=await start(store)), ending("answered", last=True))
    await end_wait(store, await start(store), "cancelled")
    expiring = await start(store)
    clock.advance(MINUTE)
    await end_wait(store, expiring, "expired")
    await store.deliveries.spread(lambda _, __: ["e"], 100)
    for one in await store.deliveries.due([("t", "e")], 100):
        await store.deliveries.note(replace(one.row, tries=1, due_at=None, ended_at=store.now(), ended_as="delivered"), 0)
    await store.close()
    await registry.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("written") / "baton.db"
    asyncio.run(write(file))
    return file


@pytest.fixture
def path(written: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoiled."""
    file = tmp_path / "baton.db"
    shutil.copy(written, file)
    return file


def spoil(path: Path, *statements: str) -> list[str]:
    """What is found after the statements have spoiled the database."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement
        return check_invariants(connection)
    finally:
        connection.close()


def test_what_turns_have_written_is_sound(path: Path) -> None:
    assert check_invariants(path) == []


REPLY = encode_reply(TurnReply(execution_id="r", conversation_id="c", turn_id="t", rev=1, status="waiting_input", wait_id="no"))
VARIABLES = msgspec.msgpack.encode({"long": "\x01" * 2729 + "12"})
"""Hardly 3 KB as they are stored, and six times as much as JSON."""
PLACES = {
    "WAITING": "id = (SELECT min(run_id) FROM wait WHERE ended_at IS NULL)",
    "ONE_TURN": "id = (SELECT min(id) FROM turn)",
    "ANSWERED": "id = (SELECT min(id) FROM wait WHERE ended_by = 'answered')",
    "EXPIRED": "id = (SELECT min(id) FROM wait WHERE ended_by = 'expired')",
    "REPLY": f"x'{REPLY.hex()}'",
    "VARIABLES": f"x'{VARIABLES.hex()}'",
    "OPEN": "id = (SELECT min(id) FROM wait WHERE ended_at IS NULL)",
}


TASK = "INSERT INTO task SELECT 't', '1', {1}, {0}, 'queue', x'80', 1, '{2}', 0, 1 FROM wait WHERE {{ANSWERED}}"


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("UPDATE wait SET ended_at = NULL WHERE {ANSWERED} OR {EXPIRED}", "I1: wait .* of run .* has half an end: .*"),
        ("UPDATE wait SET ended_by = 'forgotten' WHERE {ANSWERED}", "I1: wait .* ended by forgotten, which is no way to end"),
        ("UPDATE turn SET event = 'cancelled' WHERE event = 'timed_out'", "I1: wait .* ended by expired at .* a turn cancelled at .*"),
        ("UPDATE turn SET at = at + 1 WHERE rev = 2", "I1: wait .* ended by .* at .*, but the run went on with a turn .* at .*"),
        ("UPDATE wait SET rev = 1 WHERE {OPEN}", "I1: wait .* ended by None at None, but the run went on with a turn answered at .*"),
        ("UPDATE message SET turn_id = id WHERE sequence = 0", "I2: message .* belongs to turn .*, which is not there"),
        ("UPDATE usage SET turn_id = 'no'", "I2: usage .* belongs to turn no, which is not there"),
        ("UPDATE usage SET cost_micros = -1", "I2: usage .* counts less than nothing"),
        ("UPDATE wait SET rev = 9 WHERE {OPEN}", "I2: wait .* was opened by rev 9 of run .*, which has no such turn"),
        ("UPDATE outbox SET rev = 9 WHERE rev = 2", "I2: outbox row .* tells of rev 9 of run .*, which has no such turn"),
        ("UPDATE run SET conversation_id = 'no' WHERE {WAITING}", "I2: run .* belongs to conversation no, which is not there"),
        ("UPDATE message SET sequence = 0 WHERE sequence = 1", "I2: conversation .* gives the sequence 0 to 2 messages"),
        ("UPDATE conversation SET next_sequence = 1", "I2: conversation .* goes on at sequence 1, but has a message 3"),
        ("UPDATE conversation SET next_sequence = 9", "I2: conversation .* goes on at sequence 9, but has 4 messages"),
        ("DELETE FROM message WHERE sequence = 1", "I2: conversation .* goes on at sequence 4, but has 3 messages"),
        ("UPDATE turn SET reply = {REPLY} WHERE {ONE_TURN}", "I2: turn .* answers with wait no, which is not there"),
        (TASK.format("'no'", "run_id", "open"), "I2: task .* is for wait no of run .*, which is not there"),
        (TASK.format("id", "'no'", "open"), "I2: task .* is for wait .* of run no, which is not there"),
        ("DELETE FROM turn WHERE {ONE_TURN}", "I3: run .* is at rev 2, but its turns are 1 from 2 to 2"),
        ("UPDATE turn SET rev = 3 WHERE {ONE_TURN}", "I3: run .* is at rev 2, but its turns are 2 from 2 to 3"),
        ("UPDATE run SET rev = 1 WHERE {WAITING}", "I3: run .* is at rev 1, but its turns are 2 from 1 to 2"),
        ("UPDATE run SET input_rev = 3 WHERE {WAITING}", "I3: run .* has its last input at rev 3 of 2"),
        ("UPDATE run SET turn_id = 'no' WHERE {WAITING}", "I3: run .* ends its turns with no, which is not its turn 2"),
        ("UPDATE run SET turn_id = (SELECT min(id) FROM turn)", "I3: run .* ends its turns with .*, which is not its turn 2"),
        ("UPDATE turn SET previous_id = NULL WHERE rev = 2", "I3: turn .* follows None, which is not turn 1 of run .*"),
        ("UPDATE turn SET previous_id = id", "I3: turn .* follows .*, which is not turn 0 of run .*"),
        ("UPDATE turn SET run_id = 'no' WHERE {ONE_TURN}", "I3: turn .* belongs to run no, which is not there"),
        ("DELETE FROM wait WHERE {OPEN}", "I4: run .* is waiting_input and has 0 open waits"),
        (
            "UPDATE wait SET ended_at = NULL, ended_by = NULL WHERE run_id = (SELECT id FROM run WHERE status = 'completed' LIMIT 1)",
            "I4: run .* is completed and has 1 open waits",
        ),
        ("UPDATE run SET status = 'running' WHERE {WAITING}", "I4: run .* is running and nobody holds a lease on it"),
        ("UPDATE run SET lease_until = 1 WHERE {WAITING}", "I4: run .* is waiting_input and somebody holds a lease on it"),
        ("UPDATE turn SET done = 0 WHERE {ONE_TURN}", "I4: run .* is waiting_input, and its turn 1 is not done"),
        ("UPDATE run SET status = 'running', lease_until = 1 WHERE {WAITING}", "I4: run .* is running, and its turn 2 is done"),
        (TASK.format("id", "run_id", "open"), "I4: task .* is open, and its wait ended by answered"),
        (TASK.format("id", "run_id", "done").replace("{ANSWERED}", "{OPEN}"), "I4: task .* is done, and its wait ended by None"),
        ("UPDATE run SET ended_at = 1, end_reason = 'failed' WHERE {WAITING}", "I4: run .* waiting_input, ended at 1, because of failed"),
        ("UPDATE run SET end_reason = NULL WHERE status = 'completed'", "I4: run .* is completed, ended at [0-9]+, because of None"),
        ("UPDATE wait SET run_id = 'no' WHERE {OPEN}", "I4: wait .* belongs to run no, which is not there"),
        ("UPDATE idempotency SET turn_id = 'no' WHERE key = 'k'", "I5: idempotency key k of scope points to turn no, which is not there"),
        ("UPDATE idempotency SET turn_id = NULL WHERE key = 'l'", "I5: idempotency key l of scope has neither a turn nor a reply"),
        ("DELETE FROM outbox WHERE n = 0", "I6: run .* tells 1 things in rev 1, numbered 1 to 1"),
        ("UPDATE outbox SET at = at - n", "I6: run .* tells a thing at [0-9]+, behind one at [0-9]+"),
        ("UPDATE turn SET at = at - rev", "I7: run .* has a turn at [0-9]+, behind one at [0-9]+"),
        ("UPDATE outbox SET id = 'same'", "I6: the outbox has the id same [0-9]+ times"),
        ("DELETE FROM outbox WHERE rev = 2", "I6: endpoint e is told of rev 2, 0 of run .*, of which the outbox knows nothing"),
        ("DELETE FROM delivery WHERE rev = 2", "I6: rev 2, 0 of run .* is wanted by endpoints, and none is told of it"),
        ("UPDATE outbox SET wanted = NULL", "I6: endpoint e is told of rev 1, 1 of run .*, of which the outbox knows nothing"),
        ("UPDATE delivery SET ended_as = NULL", "I6: the delivery of rev 1 of run .* has half an end: moment .*, cause None, due at None"),
        ("UPDATE delivery SET due_at = 5", "I6: the delivery of rev 1 of run .* has half an end: moment .*, cause delivered, due at 5"),
        ("UPDATE delivery SET due_at = NULL", "I6: the earliest delivery of run .* that is left for endpoint e is not due"),
        ("UPDATE wait SET ended_at = deadline - 1 WHERE {EXPIRED}", "I7: wait .* expired at [0-9]+, before its deadline [0-9]+"),
        ("UPDATE wait SET ended_at = deadline WHERE {ANSWERED}", "I7: wait .* was answered at .*, when its deadline .* had passed"),
        ("UPDATE wait SET ended_at = opened_at - 1 WHERE {ANSWERED}", "I7: wait .* was opened at [0-9]+ and ended at [0-9]+"),
        ("UPDATE run SET state = zeroblob(262145) WHERE {WAITING}", "I8: run .* holds a state of 262145 bytes"),
        ("UPDATE conversation SET variables = {VARIABLES}", "I8: conversation .* holds variables of 16387 bytes"),
        ("UPDATE run SET attempts = 4 WHERE {WAITING}", "I8: run .* was claimed 4 times in one turn"),
        ("UPDATE run SET rev = 502 WHERE {WAITING}", "I8: run .* has taken 502 turns"),
        ("UPDATE wait SET tenant_id = 'u' WHERE {OPEN}", "I9: wait .* of tenant u belongs to run .* of tenant t"),
        (TASK.format("id", "run_id", "open").replace("'t'", "'u'"), "I9: task 1 of tenant u belongs to run .* of tenant t"),
        ("UPDATE turn SET tenant_id = 'u' WHERE {ONE_TURN}", "I9: turn .* of tenant u belongs to run .* of tenant t"),
        ("UPDATE message SET tenant_id = 'u' WHERE sequence = 0", "I9: message .* of tenant u belongs to run .* of tenant t"),
        ("UPDATE usage SET tenant_id = 'u'", "I9: usage .* of tenant u belongs to run .* of tenant t"),
        ("UPDATE outbox SET tenant_id = 'u' WHERE n = 1", "I9: outbox .* of tenant u belongs to run .* of tenant t"),
        ("INSERT INTO effect_result SELECT 'u', id, 1, 0, 1, x'00' FROM run", "I9: effect_result 0 of tenant u belongs to run .*"),
        ("UPDATE conversation SET tenant_id = 'u'", "I9: run .* of tenant t belongs to conversation .* of tenant u"),
    ],
)  # fmt: skip
def test_a_row_that_breaks_an_invariant_is_found_and_named(path: Path, broken: str, told: str) -> None:
    found = spoil(path, "DROP INDEX wait_open_of_run", broken.format(**PLACES))
    assert [sentence for sentence in found if _matches(told, sentence)] != [], found


def _matches(told: str, sentence: str) -> bool:
    return re.fullmatch(told, sentence) is not None


PUNCTUAL = (
    "INSERT INTO meta (name, value) VALUES ('high_water', {0}) ON CONFLICT DO UPDATE SET value = {0}",
    "UPDATE wait SET due_at = 100000 WHERE {OPEN}",
)
LAPSED = "UPDATE run SET status = 'running', lease_until = 100000 WHERE {WAITING}"


@pytest.mark.parametrize(("latest", "late"), [(101_000, []), (101_001, ["I7: wait {} is open, though it was due 1001 ms ago"])])
def test_a_deadline_that_nobody_let_act_is_found_where_somebody_was_there_to_sweep(path: Path, latest: int, late: list[str]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in PUNCTUAL:
            connection.execute(statement.format(latest, **PLACES))
        (wait,) = connection.execute("SELECT id FROM wait WHERE ended_at IS NULL").fetchone()
    assert check_invariants(path, bound=1_000) == [told.format(wait) for told in late]
    assert check_invariants(path) == []


def test_a_lease_that_nobody_took_over_is_found_where_somebody_was_there_to(path: Path) -> None:
    spoil(path, PUNCTUAL[0].format(101_001), LAPSED.format(**PLACES))
    told = "I4: the lease on run .* ran out 1001 ms ago, and nobody has taken it over"
    assert [sentence for sentence in check_invariants(path, bound=1_000) if _matches(told, sentence)] != []
    assert [sentence for sentence in check_invariants(path, bound=1_001) if _matches(told, sentence)] == []


def test_a_file_whose_pages_are_damaged_is_found(path: Path) -> None:
    content = bytearray(path.read_bytes())
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_turn_1'").fetchone()
    connection.close()
    content[(page - 1) * 4_096 + 3 : (page - 1) * 4_096 + 5] = b"\x00\x01"  # one entry where there were many
    path.write_bytes(content)
    assert [sentence for sentence in check_invariants(path) if sentence.startswith("I11: ")] != []


def test_no_more_than_twenty_rows_of_a_kind_are_told(path: Path) -> None:
    spoiled = (
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 50) "
        "INSERT INTO idempotency SELECT 't', 'scope', n, x'00', 0, NULL, NULL FROM number"
    )
    assert len(spoil(path, spoiled)) == 20
