"""How long others wait for their turns while a run ends one worker after the other beside them."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from statistics import median, quantiles

import httpx
from msgspec import Struct

from tests.proofs.crashes import Place, insist, trigger
from tests.proofs.nursery import Nursery, connected, nursery

_TALKERS = 8
_PAUSE = 0.02
"""Seconds between the turns of one of them: the machine is to have some time left."""
_QUIET = 3.0
_ROUNDS = 5


class Waited(Struct, frozen=True):
    """The 99th percentiles of the others' turns, in milliseconds, each the median of some rounds."""

    quiet: float
    churning: float
    """While as many workers are killed that have nothing to do with it."""
    poisoned: float
    codes: list[str | None]
    """What the deadly runs have ended with."""

    def line(self) -> str:
        """The figures for people."""
        more = f"{self.poisoned / self.churning - 1:+.0%}"
        return (
            f"p99 of others' turns: {self.quiet:.1f} ms alone, {self.churning:.1f} ms while four workers come and are killed beside them, "
            f"{self.poisoned:.1f} ms while a run ends three of them ({more}) and is then {self.codes[0]}"
        )


async def wait_beside(place: Place) -> Waited:
    """Talk to one server; beside it workers are killed, first by us and then by a run."""
    codes: list[str | None] = []
    quiet, churning, poisoned = list[float](), list[float](), list[float]()
    async with nursery() as workers, connected(await place.bear(), place.api_key) as client:
        await _p99(client, _churn(place, workers))
        for _ in range(_ROUNDS):
            quiet.append(await _p99(client, asyncio.sleep(_QUIET)))
            churning.append(await _p99(client, _churn(place, workers)))
            poisoned.append(await _p99(client, _poison(place, workers, codes.append)))
    await place.nursery.kill()
    return Waited(median(quiet), median(churning), median(poisoned), codes)


async def _p99(client: httpx.AsyncClient, meanwhile: Awaitable[None]) -> float:
    took: list[float] = []
    over = asyncio.Event()

    async def talk(number: int) -> None:
        count = 0
        while not over.is_set():
            began = time.perf_counter()
            answer = await trigger(client, f"{id(over)}-{number}-{count}", "talking")
            assert answer is not None
            assert answer.status_code == httpx.codes.OK
            took.append((time.perf_counter() - began) * 1000)
            count += 1
            await asyncio.sleep(_PAUSE)

    talking = [asyncio.create_task(talk(number)) for number in range(_TALKERS)]
    await meanwhile
    over.set()
    await asyncio.gather(*talking)
    return quantiles(took, n=100)[-1]


async def _churn(place: Place, workers: Nursery) -> None:
    for _ in range(4):
        await place.bear(beside=workers)
        await asyncio.sleep(0.1)
        await workers.kill()


async def _poison(place: Place, workers: Nursery, told: Callable[[str | None], None]) -> None:
    async def kill(_: str) -> None:
        workers.send(signal.SIGKILL)
        await asyncio.Event().wait()

    place.shop.acts["/deadly"] = kill
    [key] = place.requests(1)
    ended = None
    while ended is None:
        async with connected(await place.bear(beside=workers), place.api_key) as client:
            ended = await insist(client, key, "deadly")
        if ended is None:
            await workers.death()
    await workers.kill()
    told(ended["metadata"]["code"])
