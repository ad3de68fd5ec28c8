"""Due waits that may crash the process: noted before they act, so that the next start knows which of them it may have been.

A turn without a call is lost with its process, and whoever asked for it asks again. A deadline comes due again at every start, and would
crash each one. So what was under way when a process died is taken on alone, when nothing else is due; and what was under way at as
many deaths as a call may have tries is given up.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Protocol

import msgspec
import structlog
from msgspec import Struct

from engine.runtime.turns.leases import ATTEMPTS

_log = structlog.get_logger()


class Slate(Protocol):
    """Holds a few thousand bytes that outlive the process, though not the machine: they need not reach a disk."""

    def read(self) -> bytes:
        """What was written last, whoever wrote it; OSError where that cannot be known."""

    def write(self, data: bytes) -> None:
        """In place of what was there, as a whole; OSError where there is no room."""


class _Written(Struct, frozen=True):
    deaths: dict[str, int]
    """Of those known, how many processes have died over each."""
    under_way: Sequence[str]


_decoder: Final = msgspec.json.Decoder(_Written)


class Suspects:
    """The ids of the waits that are due and may be deadly; without a slate only while the process lives."""

    def __init__(self, slate: Slate | None = None) -> None:
        self._slate = slate
        found = _left(slate)
        self._deaths = dict(found.deaths)
        for wait_id in found.under_way:
            self._deaths[wait_id] = self._deaths.get(wait_id, 0) + 1
        if found.under_way:
            _log.warning("waits_suspected", waits=len(found.under_way), deaths=max(self._deaths.values()))

    def __len__(self) -> int:
        return len(self._deaths)

    def deaths(self, wait_id: str) -> int:
        """How many processes have died while the wait was acting."""
        return self._deaths.get(wait_id, 0)

    def is_deadly(self, wait_id: str) -> bool:
        """Whether its run is to be given up."""
        return self.deaths(wait_id) >= ATTEMPTS

    def is_hopeless(self, wait_id: str) -> bool:
        """Whether to give it up is as deadly: it is to be left alone."""
        return self.deaths(wait_id) >= 2 * ATTEMPTS

    @contextmanager
    def under_way(self, wait_ids: Sequence[str]) -> Iterator[None]:
        """While they act; those over which nobody has died by the end are above suspicion."""
        self._write(wait_ids)
        try:
            yield
        finally:
            for wait_id in wait_ids:
                self._deaths.pop(wait_id, None)
            self._write(())

    def keep(self, wait_ids: Collection[str]) -> None:
        """All others have ended in another way."""
        self._deaths = {wait_id: count for wait_id, count in self._deaths.items() if wait_id in wait_ids}

    def _write(self, under_way: Sequence[str]) -> None:
        if self._slate is not None:
            with suppress(OSError):  # a full disk lets nothing act, and so kills nobody
                self._slate.write(msgspec.json.encode(_Written(self._deaths, under_way)))


def _left(slate: Slate | None) -> _Written:
    """What the last process was at; nothing where it cannot be read."""
    try:
        return _decoder.decode(b"" if slate is None else slate.read())
    except (OSError, msgspec.DecodeError):
        return _Written({}, ())
