"""What a connection of its own adds to a turn: customers who keep theirs in one round, and make a new one for each turn in the next."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from scripts.benchmarks.load import Ping, Talk, open_session
from scripts.benchmarks.over_http import Serving, serving
from scripts.benchmarks.place import cpu_seconds
from scripts.benchmarks.results import NewConnections
from scripts.benchmarks.subject import NOOP_PATH
from scripts.benchmarks.wire import Connection, Exchange

_CUSTOMERS: Final = 32


async def connect_anew(folder: Path, rounds: int, seconds: float) -> NewConnections:
    """On a server of its own; its database and log are made in the folder."""
    async with serving(folder, "anew") as server:
        connection = await _connect(server.listening.port)
        sessions = [await open_session(connection, server.listening.public_key) for _ in range(_CUSTOMERS)]
        connection.close()
        pings, talks = [Ping(NOOP_PATH, session) for session in sessions], [Talk(session) for session in sessions]
        bare = [await _both(server, pings, seconds) for _ in range(rounds)]
        costs = [await _both(server, talks, seconds) for _ in range(rounds)]
    return NewConnections(
        kept_us=median(kept for kept, _ in costs),
        new_us=median(new for _, new in costs),
        noop_extra_us=median(new - kept for kept, new in bare),
        ratio=median(new / kept for kept, new in costs),
    )


async def _both(server: Serving, exchanges: Sequence[Exchange], seconds: float) -> tuple[float, float]:
    """On connections that stay, and then on a new one each time."""
    return await _cost(server, exchanges, seconds, anew=False), await _cost(server, exchanges, seconds, anew=True)


async def _cost(server: Serving, exchanges: Sequence[Exchange], seconds: float, *, anew: bool) -> float:
    """The server's CPU time for each exchange, in microseconds."""
    until, before = perf_counter() + seconds, cpu_seconds(server.process)
    taken = sum(await asyncio.gather(*(_go_on(server.listening.port, exchange, until, anew=anew) for exchange in exchanges)))
    return (cpu_seconds(server.process) - before) / taken * 1_000_000


async def _go_on(port: int, exchange: Exchange, until: float, *, anew: bool) -> int:
    taken = 0
    while not taken or perf_counter() < until:
        connection = await _connect(port)
        taken += len(await connection.repeat(exchange, 0 if anew else until))
        connection.close()
    return taken


async def _connect(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection
