"""Opens the store and the registry of one SQLite file, migrated to what this version expects."""

import asyncio
import os
import sqlite3
from contextlib import closing, nullcontext
from pathlib import Path

from engine.errors import StoreError
from engine.model.values import Millis
from engine.runtime.clock import Clock, SteadyClock
from engine.runtime.faults import FaultPoints
from engine.runtime.store.sqlite.connect import Synchronous, connect_writer
from engine.runtime.store.sqlite.load_statements import READ_MARK
from engine.runtime.store.sqlite.lock import ServerLock
from engine.runtime.store.sqlite.readers import Readers
from engine.runtime.store.sqlite.registry import SqliteRegistry
from engine.runtime.store.sqlite.store import SqliteStore
from engine.runtime.store.sqlite.writer import Writer
from engine.runtime.store.tables import NEWEST_MIGRATION


async def open_sqlite(
    path: Path, clock: Clock, *, synchronous: Synchronous = "full", faults: FaultPoints | None = None, locked: bool = False
) -> tuple[SqliteStore, SqliteRegistry]:
    """The store and the registry of the file, which is made when it is not there; both are to be closed.

    `locked` says that the caller holds the file's lock. StoreError when the file cannot be Baton's database.
    """
    registry = await open_registry(path, locked=locked)
    steady = SteadyClock(clock, await asyncio.to_thread(_high_water, path, synchronous))
    readers = await Readers.open(path)
    writer = Writer(path, steady, synchronous, faults)
    return SqliteStore(writer, readers, steady), registry


async def open_registry(path: Path, *, locked: bool = False) -> SqliteRegistry:
    """The registry alone, for programs that manage while a server runs on the file.

    StoreError where the file has to be migrated and a server runs on it, which is then an older one.
    """
    await asyncio.to_thread(_prepare, path, locked=locked)
    return SqliteRegistry(path)


def _prepare(path: Path, *, locked: bool) -> None:
    try:
        # What people say stands in it: whoever may read it is for the operator to decide.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}.") from error
    revision = _revision(path)
    if revision != NEWEST_MIGRATION:
        # Alembic takes as long to load as the rest of the server: it is brought in only when there is something to migrate.
        from engine.runtime.store.migrate import migrate  # noqa: PLC0415

        with nullcontext() if locked or revision is None else ServerLock(path):
            migrate(f"sqlite:///{path.absolute()}")


def _revision(path: Path) -> str | None:
    """The newest migration that the file has had; None for one that has had none, whatever else it may be."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return None
    return found and str(found[0])


def _high_water(path: Path, synchronous: Synchronous) -> Millis:
    try:
        with closing(connect_writer(path, synchronous)) as connection:
            found = connection.execute(READ_MARK).fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be read: {error}.") from error
    return found[0] if found else 0
