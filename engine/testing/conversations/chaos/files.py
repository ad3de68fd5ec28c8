"""A disturbed conversation in a database: a process that dies leaves the file and its log behind."""

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import Struct

from engine.runtime.invariants import check_invariants
from engine.runtime.store.migrate import migrate
from engine.runtime.store.registry import Registry
from engine.runtime.store.rows import OutboxRow, TaskRow, TurnRow
from engine.runtime.store.sqlite.open import open_sqlite
from engine.runtime.store.sqlite.save_statements import INSERT
from engine.runtime.store.sqlite.store import SqliteStore
from engine.runtime.store.tables import METADATA
from engine.testing.clock import ManualClock
from engine.testing.conversations.backstage import OpenStore
from engine.testing.conversations.chaos.places import KINDS, ordered

_QUICK: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
"""Processes die here, machines do not: a file in memory is durable enough."""
_PACKED: Final = {"variables", "owned", "payload", "data", "match", "values"}

RowT = TypeVar("RowT", bound=Struct)


class InFile:
    """A SQLite file; a process that dies leaves the file and its log as they are at that moment, and another one opens them."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._folder = tempfile.TemporaryDirectory(prefix="baton-chaos-", dir=_QUICK if _QUICK.is_dir() else None)
        self._number = 0
        self._file = Path(self._folder.name) / "0.db"
        self._file.write_bytes(_empty())
        self._sqlite: SqliteStore | None = None
        self._registry: Registry | None = None

    @property
    def store(self) -> OpenStore:
        """The file's."""
        return cast("OpenStore", _Shown(self._sqlite, self._file))

    async def open(self) -> None:
        """On a copy of what the last process has left, before it could tidy up."""
        if self._sqlite is not None:
            self._number += 1
            left, self._file = self._file, self._file.with_name(f"{self._number}.db")
            for suffix in ("", "-wal"):
                log = left.with_name(left.name + suffix)
                if log.exists():
                    shutil.copy(log, self._file.with_name(self._file.name + suffix))
            await self._let_go()
        self._sqlite, self._registry = await open_sqlite(self._file, self._clock, synchronous="normal")

    def rows(self) -> list[Struct]:
        """As they stand in the file."""
        return ordered(row for kind in KINDS for row in _read(self._file, kind))

    async def close(self) -> list[str]:
        """The file is looked through, and goes."""
        await self._let_go()
        broken = check_invariants(self._file)
        self._folder.cleanup()
        return broken

    async def _let_go(self) -> None:
        if self._sqlite is not None and self._registry is not None:
            await self._sqlite.close()
            await self._registry.close()


class _Shown:
    """The store in a file, with what tests look at besides."""

    def __init__(self, store: SqliteStore | None, file: Path) -> None:
        self._store = store
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def outbox(self, tenant_id: str) -> Sequence[OutboxRow]:
        """In order of each run."""
        rows = (row for row in _read(self._file, OutboxRow) if row.tenant_id == tenant_id)
        return sorted(rows, key=lambda row: (row.run_id, row.rev, row.n))

    def tasks(self, tenant_id: str) -> Sequence[TaskRow]:
        """In order of their ids."""
        return sorted((row for row in _read(self._file, TaskRow) if row.tenant_id == tenant_id), key=lambda row: row.id)

    def count_turns(self) -> int:
        """As many as there are rows."""
        return len(_read(self._file, TurnRow))


@cache
def _empty() -> bytes:
    """A database with its tables and nothing in them, made once for all."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        migrate(f"sqlite:///{file}")
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # the file is whole by itself, and may be opened in memory
        return file.read_bytes()


def broken_in(rows: Iterable[Struct]) -> list[str]:
    """What rows in memory break of the invariants: they are written into a database, and looked at there."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(_empty())
        for row in rows:
            table = re.sub("(?<!^)(?=[A-Z])", "_", type(row).__name__.removesuffix("Row")).lower()
            values = [_packed(column.name, getattr(row, column.name)) for column in METADATA.tables[table].columns]
            connection.execute(INSERT[table], values)
        return check_invariants(connection)


def _read(file: Path, kind: type[RowT]) -> list[RowT]:
    names = kind.__struct_fields__
    table = kind.__name__.removesuffix("Row").lower()
    columns = ", ".join(f'"{name}"' for name in names)
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute(f'SELECT {columns} FROM "{table}"').fetchall()  # noqa: S608 - our own names
    return [msgspec.convert(dict(zip(names, map(_plain, names, row), strict=True)), kind, strict=False) for row in found]


def _packed(name: str, value: Any) -> Any:
    """The value as its column holds it; of what is packed only a message's values may be absent."""
    return msgspec.msgpack.encode(value) if name in _PACKED and (name, value) != ("values", None) else value


def _plain(name: str, value: Any) -> Any:
    """What is packed in a column, as the row has it."""
    return msgspec.msgpack.decode(value) if isinstance(value, bytes) and name in _PACKED else value
