"""How long others wait for their turns while a run ends one worker after the other beside them.

Three kinds of time take turns, each as long: a worker comes at its beginning and is killed that has nothing to do; nothing happens beside
the others; one comes that takes the run on, and dies of it. So what the run costs is told from what the start of any process costs the
processors that all share, and whatever else the machine has to do meanwhile touches all of them. They are as long as a lease, for so much
lies in life between two deaths of one run: where they are shorter, it is the starts that are measured.

The others talk on connections that cost little, and each of their requests has a key that was never there before: whoever measures is not
to be what is waited for, and a stored reply is no turn.
"""

import asyncio
import itertools
import signal
import time
from collections.abc import Awaitable
from statistics import median, quantiles
from typing import Any, Final

from msgspec import Struct

from engine.runtime.turns.leases import ATTEMPTS
from engine.runtime.turns.occasion import LEASE
from tests.proofs.crashes import Place
from tests.proofs.line import Absent, Dropped, Line
from tests.proofs.mortal import Errand
from tests.proofs.nursery import Nursery, nursery

_TRIGGERS: Final = "/api/v1/engine/triggers/chat"
_OK: Final = 200
_TALKERS: Final = 8
_PAUSE: Final = 0.02
"""Seconds between the turns of one of them: the machine is to have some time left."""
_LIVES: Final = ATTEMPTS + 1
"""Workers that take a deadly run on: the last of them gives it up."""
APART: Final = LEASE / 1_000
"""Seconds from one death to the next, in life."""
_LIFE: Final = 0.1
"""Seconds that a worker lives which has nothing to do."""
_AGAIN: Final = 0.1
"""Seconds after which the deadly run is asked for again."""


class Waited(Struct, frozen=True):
    """The 99th percentiles of the others' turns, in milliseconds, each the median of some pieces."""

    apart: float
    """Seconds between two deaths."""
    quiet: float
    churning: float
    """While as many workers are killed that have nothing to do with it."""
    poisoned: float
    code: str
    """What the deadly run has ended with."""

    def line(self) -> str:
        """The figures for people."""
        more = [f"{one:.1f} ms ({one / self.quiet - 1:+.0%})" for one in (self.churning, self.poisoned)]
        return (
            f"p99 of others' turns: {self.quiet:.1f} ms alone, {more[0]} while a worker that does nothing comes and is killed every "
            f"{self.apart:.0f} s, {more[1]} while a run ends them and is then {self.code}"
        )


class _Others:
    """Those who talk to one server."""

    def __init__(self, place: Place, port: int) -> None:
        self._place = place
        self._port = port
        self._keys = itertools.count()

    async def p99(self, meanwhile: Awaitable[Any], apart: float) -> float:
        """Of the milliseconds that their turns took while that was done, and until so many seconds had gone."""
        over, took = asyncio.Event(), list[float]()
        talking = [asyncio.create_task(self._talk(over, took)) for _ in range(_TALKERS)]
        try:
            await asyncio.gather(meanwhile, asyncio.sleep(apart))
        finally:
            over.set()
            await asyncio.gather(*talking)
        return quantiles(took, n=100)[-1]

    async def _talk(self, over: asyncio.Event, took: list[float]) -> None:
        async with Line(self._port) as line:
            while not over.is_set():
                headers = _headers(self._place, f"talking-{next(self._keys)}")
                began = time.perf_counter()
                told = await line.ask("POST", _TRIGGERS, {"intent_name": "talking"}, headers)
                took.append((time.perf_counter() - began) * 1000)
                assert told.status == _OK, told
                await asyncio.sleep(_PAUSE)


async def wait_beside(place: Place, apart: float = APART) -> Waited:
    """Talk to one server; beside it workers are killed, by us or by a run."""
    codes, quiet, churning, poisoned = list[str](), list[float](), list[float](), list[float]()
    [key] = place.requests(1)
    async with nursery() as workers:
        others = _Others(place, (await place.bear()).port)
        place.ahead += _LIVES * LEASE  # whom the others talk to takes no run on before one of the workers does
        await others.p99(_churn(place, workers), 1.0)
        for _ in range(_LIVES):
            churning.append(await others.p99(_churn(place, workers), apart))
            quiet.append(await others.p99(asyncio.sleep(0), apart))
            poisoned.append(await others.p99(_poison(place, workers, key, codes), apart))
    await place.nursery.kill()
    return Waited(apart, median(quiet), median(churning), median(poisoned), codes[0])


async def _churn(place: Place, workers: Nursery) -> None:
    # By the true clock: it is not to take the deadly run on.
    await workers.bear(Errand(str(place.database), f"127.0.0.1:{place.shop.port}", beside=True))
    await asyncio.sleep(_LIFE)
    await workers.kill()


async def _poison(place: Place, workers: Nursery, key: str, codes: list[str]) -> None:
    """One life of the run; the last one tells what it has ended with."""

    async def kill(_: str) -> None:
        workers.send(signal.SIGKILL)
        await asyncio.Event().wait()

    place.shop.acts["/deadly"] = kill
    alive = await place.bear(beside=workers)
    async with Line(alive.port) as line:
        try:
            codes.append(await _outcome(line, _headers(place, key)))
        except (Absent, Dropped):
            await workers.death()
    await workers.kill()


async def _outcome(line: Line, headers: dict[str, str]) -> str:
    while (told := await line.ask("POST", _TRIGGERS, {"intent_name": "deadly"}, headers)).status != _OK:
        assert told.json()["error"] == "turn_in_progress", told
        await asyncio.sleep(_AGAIN)
    return str(told.json()["metadata"]["code"])


def _headers(place: Place, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {place.api_key}", "Idempotency-Key": key, "Prefer": "wait=25"}
