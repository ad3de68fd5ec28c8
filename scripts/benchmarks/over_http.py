"""Durable turns over HTTP beside two routes of the same server that store nothing: one server process, and this one as its load."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import msgspec
from msgspec import Struct

from scripts.benchmarks.load import Ping, Talk, open_session
from scripts.benchmarks.place import cpu_seconds
from scripts.benchmarks.results import Comparison, Round, compared, percentiles
from scripts.benchmarks.server import Listening
from scripts.benchmarks.subject import NOOP_PATH
from scripts.benchmarks.unstored import UNSTORED_PATH
from scripts.benchmarks.wire import Connection, Exchange

_WARM_UP: Final = 0.3
"""Seconds of each side before the first round, which count for nothing."""


class Serving(Struct, frozen=True):
    """A server's process, and where it listens."""

    process: int
    listening: Listening


class _Line(Struct, frozen=True):
    """One connection with what is said on it, on each side."""

    connection: Connection
    noop: Ping
    unstored: Ping
    talk: Talk


async def compare(folder: Path, connections: Sequence[int], rounds: int, seconds: float) -> list[Comparison]:
    """One comparison for each number of connections. The sides alternate, so that a machine that slows down slows both."""
    async with serving(folder, "http") as server:
        return [await _compare(server, count, rounds, seconds) for count in connections]


async def _compare(server: Serving, count: int, rounds: int, seconds: float) -> Comparison:
    lines = [await _line(server.listening) for _ in range(count)]
    sides: list[list[tuple[Connection, Exchange]]] = [
        [(line.connection, line.noop) for line in lines],
        [(line.connection, line.unstored) for line in lines],
        [(line.connection, line.talk) for line in lines],
    ]
    for side in sides:
        await _round(server, side, min(_WARM_UP, seconds))
    measured = [[await _round(server, side, seconds) for side in sides] for _ in range(rounds)]
    for line in lines:
        line.connection.close()
    return compared(count, *zip(*measured, strict=True))


async def _round(server: Serving, side: Sequence[tuple[Connection, Exchange]], seconds: float) -> Round:
    began, server_before, load_before = perf_counter(), cpu_seconds(server.process), process_time()
    answered = await asyncio.gather(*(connection.repeat(exchange, began + seconds) for connection, exchange in side))
    took, load_used, server_used = perf_counter() - began, process_time() - load_before, cpu_seconds(server.process) - server_before
    latencies = [latency for its in answered for latency in its]
    p50, p99 = percentiles(latencies)
    return Round(
        per_second=len(latencies) / took,
        p50_ms=p50,
        p99_ms=p99,
        server_us=server_used / len(latencies) * 1_000_000,
        load_share=load_used / took,
    )


async def _line(listening: Listening) -> _Line:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", listening.port)
    session = await open_session(connection, listening.public_key)
    return _Line(connection, Ping(NOOP_PATH, session), Ping(UNSTORED_PATH, session), Talk(session))


@asynccontextmanager
async def serving(folder: Path, name: str) -> AsyncIterator[Serving]:
    """A server on a new database of that name in the folder, its log beside it."""
    with (folder / f"{name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "scripts.benchmarks.server", str(folder / f"{name}.db")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        try:
            if process.stdin is None or process.stdout is None:
                raise AssertionError("both were asked for")
            said = await process.stdout.readline()
            if not said:
                raise RuntimeError(f"The server did not start:\n{(folder / f'{name}.log').read_text(encoding='utf-8')}")
            yield Serving(process.pid, msgspec.json.decode(said, type=Listening))
            process.stdin.close()
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
