"""Burr with its SQLitePersister."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from burr.core.persistence import SQLitePersister

from scripts.benchmarks.peers.bare import durability
from scripts.benchmarks.peers.burr_application import PLAIN, builder, given
from scripts.benchmarks.peers.racing import Durability, race_blocking


class Applications:
    """One application for each conversation."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._persister = SQLitePersister(str(path), connection=connection)
        self._persister.initialize()

    def durability(self) -> Durability:
        """Of the persister's connection."""
        return durability(self._connection)

    def turn(self, conversation: str, said: str | int | None) -> str:
        """Build the application, run one action."""
        _, _, state = builder(PLAIN, self._persister, conversation).build().run(**given(said))
        return str(state["reply"])


@contextmanager
def opened(path: Path) -> Iterator[Applications]:
    """On a new file; WAL costs less than the journal that the persister would leave as it is."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        yield Applications(connection, path)


if __name__ == "__main__":
    race_blocking(opened)
