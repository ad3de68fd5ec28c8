"""No transaction is open across a call: whoever else wants to write or to tidy the file can, as long as the call lasts."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from engine.model.events import Returned
from engine.model.flow import Flow, Intent
from engine.model.nodes import Ask, Http
from engine.model.run import Invoke
from engine.runtime.requests import TriggerRequest
from tests.runtime.conftest import Script, World

CALLS = 12
PATIENCE = 20.0
"""Seconds within which somebody else must have had the file: commits leave room for him, a call of the test lasts until then."""
CALLING = Flow(
    flow="calling",
    intent=Intent(),
    nodes={
        "look": Http(method="GET", url="https://shop.example/", next="pay"),
        "pay": Http(method="POST", url="https://pay.example/", next="ask"),
        "ask": Ask(prompt="Anything else?", next="end"),
    },
)


def is_free(database: Path, patience: float = PATIENCE) -> bool:
    """Whether there is a moment at which nobody holds a transaction on the file, neither one that writes nor one that reads."""
    until = time.monotonic() + patience
    with closing(sqlite3.connect(database, timeout=0.05, isolation_level=None)) as other:
        return _succeeds(other, "BEGIN IMMEDIATE", until) and _succeeds(other, "PRAGMA wal_checkpoint(TRUNCATE)", until)


def _succeeds(other: sqlite3.Connection, statement: str, until: float) -> bool:
    while True:
        try:
            told = other.execute(statement).fetchone()
            if other.in_transaction:
                other.execute("ROLLBACK")
            if told is None or not told[0]:
                return True
        except sqlite3.OperationalError:
            pass
        if time.monotonic() > until:
            return False


async def test_no_transaction_is_open_while_a_call_is_under_way_though_other_turns_go_on(world: World, script: Script) -> None:
    if world.database is None:
        pytest.skip("memory has no transactions")
    database, found, done = world.database, list[bool](), asyncio.Event()
    await world.publish(CALLING)

    async def watch(invoke: Invoke) -> Returned:
        found.append(await asyncio.to_thread(is_free, database))
        return Returned(at=0, step=invoke.step, result={"status": 200})

    async def talk() -> None:
        caller = await world.customer()
        while not done.is_set():
            reply = await world.trigger(caller)
            await world.executor.resume(caller, world.answer(reply, "A-1"))

    script.act = watch
    talking = [asyncio.create_task(talk()) for _ in range(4)]
    callers = [await world.customer() for _ in range(CALLS)]
    replies = await asyncio.gather(*(world.executor.trigger(caller, TriggerRequest(intent="calling")) for caller in callers))
    done.set()
    await asyncio.gather(*talking)
    assert {taken.reply.status for taken in replies} == {"waiting_input"}
    assert found == [True] * 2 * CALLS


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "BEGIN; SELECT * FROM run"])
async def test_a_transaction_that_were_open_would_be_seen(world: World, statement: str) -> None:
    if world.database is None:
        pytest.skip("memory has no transactions")
    with closing(sqlite3.connect(world.database, isolation_level=None)) as holder:
        for one in statement.split("; "):
            holder.execute(one).fetchone()
        assert not is_free(world.database, 0.05)
    assert is_free(world.database)
