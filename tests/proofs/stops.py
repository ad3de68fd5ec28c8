"""Servers that are told to stop under load, again and again: what was accepted and not answered, and how soon they were gone."""

import asyncio
import gc
import random
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from engine.runtime.invariants import check_invariants
from tests.proofs.crashes import Place, trigger
from tests.proofs.nursery import connected
from tests.proofs.talkers import OK, Talker, all_wrong, connected_to, talkers

_TALKERS: Final = 30
_CALLERS: Final = 6
"""Runs whose calls are under way when the server is told to stop: some end in time, some never do."""
_LIFE: Final = (0.1, 0.5)
_BUSY: Final = 503
_SOONEST: Final = 5.0
"""Seconds within which a server that was told to stop is gone."""
_HELD: Final = "SELECT count(*) FROM run WHERE status = 'running' AND lease_until > ?"


@dataclass
class Stopped:
    """What the stops came to."""

    stops: int = 0
    turns: int = 0
    dropped: int = 0
    """Requests that were accepted and got no answer."""
    refused: int = 0
    """Requests that were told to come again."""
    slowest: float = 0.0
    calls: int = 0
    held: int = 0
    """Calls that were neither finished nor given back."""
    broken: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""
        return not (self.dropped or self.held or self.broken) and self.slowest < _SOONEST

    def line(self) -> str:
        """The figures for people."""
        return (
            f"SIGTERM under load: {self.stops} stops, {self.turns} turns acknowledged, {self.refused} requests told to come again, "
            f"{self.dropped} accepted and not answered; gone after {self.slowest:.1f} s at the latest; of {self.calls} calls under way "
            f"{self.held} neither finished nor given back; {len(self.broken)} things lost, doubled or torn"
        )


async def stop(place: Place, times: int, seed: int = 13) -> Stopped:
    """Tell so many servers to stop, one after the other, while people talk and runs are in calls."""
    chance = random.Random(seed)  # noqa: S311 - the same moments each time
    place.shop.acts["/slow"] = _linger(chance)
    figures = Stopped()
    alive = await place.bear()
    people = await talkers(place, alive, _TALKERS)
    for number in range(times):
        alive = alive if number == 0 else await place.bear(past_leases=False)
        await _stop(place, figures, people, chance.uniform(*_LIFE))
    async with connected_to(await place.bear(), people):
        await asyncio.gather(*(talker.speak() for talker in people))
        figures.broken += await all_wrong(people)
    await place.nursery.kill()
    refused = [answer for talker in people for answer in talker.refused]
    figures.broken += [str(answer) for answer in refused if answer.status != _BUSY or "retry-after" not in answer.headers]
    figures.broken += check_invariants(place.database)
    figures.turns = sum(len(talker.replies) for talker in people)
    figures.dropped = sum(talker.dropped for talker in people)
    figures.refused = len(refused)
    return figures


async def _stop(place: Place, figures: Stopped, people: Sequence[Talker], after: float) -> None:
    alive = place.nursery.alive
    assert alive is not None
    before = sum(place.shop.runs("/slow").values())
    gc.freeze()  # what people were told so far: looking through all of it would keep them from asking for longer than a server waits
    async with connected_to(alive, people), connected(alive, place.api_key) as client:
        talking = [asyncio.create_task(talker.speak_until_gone()) for talker in people]
        calling = [asyncio.create_task(trigger(client, key, "slow")) for key in place.requests(_CALLERS)]
        await asyncio.sleep(after)
        began = time.monotonic()
        place.nursery.send(signal.SIGTERM)
        code = await place.nursery.death()
        figures.slowest = max(figures.slowest, time.monotonic() - began)
        await asyncio.gather(*talking)
        answers = await asyncio.gather(*calling)
    figures.stops += 1
    figures.calls += sum(place.shop.runs("/slow").values()) - before
    figures.broken += [f"exit code {code}"] if code else []
    figures.broken += [f"a caller got {answer}" for answer in answers if answer is None or answer.status_code not in {OK, _BUSY}]
    with closing(sqlite3.connect(place.database)) as connection:
        figures.held += connection.execute(_HELD, (time.time_ns() // 1_000_000 + place.ahead,)).fetchone()[0]


def _linger(chance: random.Random) -> Callable[[str], Awaitable[str]]:
    async def linger(_: str) -> str:
        await asyncio.sleep(chance.choice((0.05, 0.3, 60)))
        return "well"

    return linger
