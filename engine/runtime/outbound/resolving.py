"""From a name to its addresses, without holding up anything else."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Final

from engine.runtime.outbound.places import Places
from engine.runtime.outbound.port import DNS, SendFailed

Resolve = Callable[[str, str | None], Awaitable[list[str]]]
"""The addresses of a name, as texts, for an owner if it is for one; raises SendFailed (`http.dns`) when there are none."""

_AT_ONCE: Final = 16


class SystemResolver:
    """Asks the system, in daemon threads of its own.

    A look-up cannot be stopped: in the loop's executor, hanging ones would keep others from their work and the process from
    its end. At most 16 run at once, and 12 for one owner; one that nobody waits for any more keeps its place until the system gives up.
    """

    def __init__(self) -> None:
        self._places = Places(_AT_ONCE)

    async def __call__(self, host: str, owner: str | None) -> list[str]:
        """The name's addresses, best first and each once."""
        held = await self._places.take(owner)
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()
        try:
            threading.Thread(target=_look_up, args=(loop, found, held, host), name="baton-resolver", daemon=True).start()
        except RuntimeError:
            held.close()
            raise SendFailed(DNS, "The name could not be looked up.", passing=True) from None
        addresses = await found
        if not addresses:
            raise SendFailed(DNS, "The name has no address.", passing=True)
        return addresses


def _look_up(loop: asyncio.AbstractEventLoop, found: asyncio.Future[list[str]], held: contextlib.ExitStack, host: str) -> None:
    try:
        # As bytes, so that no codec makes another name of it.
        answers = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    except (OSError, UnicodeError):
        addresses = []
    with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
        loop.call_soon_threadsafe(_settle, found, held, addresses)


def _settle(found: asyncio.Future[list[str]], held: contextlib.ExitStack, addresses: list[str]) -> None:
    held.close()
    if not found.done():
        found.set_result(addresses)
