"""A thread beside the event loop for what may block, such as a commit; the way there and back costs half of what an executor's does."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from msgspec import Struct

Result = TypeVar("Result")


class _Errand(Struct, frozen=True):
    step: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Aside:
    """Does one thing after the other; the thread begins with the first of them."""

    def __init__(self, name: str) -> None:
        # SimpleQueue's own lock spans its check for emptiness and its sleep: no wake-up is lost between them.
        self._errands: SimpleQueue[_Errand | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    async def run(self, step: Callable[[], Result]) -> Result:
        """What the step gives or raises; it is done even if nobody waits for it any more."""
        if not self._thread.is_alive():
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._errands.put(_Errand(step, loop, future))
        return await future

    def end(self) -> None:
        """End the thread once it has done what it was given."""
        self._errands.put(None)

    def _serve(self) -> None:
        while (errand := self._errands.get()) is not None:
            result, error = _done(errand.step)
            with suppress(RuntimeError):  # the loop was closed, and nobody is left to hear
                errand.loop.call_soon_threadsafe(_tell, errand.future, result, error)


def _done(step: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return step(), None
    except Exception as error:  # noqa: BLE001 - whoever waits hears of it
        return None, error


def _tell(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
