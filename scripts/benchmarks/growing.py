"""What a turn costs where more is stored: in long conversations beside new ones, and among many waiting runs beside few."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Final

from engine.runtime.runtime import Runtime
from scripts.benchmarks.crowd import Crowd
from scripts.benchmarks.in_process import DirectTalk
from scripts.benchmarks.results import Growth, Sweep
from scripts.benchmarks.subject import SECRET, prepare

_NEW: Final = 20
"""Turns after which a conversation counts as new."""
_MEASURED: Final = 10
"""Turns of each talk in one round."""
_SWEEPS: Final = 200


async def grow_longer(folder: Path, talks: int, length: int, rounds: int) -> Growth:
    """Conversations that are new in each round beside ones whose run has taken so many turns before, in turn.

    The new ones have had a few turns: in its very first ones a conversation shares pages of the database with others of its age.
    """
    runtime = await Runtime.start(database_url=f"sqlite:///{folder / 'longer.db'}", secret=SECRET, serving=False)
    try:
        tenant_id = (await prepare(runtime)).tenant_id
        old = await _talks(runtime, tenant_id, talks)
        await _cost(old, length)
        costs: list[tuple[float, float]] = []
        for _ in range(rounds):
            new = await _talks(runtime, tenant_id, talks)
            await _cost(new, _NEW)
            costs.append((await _cost(new, _MEASURED), await _cost(old, _MEASURED)))
        return _growth(_NEW, length, costs)
    finally:
        await runtime.stop()


async def grow_among(few: Crowd, many: Crowd, talks: int, rounds: int) -> tuple[Growth, Sweep]:
    """The same turns in two databases, in turn, and a sweep over each that finds nothing due."""
    runtimes = [await Runtime.start(database_url=f"sqlite:///{crowd.path}", secret=SECRET, serving=False) for crowd in (few, many)]
    try:
        among_few, among_many = [
            await _talks(runtime, crowd.tenant_id, talks) for runtime, crowd in zip(runtimes, (few, many), strict=True)
        ]
        for each in (among_few, among_many):
            await _cost(each, _NEW)
        costs = [(await _cost(among_few, 4 * _MEASURED), await _cost(among_many, 4 * _MEASURED)) for _ in range(rounds)]
        return _growth(few.waiting, many.waiting, costs), Sweep(waiting=many.waiting, median_ms=await _sweep(runtimes[1]))
    finally:
        for runtime in runtimes:
            await runtime.stop()


async def _talks(runtime: Runtime, tenant_id: str, count: int) -> list[DirectTalk]:
    return [await DirectTalk.begin(runtime, tenant_id) for _ in range(count)]


async def _cost(talks: Sequence[DirectTalk], turns: int) -> float:
    """CPU time of the process for each turn, in microseconds, when every talk takes so many."""
    began = process_time()
    await asyncio.gather(*(talk.take(turns) for talk in talks))
    return (process_time() - began) / (turns * len(talks)) * 1_000_000


async def _sweep(runtime: Runtime) -> float:
    """The median of how long a sweep takes that finds nothing, in milliseconds."""
    took: list[float] = []
    for _ in range(_SWEEPS):
        began = perf_counter()
        if await runtime.scheduler.sweep():
            raise AssertionError("nothing is due")
        took.append(perf_counter() - began)
    return median(took) * 1000


def _growth(small: int, large: int, costs: Sequence[tuple[float, float]]) -> Growth:
    return Growth(
        small=small,
        large=large,
        small_us=median(one for one, _ in costs),
        large_us=median(other for _, other in costs),
        ratio=median(other / one for one, other in costs),
    )
