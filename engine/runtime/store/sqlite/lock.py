"""One server process for one SQLite file: a second would break the promise that one clock and one writer judge all deadlines.

In the lock file the server notes what it is working on, for the one that is started after it (`Slate`).
"""

import fcntl
import os
from pathlib import Path
from typing import Final, Self

from engine.errors import StoreError

_MOST: Final = 1_048_576
"""Bytes of a note."""


class ServerLock:
    """Held from `acquire` until `release` or the end of the process, however it ends; the lock's file stays where it is."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._file: int | None = None

    def acquire(self) -> None:
        """StoreError at once when another server has it."""
        lock = self._database.with_name(f"{self._database.name}.lock")
        try:
            file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{lock} cannot be opened: {error.strerror}.") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise StoreError(f"Another server runs on {self._database}: stop it first, a SQLite file has one server.") from error
        self._file = file

    def read(self) -> bytes:
        """The note that was written last, by whoever had the lock then."""
        return b"" if self._file is None else os.pread(self._file, _MOST, 0).partition(b"\n")[0]

    def write(self, data: bytes) -> None:
        """A note without line ends: the first line of the file, by one write, so that no death leaves half of it."""
        if self._file is not None:
            os.pwrite(self._file, data + b"\n", 0)

    def release(self) -> None:
        """Let another server have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
