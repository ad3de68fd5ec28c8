"""Every order in which contenders for one row can load, decide and save, over the real deciders and the real statements of SQLite.

A contender loads and decides in one move and saves in another, since a decision reads nothing but what was loaded; saving and committing
are one move, since a writer holds the database from its first change on. One move lets the time pass at which the deadline is due. A crash
may come between any two moves: what was loaded is lost with the process, and whoever has not been answered asks again.
"""

import itertools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from engine.errors import Refused
from engine.model.values import Millis
from engine.runtime.store.port import Decision, Noted, Order, Snapshot, StaleRecord
from engine.runtime.store.sqlite import load
from engine.runtime.store.sqlite.rounds import TRIES
from engine.runtime.store.sqlite.save import write, writes
from engine.runtime.turns.leases import TakenOver
from engine.runtime.turns.occasion import Drafted, Postponed

Told = Drafted | TakenOver | Postponed | bytes | Refused | None


class Contender(Struct, frozen=True):
    """Somebody who wants something of the row."""

    name: str
    order: Order
    decide: Callable[[Snapshot], Told]
    then: Callable[[Any], "Contender"] | None = None
    """Who comes of it when it has taken over a run."""


class Loaded(Struct, frozen=True):
    """What was seen, and what is to be done about it."""

    snapshot: Snapshot
    told: Told


class Done(Struct, frozen=True):
    """What was told in the end; `saved`: something was committed for it, and nobody knows yet whether the answer has arrived."""

    told: Told
    saved: bool


Phase = Loaded | Done | None
"""None: it has yet to load."""


class Board(Struct, frozen=True):
    """How everything stands."""

    contenders: tuple[Contender, ...]
    phases: tuple[Phase, ...]
    now: Millis
    tries: tuple[int, ...]
    late: Millis | None
    """The moment that is still to come; None: it has."""
    crashes: int
    """How many may still come."""
    turns: tuple[str, ...] = ()
    """Who has had a turn committed, in order."""


class Broken(Exception):
    """Something that must never be; the message tells the moves that led to it."""


class Exploration:
    """A walk through all orders from one state of the database; each end is judged."""

    def __init__(self, connection: sqlite3.Connection, judge: Callable[[Board, sqlite3.Connection], str | None]) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._judge = judge
        self.orders = 0
        """Ends that were reached, each by an order of its own."""
        self.moves = 0
        self._path: list[str] = []

    def explore(self, board: Board) -> None:
        """All orders from here; raises Broken at the first end that must not be."""
        if all(isinstance(phase, Done) for phase in board.phases):
            self._end(board)
        for name, move in list(self._moves(board)):
            mark = f"move{len(self._path)}"
            self._cursor.execute(f"SAVEPOINT {mark}")
            self._path.append(name)
            self.moves += 1
            self.explore(move())
            self._path.pop()
            self._cursor.execute(f"ROLLBACK TO {mark}")
            self._cursor.execute(f"RELEASE {mark}")

    def _end(self, board: Board) -> None:
        self.orders += 1
        complaint = self._judge(board, self._connection)
        if complaint is not None:
            raise Broken(f"{complaint}, after: {', '.join(self._path)}")

    def use(self, cursor: Any) -> None:
        """Save through another cursor, such as one that leaves out conditions."""
        self._cursor = cursor

    def _moves(self, board: Board) -> Iterator[tuple[str, Callable[[], Board]]]:
        for place, phase in enumerate(board.phases):
            name = board.contenders[place].name
            match phase:
                case None:
                    yield f"{name} loads", lambda place=place: self._load(board, place)  # type: ignore[misc]
                case Loaded():
                    yield f"{name} saves", lambda place=place, phase=phase: self._save(board, place, phase)  # type: ignore[misc]
                case Done():
                    pass
        if board.late is not None and not all(isinstance(phase, Done) for phase in board.phases):
            late = board.late
            yield "time passes", lambda: replace(board, now=late, late=None)
        if board.crashes:
            yield from self._crashes(board)

    def _crashes(self, board: Board) -> Iterator[tuple[str, Callable[[], Board]]]:
        """One for each choice of those whose answers are lost; where all is said and done, one that nobody notices is left out."""
        over = all(isinstance(phase, Done) for phase in board.phases)
        saved = [place for place, phase in enumerate(board.phases) if isinstance(phase, Done) and phase.saved]
        for count in range(over, len(saved) + 1):
            for unheard in itertools.combinations(saved, count):
                phases = tuple(
                    phase if isinstance(phase, Done) and place not in unheard else None for place, phase in enumerate(board.phases)
                )
                told = " and ".join(board.contenders[place].name for place in unheard)
                name = f"a crash{f' before {told} is answered' if told else ''}"
                yield name, lambda phases=phases: replace(board, phases=phases, crashes=board.crashes - 1)  # type: ignore[misc]

    def _load(self, board: Board, place: int) -> Board:
        contender = board.contenders[place]
        snapshot = load.snapshot(self._cursor, contender.order, board.now)
        try:
            told = contender.decide(snapshot)
        except Refused as refusal:
            return _with(board, place, Done(refusal, saved=False))
        return _with(board, place, Done(told, saved=False) if told is None or isinstance(told, bytes) else Loaded(snapshot, told))

    def _save(self, board: Board, place: int, phase: Loaded) -> Board:
        self._cursor.execute("SAVEPOINT piece")
        try:
            write(self._cursor, writes(phase.snapshot, _decision(phase.told)).asked)
        except (StaleRecord, sqlite3.IntegrityError):
            self._cursor.execute("ROLLBACK TO piece")
            return self._again(board, place)
        finally:
            self._cursor.execute("RELEASE piece")
        after = _with(board, place, Done(phase.told, saved=True))
        contender = board.contenders[place]
        if isinstance(phase.told, Drafted):
            return replace(after, turns=(*after.turns, contender.name))
        if contender.then is not None:
            following = contender.then(phase.told)
            return replace(after, contenders=(*after.contenders, following), phases=(*after.phases, None), tries=(*after.tries, 0))
        return after

    def _again(self, board: Board, place: int) -> Board:
        tries = board.tries[place] + 1
        if tries == TRIES:
            raise Broken(f"{board.contenders[place].name} was stale {tries} times, after: {', '.join(self._path)}")
        return replace(_with(board, place, None), tries=_put(board.tries, place, tries))


def board(contenders: Sequence[Contender], now: Millis, late: Millis | None, crashes: int) -> Board:
    """Where everything begins."""
    return Board(tuple(contenders), (None,) * len(contenders), now, (0,) * len(contenders), late, crashes)


def _with(before: Board, place: int, phase: Phase) -> Board:
    return replace(before, phases=_put(before.phases, place, phase))


def _put(values: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def _decision(told: Told) -> Decision:
    match told:
        case Drafted():
            return told.record
        case TakenOver():
            return Noted(leased=told.leased)
        case Postponed():
            return Noted(moved=(told.moved,))
        case _:
            return Noted()
