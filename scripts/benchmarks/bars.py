"""What performance is held to: each figure beside its bound. The bounds are meant for the full sizes."""

from collections.abc import Iterator, Sequence
from typing import Final

from scripts.benchmarks.results import Bar, Comparison, Large, Visits

_CONNECTIONS: Final = 32
_RATE: Final = 0.60
_P99: Final = 4.0
_VISITS: Final = 50_000
_GROWTH: Final = 1.10
_SWEEP_MS: Final = 1.0
_STORM_RATE: Final = 0.5
_STORM_P99: Final = 2.0
_MEMORY: Final = 1.20
_START_SECONDS: Final = 2.0
_LOAD_SECONDS: Final = 1.0


def bars(http: Sequence[Comparison], executor: Visits, large: Large | None) -> list[Bar]:
    """Every bar that was measured."""
    return [*_http(http), _at_least("node visits/s of the executor alone", executor.visits_per_second, _VISITS), *_large(large)]


def _http(comparisons: Sequence[Comparison]) -> Iterator[Bar]:
    for one in comparisons:
        if one.connections == _CONNECTIONS:
            for name, ratio in (("the no-op", one.to_noop), ("nothing stored", one.to_unstored)):
                yield _at_least(f"durable turns/s at {_CONNECTIONS} connections, as a part of {name}", ratio.rate, _RATE)
                yield _at_most(f"their p99, as a multiple of {name}", ratio.p99, _P99)


def _large(large: Large | None) -> Iterator[Bar]:
    if large is None:
        return
    longer, among, storm = large.longer, large.among, large.storm
    yield _at_most("a turn on a connection of its own, as a multiple of one on a connection that stays", large.connections.ratio, _GROWTH)
    yield _at_most(f"a turn after {longer.large:,} turns of its run, as a multiple of one after {longer.small:,}", longer.ratio, _GROWTH)
    yield _at_most(f"a turn among {among.large:,} waiting runs, as a multiple of one among {among.small:,}", among.ratio, _GROWTH)
    yield _at_most(f"a sweep over {large.sweep.waiting:,} waits of which none is due, ms", large.sweep.median_ms, _SWEEP_MS)
    yield _at_least(f"{storm.due:,} due at once: drained/s, as a part of turns/s in peace", storm.rate_ratio, _STORM_RATE)
    yield _at_most("live p99 meanwhile, as a multiple of that in peace", storm.p99_ratio, _STORM_P99)
    yield _at_most(f"memory with {large.memory.waiting:,} waiting runs, as a multiple of that with none", large.memory.ratio, _MEMORY)
    yield _at_most(f"a server's start with {large.start_up.flows:,} flows, s", large.start_up.seconds, _START_SECONDS)
    yield _at_most(f"a flow of {large.loading.nodes:,} nodes loaded and checked, s", large.loading.seconds, _LOAD_SECONDS)


def _at_least(of: str, measured: float, bound: float) -> Bar:
    return Bar(of=of, measured=measured, bound=bound, at_least=True, kept=measured >= bound)


def _at_most(of: str, measured: float, bound: float) -> Bar:
    return Bar(of=of, measured=measured, bound=bound, at_least=False, kept=measured <= bound)
