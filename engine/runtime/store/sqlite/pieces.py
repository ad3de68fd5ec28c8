"""What is asked of the writer: turns, single statements, and whatever else is a piece of work."""

from collections.abc import Collection, Hashable
from sqlite3 import Cursor
from typing import Any, Generic, Protocol, TypeVar

from engine.model.values import Millis
from engine.runtime.store.port import Decide, Order, Snapshot
from engine.runtime.store.sqlite import load
from engine.runtime.store.sqlite.recent import Recent
from engine.runtime.store.sqlite.save import Writes, write, writes

Answer = TypeVar("Answer")


class Piece(Protocol):
    """What one caller wants done. Whatever it raises undoes it; a piece that was stale begins again with `load`."""

    concerns: Collection[Hashable]
    """What it may change or rest on, as far as it is known before anything is loaded."""
    patient: bool
    """Whether customers go first."""

    def load(self, cursor: Cursor, now: Millis) -> Collection[Hashable]:
        """Read what is true; gives what the piece concerns besides."""

    def decide(self) -> None:
        """Decide by what was loaded."""

    def save(self, cursor: Cursor) -> Any:
        """Write what was decided; gives the answer."""


class Turn(Generic[Answer]):
    """One order on its way: what was loaded for it, and what was decided."""

    def __init__(self, order: Order, decide: Decide[Answer], recent: Recent) -> None:
        named = (
            order.run_id,
            order.wait_id,
            order.conversation_id,
            order.task_id,
            order.queue and order.queue[0],
            order.customer_id and (order.tenant_id, order.customer_id),
            order.idempotency and (order.tenant_id, *order.idempotency),
        )
        self.concerns: Collection[Hashable] = [name for name in named if name is not None]
        self.patient = order.patient
        self._order = order
        self._decide = decide
        self._recent = recent
        self._tried = False
        self._snapshot: Snapshot
        self.writes = Writes()
        self.answer: Answer

    def load(self, cursor: Cursor, now: Millis) -> Collection[Hashable]:
        """Its run's conversation is found only here, and so are the waits that it wakes and the tasks that it gives away."""
        known = None if self._tried else self._recent.standing(self._order)
        self._tried = True
        self._snapshot = found = load.snapshot(cursor, self._order, now, known)
        concerned = () if found.conversation is None else (found.conversation.id,)
        if found.listeners or found.free:
            return (*concerned, *(one.wait.id for one in found.listeners), *(task.id for task in found.free))
        return concerned

    def decide(self) -> None:
        """Keep what the decision writes and answers."""
        decision, self.answer = self._decide(self._snapshot)
        self.writes = writes(self._snapshot, decision)

    def save(self, cursor: Cursor) -> Answer:
        """Write the decision by itself; `writes` may also run together with those of other turns."""
        write(cursor, self.writes.asked)
        return self.answer

    def remember(self) -> None:
        """It is written: what it leaves is what the next turn finds."""
        self._recent.note(self.writes.left)


class Statement:
    """One statement, which rests on nothing; it is answered how many rows it changed."""

    concerns: Collection[Hashable] = ()
    patient = False

    def __init__(self, text: str, values: Any = ()) -> None:
        self._text = text
        self._values = values

    def load(self, _cursor: Cursor, _now: Millis) -> Collection[Hashable]:
        """Nothing."""
        return ()

    def decide(self) -> None:
        """Nothing."""

    def save(self, cursor: Cursor) -> int:
        """Run it."""
        return cursor.execute(self._text, self._values).rowcount
