"""Connections to the file: what each is set to, and why."""

import sqlite3
from pathlib import Path
from types import NoneType
from typing import Literal

Synchronous = Literal["full", "normal"]
"""`full`: a commit has reached the disk; `normal`: a power cut may take the last commits, never half of one."""

BUSY_MILLIS = 5_000
"""How long a connection waits for another process that writes: publishing takes milliseconds."""

# The driver asks each value of a kind that it does not bind by itself whether it can adapt itself, and formats two errors when it cannot:
# for bytes, truths and nothing that was a third of what binding a row costs. Told once what they are bound as, it asks no more.
sqlite3.register_adapter(bytes, bytes)
sqlite3.register_adapter(bool, int)
sqlite3.register_adapter(NoneType, lambda nothing: nothing)


def existing(path: Path) -> str:
    """The file as a URI that never makes a new one: a lost database must not come back empty."""
    return f"{path.absolute().as_uri()}?mode=rw"


def connect_writer(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """A connection that begins and commits only when told to, and that may go from thread to thread."""
    connection = sqlite3.connect(existing(path), uri=True, isolation_level=None, cached_statements=256, check_same_thread=False)
    try:
        for pragma in (
            f"busy_timeout = {BUSY_MILLIS}",
            "journal_mode = WAL",
            f"synchronous = {synchronous}",
            "cache_size = -32000",  # 32 MB: with a million waits the inner pages of the indexes stay in memory
            "temp_store = MEMORY",
            "wal_autocheckpoint = 500",  # pages: all wait while the log is carried over, so not for too many of them
            "journal_size_limit = 67108864",  # the log shrinks again after a storm
        ):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
