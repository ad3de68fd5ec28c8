"""A worker that is stopped in the midst of a call, and goes on when another has done its work."""

import asyncio
import signal
import sqlite3
from contextlib import closing
from typing import Any

from msgspec import Struct

from tests.proofs.crashes import Place, trigger
from tests.proofs.nursery import connected, nursery


class Woken(Struct, frozen=True):
    """What came of the run."""

    told: dict[str, Any]
    """What the stopped worker has told its customer when it went on, and the other was still at work."""
    finished: dict[str, Any]
    calls: int


async def freeze(place: Place) -> Woken:
    """Stop a server in a call, let another past the lease make the call beside it, and let the first one go on before that comes back."""
    stopped, taken_over, go_on, finish = (asyncio.Event() for _ in range(4))

    async def linger(_: str) -> str:
        if stopped.is_set():
            taken_over.set()
            await finish.wait()
            return "the second"
        await _stop(place)
        stopped.set()
        await go_on.wait()
        return "the first"

    place.shop.acts["/slow"] = linger
    [key] = place.requests(1)
    async with nursery() as others, connected(await place.bear(), place.api_key) as first:
        asking = asyncio.create_task(trigger(first, key, "slow"))
        await stopped.wait()
        [run_id] = place.shop.runs("/slow")
        await place.bear(beside=others)
        await taken_over.wait()
        go_on.set()
        place.nursery.send(signal.SIGCONT)
        told = await asking
        assert told is not None
        finish.set()
        finished = await first.get(f"/executions/{run_id}")
        while finished.json()["status"] == "running":
            await asyncio.sleep(0.02)
            finished = await first.get(f"/executions/{run_id}")
    return Woken(told.json(), finished.json(), place.shop.runs("/slow")[run_id])


async def _stop(place: Place) -> None:
    """Stop the server between two commits: one that is stopped in the midst of one keeps everybody else from writing for as long."""
    place.nursery.send(signal.SIGSTOP)
    while not await asyncio.to_thread(_may_write, place):
        place.nursery.send(signal.SIGCONT)
        await asyncio.sleep(0)
        place.nursery.send(signal.SIGSTOP)


def _may_write(place: Place) -> bool:
    with closing(sqlite3.connect(place.database, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
    return True
