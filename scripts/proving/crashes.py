"""The long form of what the tests show in short: servers that die in calls, workers that are stopped or poisoned, schedules.

Real servers are killed at each place of a call and every request is repeated, a worker is stopped past its lease, a run ends its workers,
and random schedules of events, waits, deadlines and cancels run against a small model. All figures are as promised but for p99, which a
busy machine moves. `scripts/proofs crashes` prints them.
"""

import asyncio
import itertools
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from engine.runtime.faults import CALL_FAULTS, CallFault
from engine.runtime.invariants import check_invariants
from engine.runtime.store.sqlite.open import open_sqlite
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore
from tests.proofs.as_it_is import recover
from tests.proofs.beside import APART, wait_beside
from tests.proofs.crashes import Place, Told, at_a_place, crash
from tests.proofs.frozen import freeze
from tests.proofs.poison import INNOCENT, poison
from tests.proofs.schedules import Group, Wrong, drawn, shelved

_TOGETHER = 5
"""Runs that live through a schedule in memory: its tables are searched from end to end."""
_IN_A_FILE = 50


async def crashes(fault: CallFault, times: int, place: Place) -> Told:
    """Deaths at one place."""
    figures = await crash(place, fault, times)
    return "\n".join([figures.line(), *figures.broken]), figures.sound


async def stopped(place: Place) -> Told:
    """A worker that wakes up after another has taken its run on."""
    woken = await freeze(place)
    text = woken.finished["blocks"][0]["payload"]["text"]
    sound = (woken.told["status"], text, check_invariants(place.database)) == ("running", "the second", [])
    return f"a worker stopped past its lease: its run has said what {text} answered; {woken.calls} calls", sound


async def poisoned(place: Place) -> Told:
    """A run that ends its process."""
    found = await poison(place)
    well = sum(other["status"] == "completed" for other in found.others)
    code = found.deadly["metadata"]["code"]
    line = f"a call that ends its process: {code} after {found.deaths} deaths; {well} of the {INNOCENT} runs beside it completed"
    return line, (code, found.deaths, well) == ("run.poison", 3, INNOCENT)


async def waited(apart: float, place: Place) -> Told:
    """What others notice of a poisoned run that ends a worker every so many seconds."""
    found = await wait_beside(place, apart)
    return found.line(), found.code == "run.poison"


async def recovered(place: Place) -> Told:
    """The real server with its real lease."""
    found = await recover(place)
    return "\n".join([found.line(), *found.broken]), not (found.stuck or found.broken)


def in_memory(schedules: int, seed: int) -> list[Wrong]:
    """Those of so many schedules that came to what they could not come to."""

    async def live() -> list[Wrong]:
        catalog, chance, wrong = await shelved(MemoryRegistry()), random.Random(seed), list[Wrong]()  # noqa: S311 - the same each time
        for _ in range(schedules // _TOGETHER):
            clock = ManualClock()
            wrong += await Group(MemoryStore(clock), catalog, clock, itertools.count(1)).live(drawn(chance, _TOGETHER))
        return wrong

    return asyncio.run(live())


async def in_a_file(schedules: int) -> list[Wrong | str]:
    """The same on SQLite, many to a commit."""
    with tempfile.TemporaryDirectory() as folder:
        clock, chance = ManualClock(), random.Random(3)  # noqa: S311 - the same each time
        store, registry = await open_sqlite(Path(folder) / "baton.db", clock, synchronous="normal")
        group = Group(store, await shelved(registry), clock, itertools.count(1))
        wrong: list[Wrong | str] = []
        try:
            for _ in range(schedules // _IN_A_FILE):
                wrong += await group.live(drawn(chance, _IN_A_FILE))
        finally:  # a store that is left open keeps the process from its end
            await store.close()
            await registry.close()
        return [*wrong, *check_invariants(Path(folder) / "baton.db")]


def schedules(count: int) -> Told:
    """Random schedules, most of them in memory on all processors."""
    began, parts = time.monotonic(), 20
    with ProcessPoolExecutor() as pool:
        wrong = [one for found in pool.map(partial(in_memory, count // parts), range(parts)) for one in found]
    in_file = asyncio.run(in_a_file(count // 50))
    took = time.monotonic() - began
    line = f"{count} schedules in memory: {len(wrong)} wrong; {count // 50} on SQLite: {len(in_file)} wrong ({took:.0f} s)"
    return "\n".join([line, *map(str, (*wrong, *in_file))]), not (wrong or in_file)


def prove(deaths: int, drawings: int) -> Iterator[Told]:
    """So many deaths at each place, and so many random schedules."""
    proofs: list[Callable[[Place], Awaitable[Told]]] = [partial(crashes, fault, deaths) for fault in CALL_FAULTS]
    proofs += [stopped, poisoned, partial(waited, min(APART, float(deaths))), recovered]
    for proof in proofs:
        yield asyncio.run(at_a_place(proof))
    yield schedules(drawings)
