"""What is asked of the writer: a turn, or a single statement."""

from collections.abc import Collection, Hashable
from sqlite3 import Cursor
from typing import Any, Generic, TypeVar

from engine.model.values import Millis
from engine.runtime.store.port import Decide, Order, Snapshot
from engine.runtime.store.sqlite import load
from engine.runtime.store.sqlite.save import Write, writes

Answer = TypeVar("Answer")


class Turn(Generic[Answer]):
    """One order on its way: what was loaded for it, and what was decided."""

    def __init__(self, order: Order, decide: Decide[Answer]) -> None:
        named = (
            order.run_id,
            order.wait_id,
            order.conversation_id,
            order.task_id,
            order.queue and order.queue[0],
            order.idempotency and (order.tenant_id, *order.idempotency),
        )
        self.concerns: Collection[Hashable] = [name for name in named if name is not None]
        self._order = order
        self._decide = decide
        self._snapshot: Snapshot
        self.writes: list[Write] = []
        self.answer: Answer

    def load(self, cursor: Cursor, now: Millis) -> Collection[Hashable]:
        """Its run's conversation is found only here."""
        self._snapshot = load.snapshot(cursor, self._order, now)
        conversation = self._snapshot.conversation
        return () if conversation is None else (conversation.id,)

    def decide(self) -> None:
        """Keep what the decision writes and answers."""
        decision, self.answer = self._decide(self._snapshot)
        self.writes = writes(self._snapshot, decision)


class Statement:
    """One statement, which rests on nothing; it is answered how many rows it changed."""

    def __init__(self, text: str, values: Any = ()) -> None:
        self._text = text
        self._values = values

    def run(self, cursor: Cursor) -> int:
        """Run it."""
        return cursor.execute(self._text, self._values).rowcount
