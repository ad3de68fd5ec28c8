"""What a connection of its own adds to a turn: customers who keep theirs in one round, and make a new one for each turn in the next."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from scripts.benchmarks.load import Talk, open_session
from scripts.benchmarks.over_http import Serving, serving
from scripts.benchmarks.place import cpu_seconds
from scripts.benchmarks.results import NewConnections
from scripts.benchmarks.wire import Connection

_CUSTOMERS: Final = 32


async def connect_anew(folder: Path, rounds: int, seconds: float) -> NewConnections:
    """On a server of its own; its database and log are made in the folder."""
    async with serving(folder, "anew") as server:
        port = server.listening.port
        connection = await _connect(port)
        talks = [Talk(await open_session(connection, server.listening.public_key)) for _ in range(_CUSTOMERS)]
        connection.close()
        costs = [(await _cost(server, talks, seconds, anew=False), await _cost(server, talks, seconds, anew=True)) for _ in range(rounds)]
    return NewConnections(
        kept_us=median(kept for kept, _ in costs), new_us=median(new for _, new in costs), ratio=median(new / kept for kept, new in costs)
    )


async def _cost(server: Serving, talks: Sequence[Talk], seconds: float, *, anew: bool) -> float:
    """The server's CPU time for each turn, in microseconds."""
    until, before = perf_counter() + seconds, cpu_seconds(server.process)
    turns = sum(await asyncio.gather(*(_go_on(server.listening.port, talk, until, anew=anew) for talk in talks)))
    return (cpu_seconds(server.process) - before) / turns * 1_000_000


async def _go_on(port: int, talk: Talk, until: float, *, anew: bool) -> int:
    turns = 0
    while not turns or perf_counter() < until:
        connection = await _connect(port)
        turns += len(await connection.repeat(talk, 0 if anew else until))
        connection.close()
    return turns


async def _connect(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection
