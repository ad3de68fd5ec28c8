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
from engine.runtime.store.sqlite.pieces import Statement, Turn
from engine.runtime.store.sqlite.save import write

TRIES = 3
"""Times that a stale piece is done before its caller hears of it."""


Piece = Turn[Any] | Statement
"""What one caller wants done. Whatever it raises undoes it; a turn that was stale begins again with `load`."""


class Outcome(Struct, frozen=True):
    """What became of a piece."""

    answer: Any = None
    error: Exception | None = None


class Rounds:
    """A batch on its way through the open transaction."""

    def __init__(self, cursor: sqlite3.Cursor, clock: Callable[[], Millis]) -> None:
        self._cursor = cursor
        self._clock = clock
        self._failures: Counter[Turn[Any]] = Counter()
        self._outcomes: dict[Piece, Outcome] = {}
        self._left: list[Turn[Any]] = []

    def take(self, pieces: Sequence[Piece]) -> list[Outcome]:
        """The outcome of each; what the database itself fails with is raised, and the transaction is worth nothing then."""
        for piece in pieces:
            if isinstance(piece, Statement):
                self._run(piece)
            else:
                self._left.append(piece)
        while self._left:
            left, self._left = self._left, []
            self._save(self._decided(self._loaded(left)))
        return [self._outcomes[piece] for piece in pieces]

    def _loaded(self, turns: Sequence[Turn[Any]]) -> list[Turn[Any]]:
        loaded: list[Turn[Any]] = []
        taken: set[Hashable] = set()
        for turn in turns:
            try:
                if taken.isdisjoint(turn.concerns) and taken.isdisjoint(found := turn.load(self._cursor, self._clock())):
                    taken.update(turn.concerns, found)
                    loaded.append(turn)
                else:
                    self._left.append(turn)
            except Exception as error:  # noqa: BLE001 - whatever it was, its caller hears of it
                self._fail(turn, error)
        return loaded

    def _decided(self, turns: Sequence[Turn[Any]]) -> list[Turn[Any]]:
        decided: list[Turn[Any]] = []
        for turn in turns:
            try:
                turn.decide()
                decided.append(turn)
            except Exception as error:  # noqa: BLE001 - the same
                self._fail(turn, error)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - a native library that panics raises no Exception: nobody would be answered
                self._fail(turn, _panicked(error))
        return decided

    def _save(self, turns: Sequence[Turn[Any]]) -> None:
        """All of them, or where that fails, one after the other."""
        error = self._attempt(lambda: write(self._cursor, [one for turn in turns for one in turn.writes]))
        if error is None:
            self._outcomes.update((turn, Outcome(turn.answer)) for turn in turns)
        elif len(turns) == 1:
            self._fail(turns[0], error)
        else:
            for turn in turns:
                self._save([turn])

    def _run(self, statement: Statement) -> None:
        error = self._attempt(lambda: self._outcomes.update({statement: Outcome(statement.run(self._cursor))}))
        if error is not None:
            self._outcomes[statement] = Outcome(error=error)

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

    def _fail(self, turn: Turn[Any], error: Exception) -> None:
        if _is_of_the_database(error):
            raise error
        if not isinstance(error, StaleRecord | sqlite3.IntegrityError):
            self._outcomes[turn] = Outcome(error=error)
            return
        self._failures[turn] += 1
        if self._failures[turn] < TRIES:
            self._left.append(turn)
        else:
            self._outcomes[turn] = Outcome(error=error if isinstance(error, StaleRecord) else StaleRecord(str(error)))


def _panicked(error: BaseException) -> RuntimeError:
    failure = RuntimeError(f"a library panicked: {type(error).__name__}")
    failure.__cause__ = error
    return failure


def _is_of_the_database(error: Exception) -> bool:
    """Whether it is the database that failed, and not what one caller wanted to write."""
    return isinstance(error, sqlite3.OperationalError | sqlite3.InternalError) or type(error) is sqlite3.DatabaseError
