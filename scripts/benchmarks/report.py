"""The results for people."""

from collections.abc import Iterator

from scripts.benchmarks.results import Budget, Comparison, Direct, Ratio, Results, Round, Visits


def report(results: Results) -> str:
    """A few tables, the bars beside the figures."""
    return "\n".join([*_place(results), *_http(results.http), *_executor(results.executor), *_direct(results.direct)])


def _place(results: Results) -> Iterator[str]:
    place = results.place
    yield f"Python {place.python}, {place.processors} processors. A sync takes {place.sync_us:.0f} us."
    yield f"Databases in {place.folder} ({place.filesystem})."
    yield f"Medians of {results.rounds} rounds of {results.seconds:g} s; absolute figures move with the machine, ratios are what counts."


def _http(comparisons: list[Comparison]) -> Iterator[str]:
    yield ""
    yield "Over HTTP, the same server and connections, in turn:"
    yield "  no-op           a plain Litestar handler: it takes a body of JSON and answers 2 kB; it checks, logs and stores nothing"
    yield "  nothing stored  a turn's whole door: credential, origin, parsed body, wait token, the reply of 2 kB encoded, the line of log"
    yield "  durable         turns with synchronous=FULL, every answer checked"
    yield f"connections   {'':<14} {'per s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8}   durable / this: rate, p99   load process"
    for one in comparisons:
        yield f"{one.connections:>11}   {'no-op':<14} {_side(one.noop)}   {_ratio(one.to_noop)}   {_load(one.noop)}"
        yield f"{'':>11}   {'nothing stored':<14} {_side(one.unstored)}   {_ratio(one.to_unstored)}   {_load(one.unstored)}"
        yield f"{'':>11}   {'durable':<14} {_side(one.durable)}   {'':>25}   {_load(one.durable)}"
    for one in comparisons:
        if one.rate_bar is not None and one.p99_bar is not None:
            yield f"Bars at {one.connections} connections: rate at least {one.rate_bar:.2f}, p99 at most {one.p99_bar:g} times"
            for name, ratio in (("no-op", one.to_noop), ("nothing stored", one.to_unstored)):
                yield f"  of {name}: rate {_verdict(ratio.rate >= one.rate_bar)}, p99 {_verdict(ratio.p99 <= one.p99_bar)}"


def _ratio(ratio: Ratio) -> str:
    return f"{ratio.rate:>18.2f} {ratio.p99:>6.2f}"


def _load(figures: Round) -> str:
    return f"{figures.load_share:.0%} of a processor"


def _side(figures: Round) -> str:
    return f"{figures.per_second:>8.0f} {figures.p50_ms:>8.2f} {figures.p99_ms:>8.2f} {figures.server_us:>8.0f}"


def _executor(visits: Visits) -> Iterator[str]:
    yield ""
    yield "Executor alone, one processor, the state decoded and encoded once a turn:"
    yield f"{visits.visits_per_second:>11.0f} node visits/s ({visits.turns_per_second:.0f} turns/s of {visits.visits_per_turn:g} visits)"
    yield f"Bar: at least {visits.bar:.0f} visits/s: {_verdict(visits.visits_per_second >= visits.bar)}"


def _direct(measured: list[Direct]) -> Iterator[str]:
    yield ""
    yield "Durable turns in one process, without HTTP:"
    yield f"conversations {'per s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8}"
    for one in measured:
        yield f"{one.conversations:>13} {one.per_second:>8.0f} {one.p50_ms:>8.2f} {one.p99_ms:>8.2f} {one.cpu_us:>8.0f}"


def spent(budget: Budget) -> str:
    """The budget as a table."""
    lines = [f"{cost.us:>8.1f} us  {cost.step}" for cost in budget.steps]
    together = [
        "",
        "A whole turn, of 32 conversations at once, without HTTP:",
        f"{budget.loop_us:>8.1f} us  on the event loop",
        f"{budget.beside_us:>8.1f} us  on other threads: the commit",
    ]
    return "\n".join(["Each step by itself, in a tight loop:", *lines, *together])


def _verdict(reached: bool) -> str:  # noqa: FBT001 - the only thing it is told
    return "reached" if reached else "MISSED"
