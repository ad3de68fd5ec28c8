"""A storm: many waits come due at once, and are let act as full turns while customers go on talking."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from time import perf_counter
from typing import Final

from engine.runtime.clock import SystemClock
from engine.runtime.runtime import Runtime
from scripts.benchmarks.crowd import HASTE, HASTY, Crowd
from scripts.benchmarks.in_process import DirectTalk
from scripts.benchmarks.results import Storm, percentiles
from scripts.benchmarks.subject import SECRET

_TALKS: Final = 32
_LONGEST: Final = 120
"""Seconds after which what is left of the storm is left."""


class _Ahead(SystemClock):
    """The machine's clock, and what it was set ahead."""

    seconds = 0

    def wall(self) -> int:
        """Ahead as well."""
        return super().wall() + self.seconds * 1000

    def monotonic(self) -> float:
        """Ahead as well."""
        return super().monotonic() + self.seconds


async def break_out(crowd: Crowd, seconds: float) -> Storm:
    """Talk for so many seconds in peace, let an hour pass, go on until the last wait has acted, and talk in peace again for as long.

    The machine's own speed changes by a third within minutes: so there is peace on both sides of the storm, and its p99 is the lower one.
    """
    clock = _Ahead()
    runtime = await Runtime.start(database_url=f"sqlite:///{crowd.path}", secret=SECRET, clock=clock, serving=False)
    try:
        talks = [await DirectTalk.begin(runtime, crowd.tenant_id) for _ in range(_TALKS)]
        await _talk(talks, perf_counter() + min(seconds, 0.5))
        before, before_took = await _talk(talks, perf_counter() + seconds)
        clock.seconds = HASTE // 1000 + 1
        began = perf_counter()
        sweep = asyncio.create_task(runtime.scheduler.sweep())
        asyncio.get_running_loop().call_later(_LONGEST, sweep.cancel)
        live, _ = await _talk(talks, until=sweep)
        await asyncio.wait({sweep})
        if not sweep.cancelled():
            sweep.result()
        took = perf_counter() - began
        after, after_took = await _talk(talks, perf_counter() + seconds)
    finally:
        await runtime.stop()
    drained = _drained(crowd)
    quiet, stormy = min(percentiles(before)[1], percentiles(after)[1]), percentiles(live)[1]
    answered = (len(before) + len(after)) / (before_took + after_took)
    return Storm(
        due=crowd.due,
        drained=drained,
        waiting=crowd.waiting,
        answered_per_second=answered,
        drained_per_second=drained / took,
        live_per_second=len(live) / took,
        rate_ratio=drained / took / answered,
        quiet_p99_ms=quiet,
        live_p99_ms=stormy,
        p99_ratio=stormy / quiet,
    )


async def _talk(talks: Sequence[DirectTalk], until: "float | asyncio.Task[int]") -> tuple[list[float], float]:
    """The seconds that each turn took, and all of them together."""
    began = perf_counter()
    answered = await asyncio.gather(*(talk.go_on(until) for talk in talks))
    return [latency for its in answered for latency in its], perf_counter() - began


def _drained(crowd: Crowd) -> int:
    """Waits that have acted, each once; every one of their runs waits again, and the others wait as before."""
    with closing(sqlite3.connect(crowd.path)) as connection:
        (expired,) = connection.execute("SELECT count(*) FROM wait WHERE ended_by = 'expired'").fetchone()
        runs = "SELECT count(*) FROM run WHERE flow = ? AND rev = ? AND status = 'waiting_input'"
        again, before = (int(connection.execute(runs, (HASTY, rev)).fetchone()[0]) for rev in (2, 1))
    if expired != again or again + before != crowd.due:
        raise AssertionError((expired, again, before, crowd.due))
    return again
