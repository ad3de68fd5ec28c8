"""The one thread that writes: it takes whatever work is waiting, does it in rounds, and commits all of it together.

Nobody is answered before the commit. A piece that is refused, stale or broken disturbs no other of its batch; a commit that fails
tells all of the batch that nothing was written. Work whose caller has gone is done all the same.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from msgspec import Struct

from engine.errors import Unavailable
from engine.runtime.clock import SteadyClock
from engine.runtime.faults import FaultName, FaultPoints
from engine.runtime.store.sqlite.connect import Synchronous, connect_writer
from engine.runtime.store.sqlite.rounds import Outcome, Piece, Rounds
from engine.runtime.store.sqlite.statements import RAISE_MARK

BATCH = 64
"""Pieces that share a commit at most: more would not save much of its cost, and keep the first waiting."""


class _Job(Struct, frozen=True):
    piece: Piece
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


_Answered = tuple[asyncio.Future[Any], Outcome]


class Writer:
    """Commits work for any number of event loops, in the order in which it came."""

    def __init__(self, path: Path, clock: SteadyClock, synchronous: Synchronous, faults: FaultPoints | None = None) -> None:
        self._path = path
        self._clock = clock
        self._synchronous: Synchronous = synchronous
        self._faults = faults
        # SimpleQueue's own lock spans its check for emptiness and its sleep: no wake-up is lost between them.
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._thread = threading.Thread(target=self._serve, name="baton-writer", daemon=True)

    def start(self) -> None:
        """Begin to take work."""
        self._thread.start()

    async def run(self, piece: Piece) -> Any:
        """The piece's answer, once it is on disk; a caller that stops waiting does not stop the work."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        with self._closing:  # so that nothing is put behind the mark that ends the thread
            if self._closed or not self._thread.is_alive():
                raise Unavailable("The store is closed.", retry_after=1)
            self._jobs.put(_Job(piece, loop, future))
        answer = await future
        self._reach("before_reply")
        return answer

    async def close(self) -> None:
        """Do all that was accepted, then end the thread; later work is refused."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        going_on = True
        while going_on:
            batch, going_on = self._next_batch()
            if batch:
                self._answer(batch, self._commit([job.piece for job in batch]))
        self._disconnect()

    def _next_batch(self) -> tuple[list[_Job], bool]:
        batch: list[_Job] = []
        try:
            job = self._jobs.get()
            while job is not None:
                batch.append(job)
                if len(batch) == BATCH:
                    return batch, True
                job = self._jobs.get_nowait()
        except Empty:
            return batch, True
        return batch, False

    def _commit(self, pieces: Sequence[Piece]) -> list[Outcome]:
        try:
            return self._attempt(pieces)
        except Exception as error:  # noqa: BLE001 - whatever it was: the thread goes on, and its callers hear of it
            self._disconnect()
            return [Outcome(error=_unavailable(error)) for _ in pieces]

    def _attempt(self, pieces: Sequence[Piece]) -> list[Outcome]:
        connection = self._connected()
        cursor = connection.cursor()
        before = connection.total_changes
        cursor.execute("BEGIN IMMEDIATE")
        outcomes = Rounds(cursor, self._clock.now).take(pieces)
        if connection.total_changes != before:
            cursor.execute(RAISE_MARK, (self._clock.now(),))
            self._look_for_file()
        self._reach("before_commit")
        cursor.execute("COMMIT")
        self._reach("after_commit")
        return outcomes

    def _reach(self, name: FaultName) -> None:
        if self._faults is not None:
            self._faults.reach(name)

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect_writer(self._path, self._synchronous)
            self._inode = self._path.stat().st_ino
        return self._connection

    def _look_for_file(self) -> None:
        # A file that was removed or replaced can still be written to, and all of it would be lost.
        if os.stat(self._path).st_ino != self._inode:  # noqa: PTH116 - four times as fast as Path.stat, once a commit
            raise OSError("the database file was replaced")

    def _disconnect(self) -> None:
        """Let go of the connection, and with it of whatever it had not committed; the next batch opens a new one."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    @staticmethod
    def _answer(batch: Sequence[_Job], outcomes: Sequence[Outcome]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Answered]] = {}
        for job, outcome in zip(batch, outcomes, strict=True):
            by_loop.setdefault(job.loop, []).append((job.future, outcome))
        for loop, its in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed, and nobody is left to hear
                loop.call_soon_threadsafe(_settle, its)


def _settle(answered: Sequence[_Answered]) -> None:
    for future, outcome in answered:
        if future.done():  # its caller has gone
            continue
        if outcome.error is None:
            future.set_result(outcome.answer)
        else:
            future.set_exception(outcome.error)


def _unavailable(error: Exception) -> Unavailable:
    refusal = Unavailable(retry_after=1)
    refusal.__cause__ = error
    return refusal
