"""A run whose call ends the process that makes it, among runs that have done nothing."""

import asyncio
import signal
from typing import Any, Final

from msgspec import Struct

from tests.proofs.crashes import Place, insist
from tests.proofs.nursery import connected

INNOCENT: Final = 8
_TOGETHER: Final = 0.3
"""Seconds for which the others' calls last, so that they are under way when the process dies."""


class Poisoned(Struct, frozen=True):
    """What became of the deadly run, and of the others."""

    deadly: dict[str, Any]
    others: list[dict[str, Any]]
    deaths: int
    calls: dict[str, int]
    """How often each of the others was called for."""


async def poison(place: Place) -> Poisoned:
    """Begin a deadly run and others beside it, and start a server again as often as one has died."""
    died = asyncio.Event()

    async def kill(_: str) -> None:
        died.set()
        place.nursery.send(signal.SIGKILL)
        await asyncio.Event().wait()

    async def linger(_: str) -> str:
        await asyncio.wait({asyncio.ensure_future(died.wait())}, timeout=_TOGETHER)
        await asyncio.sleep(0.02)
        return "well"

    place.shop.acts |= {"/deadly": kill, "/slow": linger}
    intents = [*["slow"] * (INNOCENT // 2), "deadly", *["slow"] * (INNOCENT // 2)]
    requests = list(zip(place.requests(len(intents)), intents, strict=True))
    deaths = 0
    while True:
        died.clear()
        async with connected(await place.bear(), place.api_key) as client:
            answers = await asyncio.gather(*(insist(client, *request) for request in requests))
        if None not in answers:
            break
        assert await place.nursery.death() == -signal.SIGKILL
        deaths += 1
    await place.nursery.kill()
    ended = [answer for answer in answers if answer is not None]
    deadly = ended.pop(intents.index("deadly"))
    return Poisoned(deadly, ended, deaths, place.shop.runs("/slow"))
