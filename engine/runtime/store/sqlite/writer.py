"""The one connection that writes: it takes whatever work is waiting, does it in rounds, and commits all of it together.

The statements run on the event loop, where the decisions are: they never wait for the disk, and between two threads each of them would
change hands twice. What may wait runs on a thread of its own: opening the file, another process that writes, the commit. Meanwhile the
loop reads and answers requests, and the next batch grows.

Nobody is answered before the commit. A piece that is refused, stale or broken disturbs no other of its batch; a commit that fails
tells all of the batch that nothing was written. Work whose caller has gone is done all the same.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.errors import Unavailable
from engine.runtime.clock import SteadyClock
from engine.runtime.faults import FaultName, FaultPoints
from engine.runtime.store.sqlite.aside import Aside
from engine.runtime.store.sqlite.connect import BUSY_MILLIS, Synchronous, connect_writer
from engine.runtime.store.sqlite.lines import BATCH, Lines
from engine.runtime.store.sqlite.pieces import Piece
from engine.runtime.store.sqlite.recent import Recent
from engine.runtime.store.sqlite.rounds import Outcome, Rounds
from engine.runtime.store.sqlite.save_statements import RAISE_MARK

_WAY_IN = 3
"""Rounds of the loop that a request takes from its socket to the writer."""

_BUSY_STEP = 0.0005
"""Seconds after which it is tried again to begin while another process writes: as long as a commit takes."""


class _Job(Struct, frozen=True):
    piece: Piece
    future: asyncio.Future[Any]


class Writer:
    """Commits customers' work in the order in which it came, and what is patient between it; it belongs to the loop on which it is used."""

    def __init__(self, path: Path, clock: SteadyClock, synchronous: Synchronous, faults: FaultPoints | None = None) -> None:
        self._path = path
        self._clock = clock
        self._synchronous: Synchronous = synchronous
        self._faults = faults
        self._waiting: Lines[_Job] = Lines()
        self._writing: asyncio.Task[None] | None = None
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._aside = Aside("baton-writer")
        self.recent = Recent()

    async def run(self, piece: Piece) -> Any:
        """The piece's answer, once it is on disk; a caller that stops waiting does not stop the work."""
        if self._closed:
            raise Unavailable("The store is closed.", retry_after=1)
        job = _Job(piece, asyncio.get_running_loop().create_future())
        self._waiting.add(job, patient=piece.patient)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        answer = await job.future
        self._reach("before_reply")
        return answer

    async def close(self) -> None:
        """Do all that was accepted, then let go of the file; later work is refused."""
        if self._closed:
            return
        self._closed = True
        if self._writing is not None:
            await asyncio.wait({self._writing})
        await self._aside.run(self._disconnect)
        self._aside.end()

    async def _write(self) -> None:
        await self._gather()
        while self._waiting:
            batch = self._waiting.take()
            outcomes = await self._commit([job.piece for job in batch])
            for job, outcome in zip(batch, outcomes, strict=True):
                _settle(job.future, outcome)
            # The answers leave first. What has come in meanwhile is not kept waiting for whoever is answered now: they ask again while it
            # is committed, and so the loop and the disk work at the same time.
            await asyncio.sleep(0)
            if not self._waiting:
                await self._gather()

    async def _gather(self) -> None:
        """Wait as long as more comes in: answers leave, and what is on its way arrives."""
        before = 0
        while before < len(self._waiting) < BATCH:
            before = len(self._waiting)
            for _ in range(_WAY_IN):
                await asyncio.sleep(0)

    async def _commit(self, pieces: Sequence[Piece]) -> list[Outcome]:
        try:
            return await self._attempt(pieces)
        except Exception as error:  # noqa: BLE001 - whatever it was: the writer goes on, and its callers hear of it
            await self._aside.run(self._disconnect)
            return [Outcome(error=_unavailable(error)) for _ in pieces]

    async def _attempt(self, pieces: Sequence[Piece]) -> list[Outcome]:
        if self._connection is None:
            self._connection = await self._aside.run(self._connect)
        connection = self._connection
        before = connection.total_changes
        cursor = connection.cursor()
        await self._begin(cursor)
        self.recent.trust(cursor)
        outcomes = Rounds(cursor, self._clock.now).take(pieces)
        changed = connection.total_changes != before
        if changed:
            cursor.execute(RAISE_MARK, (self._clock.now(),))
        await self._aside.run(lambda: self._end(cursor, changed=changed))
        return outcomes

    async def _begin(self, cursor: sqlite3.Cursor) -> None:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _is_busy(error):
                raise
            await self._aside.run(lambda: _begin_patiently(cursor))

    def _end(self, cursor: sqlite3.Cursor, *, changed: bool) -> None:
        # A file that was removed or replaced can still be written to, and all of it would be lost.
        if changed and os.stat(self._path).st_ino != self._inode:  # noqa: PTH116 - four times as fast as Path.stat
            raise OSError("the database file was replaced")
        self._reach("before_commit")
        cursor.execute("COMMIT")
        self._reach("after_commit")

    def _reach(self, name: FaultName) -> None:
        if self._faults is not None:
            self._faults.reach(name)

    def _connect(self) -> sqlite3.Connection:
        connection = connect_writer(self._path, self._synchronous)
        connection.execute("PRAGMA busy_timeout = 0")  # the loop waits for nobody
        self._inode = self._path.stat().st_ino
        return connection

    def _disconnect(self) -> None:
        """Let go of the connection, and with it of whatever it had not committed; the next batch opens a new one."""
        self.recent.forget()
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _begin_patiently(cursor: sqlite3.Cursor) -> None:
    """Another process writes, such as one that publishes flows: begin as soon as it has done, or raise what SQLite says in the end.

    SQLite's own patience sleeps longer each time, up to a tenth of a second: it would sleep on long after the other has done, and all
    who wait for their turns with it.
    """
    until = time.monotonic() + BUSY_MILLIS / 1000
    while True:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > until:
                raise
            time.sleep(_BUSY_STEP)
        else:
            return


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _settle(future: asyncio.Future[Any], outcome: Outcome) -> None:
    if future.done():  # its caller has gone
        return
    if outcome.error is None:
        future.set_result(outcome.answer)
    else:
        future.set_exception(outcome.error)


def _unavailable(error: Exception) -> Unavailable:
    refusal = Unavailable(retry_after=1)
    refusal.__cause__ = error
    return refusal
