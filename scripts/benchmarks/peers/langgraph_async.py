"""LangGraph with its AsyncSqliteSaver."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from scripts.benchmarks.peers.langgraph_graph import DURABILITY, asked, compiled, reply
from scripts.benchmarks.peers.racing import Durability, race


class Graph:
    """One thread of the graph for each conversation."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._graph: Any = compiled(AsyncSqliteSaver(connection))

    async def durability(self) -> Durability:
        """Of the saver's connection."""
        return await async_durability(self._connection)

    async def turn(self, conversation: str, said: str | int | None) -> str:
        """Invoke the graph, or resume it."""
        given, config = asked(conversation, said)
        return reply(await self._graph.ainvoke(given, config, durability=DURABILITY))


async def async_durability(connection: aiosqlite.Connection) -> Durability:
    """How a connection of aiosqlite commits."""
    found = [await (await connection.execute(f"PRAGMA {name}")).fetchone() for name in ("journal_mode", "synchronous")]
    journal, synchronous = (row[0] if row else None for row in found)
    return Durability(str(journal), int(synchronous or 0))


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Graph]:
    """On a new file; the saver switches to WAL itself."""
    async with aiosqlite.connect(path) as connection:
        await connection.execute("PRAGMA synchronous = FULL")
        yield Graph(connection)


if __name__ == "__main__":
    race(opened, asyncio.run)
