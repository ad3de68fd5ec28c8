"""LangGraph with its SqliteSaver."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from langgraph.checkpoint.sqlite import SqliteSaver

from scripts.benchmarks.peers.bare import durability
from scripts.benchmarks.peers.langgraph_graph import DURABILITY, asked, compiled, reply
from scripts.benchmarks.peers.racing import Durability, race_blocking


class Graph:
    """One thread of the graph for each conversation."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._graph = compiled(SqliteSaver(connection))

    def durability(self) -> Durability:
        """Of the saver's connection."""
        return durability(self._connection)

    def turn(self, conversation: str, said: str | int | None) -> str:
        """Invoke the graph, or resume it."""
        given, config = asked(conversation, said)
        return reply(self._graph.invoke(given, config, durability=DURABILITY))


@contextmanager
def opened(path: Path) -> Iterator[Graph]:
    """On a new file; the saver switches to WAL itself."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        yield Graph(connection)


if __name__ == "__main__":
    race_blocking(opened)
