"""How the pieces of a batch are done: in rounds, and in each round step by step: all are loaded, then all decided, then all saved.

Taking one piece after the other would cost a fifth more: the code and the pages of one step leave the processor's caches while the
others run. No two pieces of a round concern the same thing, so none rests on what another is about to change: one that would waits
for the next round, as does one that was stale. Each is saved under a savepoint of its own.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from engine.model.values import Millis
from engine.runtime.store.port import StaleRecord

TRIES = 3
"""Times that a stale piece is done before its caller hears of it."""


class Piece(Protocol):
    """What one caller wants done. Whatever it raises undoes it; a piece that was stale begins again with `load`."""

    concerns: Collection[Hashable]
    """What it may change or rest on, as far as it is known before anything is loaded."""

    def load(self, cursor: sqlite3.Cursor, now: Millis) -> Collection[Hashable]:
        """Read what is true; gives what the piece concerns besides."""

    def decide(self) -> None:
        """Decide by what was loaded."""

    def save(self, cursor: sqlite3.Cursor) -> Any:
        """Write what was decided; gives the answer."""


class Outcome(Struct, frozen=True):
    """What became of a piece."""

    answer: Any = None
    error: Exception | None = None


class Rounds:
    """A batch on its way through the open transaction."""

    def __init__(self, cursor: sqlite3.Cursor, clock: Callable[[], Millis]) -> None:
        self._cursor = cursor
        self._clock = clock
        self._failures: Counter[Piece] = Counter()
        self._outcomes: dict[Piece, Outcome] = {}
        self._left: list[Piece] = []

    def take(self, pieces: Sequence[Piece]) -> list[Outcome]:
        """The outcome of each; what the database itself fails with is raised, and the transaction is worth nothing then."""
        self._left = [*pieces]
        while self._left:
            left, self._left = self._left, []
            for piece in self._decided(self._loaded(left)):
                self._save(piece)
        return [self._outcomes[piece] for piece in pieces]

    def _loaded(self, pieces: Sequence[Piece]) -> list[Piece]:
        loaded: list[Piece] = []
        taken: set[Hashable] = set()
        for piece in pieces:
            try:
                if taken.isdisjoint(piece.concerns) and taken.isdisjoint(found := piece.load(self._cursor, self._clock())):
                    taken.update(piece.concerns, found)
                    loaded.append(piece)
                else:
                    self._left.append(piece)
            except Exception as error:  # noqa: BLE001 - whatever it was, its caller hears of it
                self._fail(piece, error)
        return loaded

    def _decided(self, pieces: Sequence[Piece]) -> list[Piece]:
        decided: list[Piece] = []
        for piece in pieces:
            try:
                piece.decide()
                decided.append(piece)
            except Exception as error:  # noqa: BLE001 - the same
                self._fail(piece, error)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - a native library that panics raises no Exception: nobody would be answered
                self._fail(piece, _panicked(error))
        return decided

    def _save(self, piece: Piece) -> None:
        self._cursor.execute("SAVEPOINT piece")
        try:
            self._outcomes[piece] = Outcome(piece.save(self._cursor))
        except Exception as error:  # noqa: BLE001 - the same
            self._fail(piece, error)
            self._cursor.execute("ROLLBACK TO piece")
        self._cursor.execute("RELEASE piece")

    def _fail(self, piece: Piece, error: Exception) -> None:
        if _is_of_the_database(error):
            raise error
        if not isinstance(error, StaleRecord | sqlite3.IntegrityError):
            self._outcomes[piece] = Outcome(error=error)
            return
        self._failures[piece] += 1
        if self._failures[piece] < TRIES:
            self._left.append(piece)
        else:
            self._outcomes[piece] = Outcome(error=error if isinstance(error, StaleRecord) else StaleRecord(str(error)))


def _panicked(error: BaseException) -> RuntimeError:
    failure = RuntimeError(f"a library panicked: {type(error).__name__}")
    failure.__cause__ = error
    return failure


def _is_of_the_database(error: Exception) -> bool:
    """Whether it is the database that failed, and not what one caller wanted to write."""
    return isinstance(error, sqlite3.OperationalError | sqlite3.InternalError) or type(error) is sqlite3.DatabaseError
