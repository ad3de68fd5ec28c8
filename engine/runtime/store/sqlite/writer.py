"""The one thread that writes: it takes whatever work is waiting, does each piece under a savepoint, and commits them together.

Nobody is answered before the commit. A piece that is refused, stale or broken disturbs no other of its batch; a commit that fails
tells all of the batch that nothing was written. Work whose caller has gone is done all the same.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from msgspec import Struct

from engine.errors import Unavailable
from engine.model.values import Millis
from engine.runtime.clock import SteadyClock
from engine.runtime.faults import FaultName, FaultPoints
from engine.runtime.store.port import StaleRecord
from engine.runtime.store.sqlite.connect import Synchronous, connect_writer
from engine.runtime.store.sqlite.statements import RAISE_MARK

Answer = TypeVar("Answer")
Work = Callable[[sqlite3.Cursor, Millis], Answer]
"""Reads and writes in the open transaction and gives the answer; whatever it raises undoes it."""

BATCH = 64
"""Pieces that share a commit at most: more would not save much of its cost, and keep the first waiting."""
TRIES = 3
"""Times that stale work is done before its caller hears of it."""


class _Job(Struct, frozen=True):
    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class _Outcome(Struct, frozen=True):
    job: _Job
    answer: Any = None
    error: Exception | None = None


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

    async def run(self, work: Work[Answer]) -> Answer:
        """The work's answer, once it is on disk; a caller that stops waiting does not stop the work."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        with self._closing:  # so that nothing is put behind the mark that ends the thread
            if self._closed or not self._thread.is_alive():
                raise Unavailable("The store is closed.", retry_after=1)
            self._jobs.put(_Job(work, loop, future))
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
                self._answer(self._commit(batch))
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

    def _commit(self, batch: list[_Job]) -> list[_Outcome]:
        try:
            return self._attempt(batch)
        except Exception as error:  # noqa: BLE001 - whatever it was: the thread goes on, and its callers hear of it
            self._disconnect()
            return [_Outcome(job, error=_unavailable(error)) for job in batch]

    def _attempt(self, batch: list[_Job]) -> list[_Outcome]:
        connection = self._connected()
        cursor = connection.cursor()
        before = connection.total_changes
        cursor.execute("BEGIN IMMEDIATE")
        outcomes = [self._do(cursor, job) for job in batch]
        if connection.total_changes != before:
            cursor.execute(RAISE_MARK, (self._clock.now(),))
            self._look_for_file()
        self._reach("before_commit")
        cursor.execute("COMMIT")
        self._reach("after_commit")
        return outcomes

    def _do(self, cursor: sqlite3.Cursor, job: _Job) -> _Outcome:
        stale: Exception | None = None
        for _ in range(TRIES):
            cursor.execute("SAVEPOINT piece")
            try:
                answer = job.work(cursor, self._clock.now())
            except Exception as error:
                if _is_of_the_database(error):
                    raise
                cursor.execute("ROLLBACK TO piece")
                cursor.execute("RELEASE piece")
                if not isinstance(error, StaleRecord | sqlite3.IntegrityError):
                    return _Outcome(job, error=error)
                stale = error if isinstance(error, StaleRecord) else StaleRecord(str(error))
            else:
                cursor.execute("RELEASE piece")
                return _Outcome(job, answer)
        return _Outcome(job, error=stale)

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
    def _answer(outcomes: list[_Outcome]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
        for outcome in outcomes:
            by_loop.setdefault(outcome.job.loop, []).append(outcome)
        for loop, its in by_loop.items():
            with suppress(RuntimeError):  # the loop was closed, and nobody is left to hear
                loop.call_soon_threadsafe(_settle, its)


def _settle(outcomes: list[_Outcome]) -> None:
    for outcome in outcomes:
        future = outcome.job.future
        if future.done():  # its caller has gone
            continue
        if outcome.error is None:
            future.set_result(outcome.answer)
        else:
            future.set_exception(outcome.error)


def _is_of_the_database(error: Exception) -> bool:
    """Whether it is the database that failed, and not what one caller wanted to write."""
    return isinstance(error, sqlite3.OperationalError | sqlite3.InternalError) or type(error) is sqlite3.DatabaseError


def _unavailable(error: Exception) -> Unavailable:
    refusal = Unavailable(retry_after=1)
    refusal.__cause__ = error
    return refusal
