"""Servers that are killed under conversations, at a named place of a commit or at any moment: what was lost, doubled or left behind."""

import asyncio
import random
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.runtime.faults import StoreFault
from engine.runtime.invariants import check_invariants
from tests.proofs.crashes import Place
from tests.proofs.line import Absent, Dropped
from tests.proofs.talkers import Talker, all_wrong, connected_to, talkers

_LATEST: Final = 30.0
_COMMITS: Final = 12
"""Commits, or answers, after which a server dies at the latest."""
_LIFE: Final = 0.8
"""Seconds after which one is killed at the latest, where it is killed at any moment."""


@dataclass
class Killed:
    """What the deaths came to."""

    place: StoreFault | None
    """None: at any moment."""
    talkers: int
    deaths: int = 0
    turns: int = 0
    """Acknowledged, those that were repeated among them."""
    unanswered: int = 0
    replayed: int = 0
    """Of those, the ones that had been taken before the death."""
    slowest: float = 0.0
    """Seconds from a start until the last open request was answered."""
    broken: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""
        return not self.broken

    def line(self) -> str:
        """The figures for people."""
        return (
            f"kill -9 {f'at {self.place}' if self.place else 'at any moment'} under {self.talkers} conversations: {self.deaths} deaths, "
            f"{self.turns} turns acknowledged; {self.unanswered} requests without an answer, of which {self.replayed} had been taken, all "
            f"answered when repeated, the last one {self.slowest:.1f} s after the start; {len(self.broken)} things lost, doubled or torn"
        )


async def kill(place: Place, fault: StoreFault | None, deaths: int, people: int, seed: int = 11) -> Killed:
    """Let so many servers die one after the other while people talk, each of whom repeats what got no answer."""
    chance = random.Random(seed)  # noqa: S311 - the same deaths each time
    figures = Killed(fault, people)
    alive = await place.bear()
    customers = await talkers(place, alive, people)
    async with connected_to(alive, customers):
        await asyncio.gather(*(talker.speak() for talker in customers))
    await place.nursery.kill()
    for _ in range(deaths):
        await _die(place, figures, customers, chance)
    async with connected_to(await place.bear(past_leases=False), customers):
        await _recover(figures, customers)
        figures.broken += await all_wrong(customers)
    await place.nursery.kill()
    figures.broken += check_invariants(place.database)
    figures.turns = sum(len(talker.replies) for talker in customers)
    figures.unanswered = sum(talker.dropped for talker in customers)
    figures.replayed = sum(talker.replayed for talker in customers)
    figures.broken += [str(answer) for talker in customers for answer in talker.refused]
    return figures


async def _die(place: Place, figures: Killed, people: Sequence[Talker], chance: random.Random) -> None:
    """One life: first what the one before left open, then turn after turn until the end."""
    fault = None if figures.place is None else f"{figures.place}:{chance.randint(1, _COMMITS)}"
    async with connected_to(await place.bear(fault, past_leases=False), people):
        talking = asyncio.gather(*(talker.speak_until_gone() for talker in people))
        if figures.place is None:
            await asyncio.sleep(chance.uniform(0, _LIFE))
            place.nursery.send(signal.SIGKILL)
        await asyncio.wait_for(talking, _LATEST)
    assert await place.nursery.death() == -signal.SIGKILL
    figures.deaths += 1


async def _recover(figures: Killed, people: Sequence[Talker]) -> None:
    began = time.monotonic()
    try:
        await asyncio.wait_for(asyncio.gather(*(talker.speak() for talker in people)), _LATEST)
    except (Absent, Dropped, TimeoutError) as error:
        figures.broken.append(f"not all were answered after the last start: {error!r}")
    figures.slowest = time.monotonic() - began
