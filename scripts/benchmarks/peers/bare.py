"""No engine: a dict of answers in one row of a table, read, changed by hand and written, with a commit for each turn."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from scripts.benchmarks.peers.conversation import ASK_NAME, ask_day, ask_guests, told
from scripts.benchmarks.peers.racing import Durability, race_blocking


class Bare:
    """The least that a durable conversation can cost."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE conversation (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID")

    def durability(self) -> Durability:
        """Of its only connection."""
        return durability(self._connection)

    def turn(self, conversation: str, said: str | int | None) -> str:
        """Read, decide, write, commit."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        found = connection.execute("SELECT state FROM conversation WHERE id = ?", (conversation,)).fetchone()
        state, reply = step(json.loads(found[0]) if found else {}, said)
        connection.execute("INSERT OR REPLACE INTO conversation VALUES (?, ?)", (conversation, json.dumps(state)))
        connection.execute("COMMIT")
        return reply


def durability(connection: sqlite3.Connection) -> Durability:
    """How a connection of sqlite3 commits."""
    (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    return Durability(journal, synchronous)


def step(state: dict[str, str | int], said: str | int | None) -> tuple[dict[str, str | int], str]:
    """The state after one turn, and the reply."""
    if said is None:
        return {"at": "name"}, ASK_NAME
    match state["at"]:
        case "name":
            return {"at": "guests", "name": said}, ask_guests(str(said))
        case "guests":
            return {**state, "at": "day", "guests": said}, ask_day(int(said))
        case _:
            return {**state, "at": "end", "day": said}, told(str(state["name"]), int(state["guests"]), str(said))


@contextmanager
def opened(path: Path) -> Iterator[Bare]:
    """On a new file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield Bare(connection)


if __name__ == "__main__":
    race_blocking(opened)
