"""Who waits for news of a run is woken when a turn of it has been committed."""

import asyncio
from typing import Any, Final

_MOMENT: Final = 1.0
"""Seconds for which work is still waited for when the process is stopping."""


class Bulletin:
    """News of runs within one process; a hint only, the store is the truth."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._closed = asyncio.Event()

    def post(self, run_id: str) -> None:
        """Wake everyone who waits for news of the run."""
        for future in self._waiting.pop(run_id, ()):
            if not future.done():
                future.set_result(None)

    def listen(self, run_id: str) -> "asyncio.Future[None]":
        """A future that is done when there is news; take it before looking at the store, so that nothing is missed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.closed:
            future.set_result(None)
        else:
            self._waiting.setdefault(run_id, set()).add(future)
        return future

    def leave(self, run_id: str, future: "asyncio.Future[None]") -> None:
        """Stop listening."""
        listeners = self._waiting.get(run_id)
        if listeners is None:
            return
        listeners.discard(future)
        if not listeners:
            del self._waiting[run_id]

    def awaited(self, run_id: str) -> bool:
        """Whether somebody waits for news of the run."""
        return run_id in self._waiting

    @property
    def closed(self) -> bool:
        """True once the process is stopping: nobody is to wait any more."""
        return self._closed.is_set()

    async def wait(self, work: "asyncio.Future[Any]", patience: float) -> bool:
        """Whether the work is done within so many seconds; once the process is stopping it has a moment alone."""
        closing = asyncio.ensure_future(self._closed.wait())
        try:
            await asyncio.wait({work, closing}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()
        if not work.done() and self.closed:
            await asyncio.wait({work}, timeout=min(_MOMENT, patience))
        return work.done()

    def close(self) -> None:
        """Wake everybody, now and from now on."""
        self._closed.set()
        for run_id in list(self._waiting):
            self.post(run_id)
