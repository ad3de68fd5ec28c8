"""Burr with its AsyncSQLitePersister."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from burr.integrations.persisters.b_aiosqlite import AsyncSQLitePersister

from scripts.benchmarks.peers.burr_application import COROUTINES, builder, given
from scripts.benchmarks.peers.langgraph_async import async_durability
from scripts.benchmarks.peers.racing import Durability, race


class Applications:
    """One application for each conversation."""

    def __init__(self, connection: aiosqlite.Connection, persister: Any) -> None:
        self._connection = connection
        self._persister = persister

    async def durability(self) -> Durability:
        """Of the persister's connection."""
        return await async_durability(self._connection)

    async def turn(self, conversation: str, said: str | int | None) -> str:
        """Build the application, run one action."""
        application = await builder(COROUTINES, self._persister, conversation).abuild()
        _, _, state = await application.arun(**given(said))
        return str(state["reply"])


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Applications]:
    """On a new file; WAL costs less than the journal that the persister would leave as it is."""
    async with aiosqlite.connect(path) as connection:
        await connection.execute("PRAGMA journal_mode = WAL")
        await connection.execute("PRAGMA synchronous = FULL")
        persister = AsyncSQLitePersister(connection)
        await persister.initialize()
        yield Applications(connection, persister)


if __name__ == "__main__":
    race(opened, asyncio.run)
