"""Looks at a SQLite file without changing it: is it ours, whole, of this version, and are its waits on time."""

import fcntl
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from engine.errors import StoreError
from engine.model.values import Millis
from engine.runtime.store.sqlite.delivery_statements import COUNT_PARKED
from engine.runtime.store.sqlite.load_statements import READ_MARK
from engine.runtime.store.sqlite.questions import NEXT_DUE, SEALED
from engine.runtime.store.tables import NEWEST_MIGRATION


class Inspection(Struct, frozen=True):
    """What was found in the file."""

    complaint: str | None
    """What the database's own check says first; None for a whole file."""
    revision: str | None
    """The newest migration that the file has had."""
    high_water: Millis = 0
    """The latest moment that was ever told; 0 where none was."""
    next_due: Millis | None = None
    """The nearest moment at which an open wait is due, past or to come."""
    served: bool = False
    """Whether a server runs on the file."""
    parked: int = 0
    """Deliveries to webhooks that were given up."""
    sealed: tuple[bytes, ...] = ()
    """The secrets of connections and webhooks, as they are kept."""


def inspect(path: Path) -> Inspection:
    """What is true of the file; StoreError when it is not there or is no database of ours."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            complaint = _first(connection, "PRAGMA quick_check(1)")
            revision = _first(connection, "SELECT version_num FROM alembic_version")
            found = Inspection(None if complaint == "ok" else complaint, revision, served=_served(path))
            if revision != NEWEST_MIGRATION:
                return found
            return replace(
                found,
                high_water=_first(connection, READ_MARK) or 0,
                next_due=_first(connection, NEXT_DUE),
                parked=_first(connection, COUNT_PARKED),
                sealed=tuple(sealed for (sealed,) in connection.execute(SEALED)),
            )
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be read as Baton's database: {error}.") from error


def _first(connection: sqlite3.Connection, question: str) -> Any:
    found = connection.execute(question).fetchone()
    return None if found is None else found[0]


def _served(path: Path) -> bool:
    try:
        with path.with_name(f"{path.name}.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
