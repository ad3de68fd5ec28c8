"""Connections that only read, beside the writer: each question is one statement, so it sees one moment."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path
from typing import Any, Self

import aiosqlite

from engine.errors import Unavailable
from engine.runtime.store.sqlite.connect import BUSY_MILLIS, existing

CONNECTIONS = 2
"""A long list on one of them leaves the other free for short questions."""


class Readers:
    """A few reading connections that take turns."""

    def __init__(self, connections: list[aiosqlite.Connection]) -> None:
        self._connections = connections
        self._next = cycle(connections)

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Connections to the file, which must exist."""
        async with AsyncExitStack() as opened:
            connections = [await opened.enter_async_context(_connection(path)) for _ in range(CONNECTIONS)]
            for connection in connections:
                await connection.execute_fetchall(f"PRAGMA busy_timeout = {BUSY_MILLIS}")
                await connection.execute_fetchall("PRAGMA query_only = ON")
            opened.pop_all()
        return cls(connections)

    async def ask(self, question: str, values: Mapping[str, Any]) -> Iterable[sqlite3.Row]:
        """Every row that answers; Unavailable when the database does not."""
        try:
            return await next(self._next).execute_fetchall(question, values)
        except (sqlite3.Error, ValueError) as error:  # aiosqlite says ValueError once it is closed
            raise Unavailable(retry_after=1) from error

    async def close(self) -> None:
        """Let go of the file."""
        for connection in self._connections:
            await connection.close()


def _connection(path: Path) -> aiosqlite.Connection:
    return aiosqlite.connect(existing(path), uri=True, isolation_level=None)
