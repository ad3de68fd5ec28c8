"""Where a disturbed conversation is stored, and what a process that dies leaves there: in memory all of it."""

from collections.abc import Iterable
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from engine.runtime.store.rows import (
    ConversationRow,
    ListeningRow,
    MessageRow,
    OutboxRow,
    RunRow,
    SignalRow,
    TaskRow,
    TurnRow,
    UsageRow,
    WaitRow,
)
from engine.testing.clock import ManualClock
from engine.testing.conversations.backstage import OpenStore
from engine.testing.memory import MemoryStore

KINDS: Final = (ConversationRow, RunRow, WaitRow, TaskRow, SignalRow, ListeningRow, TurnRow, MessageRow, UsageRow, OutboxRow)
"""What is stored of a conversation. Keys and results of calls are left out: they are there for the disturbances' sake."""


class Place(Protocol):
    """A store that outlives the processes that use it."""

    @property
    def store(self) -> OpenStore:
        """As the present process has it."""

    async def open(self) -> None:
        """The next process begins; whatever the one before had not committed is gone."""

    def rows(self) -> list[Struct]:
        """What is stored of the conversation, in an order of its own."""

    async def close(self) -> list[str]:
        """The end; gives what the database breaks of its invariants."""


class InMemory:
    """Rows in dicts: they survive, and the process's own memory does not."""

    def __init__(self, clock: ManualClock, store: MemoryStore | None = None) -> None:
        self.kept = store or MemoryStore(clock)
        self.store: OpenStore = self.kept

    async def open(self) -> None:
        """The rows are there already."""

    def rows(self) -> list[Struct]:
        """As they are kept."""
        return ordered(row for row in self.kept.rows() if isinstance(row, KINDS))

    async def close(self) -> list[str]:
        """Nothing to let go of."""
        return []


def ordered(rows: Iterable[Struct]) -> list[Struct]:
    """The rows by their kinds and contents; a run's epoch counts who has worked on it, which is for nobody to notice."""
    plain = [msgspec.structs.replace(row, epoch=0) if isinstance(row, RunRow) else row for row in rows]
    return sorted(plain, key=lambda row: (KINDS.index(type(row)), msgspec.msgpack.encode(row)))
