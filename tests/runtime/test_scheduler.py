"""Deadlines that cannot act do not keep others from acting."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.model.values import Millis
from engine.runtime.replies import TurnReply
from tests.runtime.conftest import World

HALF_A_MINUTE: Millis = 30_000
MANY = 150
"""More than two batches."""

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


def damage(database: Path | None, statement: str, runs: list[TurnReply]) -> None:
    assert database is not None
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(statement, [(run.execution_id,) for run in runs])


def mend(database: Path | None, runs: list[TurnReply], states: dict[str, bytes]) -> None:
    assert database is not None
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany("UPDATE run SET state = ? WHERE id = ?", [(states[run.execution_id], run.execution_id) for run in runs])


def states_of(database: Path | None) -> dict[str, bytes]:
    assert database is not None
    with closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("SELECT id, state FROM run").fetchall())


async def test_runs_that_fail_to_expire_however_many_hold_up_nobody_and_act_once_they_can(world: World) -> None:
    caller = await world.customer()
    broken = [await world.trigger(caller, "strict") for _ in range(MANY)]
    world.clock.advance(1)
    sound = await world.trigger(caller, "strict")
    states = states_of(world.database)
    damage(world.database, "UPDATE run SET state = x'00' WHERE id = ?", broken)
    world.clock.advance(HALF_A_MINUTE)
    assert await world.runtime.scheduler.sweep() == 1
    assert (await world.executor.reader.latest(caller, sound.execution_id)).status == "aborted"
    assert world.runtime.scheduler.pulse().lag_ms < HALF_A_MINUTE
    mend(world.database, broken, states)
    assert await world.runtime.scheduler.sweep() == 0
    world.clock.advance(1_000)
    assert await world.runtime.scheduler.sweep() == MANY


async def test_a_wait_that_nothing_happens_to_is_not_tried_without_end(world: World) -> None:
    caller = await world.customer()
    lost, sound = await world.trigger(caller, "strict"), await world.trigger(caller, "strict")
    damage(world.database, "UPDATE run SET id = 'lost' || id WHERE id = ?", [lost])
    world.clock.advance(HALF_A_MINUTE)
    assert await world.runtime.scheduler.sweep() == 2
    assert (await world.executor.reader.latest(caller, sound.execution_id)).status == "aborted"
    damage(world.database, "UPDATE run SET id = substr(id, 5) WHERE id = 'lost' || ?", [lost])
    world.clock.advance(1_000)
    assert await world.runtime.scheduler.sweep() == 1


async def test_a_wait_that_ended_in_another_way_is_remembered_no_longer(world: World) -> None:
    caller = await world.customer()
    broken = await world.trigger(caller, "strict")
    states = states_of(world.database)
    damage(world.database, "UPDATE run SET state = x'00' WHERE id = ?", [broken])
    world.clock.advance(HALF_A_MINUTE)
    assert await world.runtime.scheduler.sweep() == 0
    mend(world.database, [broken], states)
    world.clock.advance(1_000)
    assert await world.runtime.scheduler.sweep() == 1
    assert world.runtime.scheduler.pulse().ticking
