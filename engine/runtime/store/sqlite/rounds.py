"""How the pieces of a batch are done: in rounds, and in each round step by step: all are loaded, then all decided, then all saved.

Taking one piece after the other would cost a fifth more: the code and the pages of one step leave the processor's caches while the
others run. No two pieces of a round concern the same thing, so none rests on what another is about to change: one that would waits
for the next round, as does one that was stale. A round's turns are saved together, under one savepoint; only where that fails is each
saved under its own, so that it is known whose fault it was.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from msgspec import Struct

from engine.model.values import Millis
from engine.runtime.store.port import StaleRecord
from engine.runtime.store.sqlite.pieces import Piece, Turn
from engine.runtime.store.sqlite.save import write

TRIES = 3
"""Times that a stale piece is done before its caller hears of it."""


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
            self._save(self._decided(self._loaded(left)))
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

    def _save(self, pieces: Sequence[Piece]) -> None:
        """The turns together, where that can be done, and everything else one after the other."""
        turns = [piece for piece in pieces if isinstance(piece, Turn)]
        asked = [one for turn in turns for one in turn.writes.asked]
        together = len(turns) > 1 and self._attempt(lambda: write(self._cursor, asked)) is None
        for piece in pieces:
            if together and isinstance(piece, Turn):
                self._outcomes[piece] = Outcome(piece.answer)
                piece.remember()
            else:
                self._save_alone(piece)

    def _save_alone(self, piece: Piece) -> None:
        error = self._attempt(lambda: self._outcomes.update({piece: Outcome(piece.save(self._cursor))}))
        if error is not None:
            self._fail(piece, error)
        elif isinstance(piece, Turn):
            piece.remember()

    def _attempt(self, step: Callable[[], None]) -> Exception | None:
        """Do it whole, or not at all; gives what it failed with."""
        self._cursor.execute("SAVEPOINT attempt")
        failure: Exception | None = None
        try:
            step()
        except Exception as error:
            if _is_of_the_database(error):
                raise
            failure = error
            self._cursor.execute("ROLLBACK TO attempt")
        self._cursor.execute("RELEASE attempt")
        return failure

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
