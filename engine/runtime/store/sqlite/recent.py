"""What the last turns left in the database, kept in memory: whoever answers soon is served without reading the file.

It holds what the writer's connection would read, as long as that connection alone writes: what its own turns change is noted as they are
written, and a commit of any other connection, which SQLite counts, makes all of it forgotten. So does every failure.
"""

from collections import OrderedDict
from collections.abc import Iterable
from sqlite3 import Cursor
from typing import Final, TypeVar

import msgspec
from msgspec import Struct, field

from engine.runtime.store.port import Order
from engine.runtime.store.rows import ConversationRow, RunRow, WaitRow

_MOST: Final = 1_024
"""Waits, and conversations, that are remembered."""
_LARGEST_STATE: Final = 8_192
_LARGEST_VARIABLES: Final = 4_096
"""Bytes: what has more is loaded each time, so that memory has a bound whatever flows keep."""
_encode: Final = msgspec.msgpack.Encoder().encode

Key = TypeVar("Key")
Value = TypeVar("Value")


class Standing(Struct, frozen=True):
    """A run at its open wait, in its conversation."""

    run: RunRow
    wait: WaitRow
    conversation: ConversationRow


class Left(Struct, frozen=True):
    """What a decision leaves once it is written."""

    gone: list[str] = field(default_factory=list)
    """Waits that are not as they were."""
    opened: list[tuple[RunRow, WaitRow]] = field(default_factory=list)
    conversations: list[ConversationRow] = field(default_factory=list)
    """Those that it opens or changes."""


class Recent:
    """Remembers so many waits and conversations, the latest."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._version: int | None = None
        self._waits: OrderedDict[str, tuple[RunRow, WaitRow]] = OrderedDict()
        self._conversations: OrderedDict[str, ConversationRow] = OrderedDict()

    def trust(self, cursor: Cursor) -> None:
        """To be told of each transaction once it is open: what another connection has committed since the last is not known here."""
        [version] = cursor.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self.forget()
            self._version = version

    def forget(self) -> None:
        """Know nothing."""
        self._version = None
        self._waits.clear()
        self._conversations.clear()

    def standing(self, order: Order) -> Standing | None:
        """The run at the wait that the order names, if all of it is known."""
        found = None if order.wait_id is None else self._waits.get(order.wait_id)
        if found is None:
            return None
        run, wait = found
        conversation = self._conversations.get(run.conversation_id)
        if conversation is None or run.tenant_id != order.tenant_id or order.run_id not in {None, run.id}:
            return None
        return Standing(run, wait, conversation)

    def note(self, left: Left) -> None:
        """It was written."""
        for wait_id in left.gone:
            self._waits.pop(wait_id, None)
        _put(self._waits, ((wait.id, (run, wait)) for run, wait in left.opened if len(run.state) <= _LARGEST_STATE), self._most)
        for row in left.conversations:
            if self._is_small(row):
                _put(self._conversations, [(row.id, row)], self._most)
            else:
                self._conversations.pop(row.id, None)

    def _is_small(self, row: ConversationRow) -> bool:
        known = self._conversations.get(row.id)
        return (known is not None and known.variables is row.variables) or len(_encode(row.variables)) <= _LARGEST_VARIABLES


def _put(known: OrderedDict[Key, Value], news: Iterable[tuple[Key, Value]], most: int) -> None:
    """Add the news as the latest, and drop the oldest above the bound."""
    for key, value in news:
        known[key] = value
        known.move_to_end(key)
        if len(known) > most:
            known.popitem(last=False)
