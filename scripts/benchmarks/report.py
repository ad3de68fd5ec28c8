"""The results for people."""

from collections.abc import Iterator

from scripts.benchmarks.results import Bar, Budget, Comparison, Direct, Large, Ratio, Results, Round, Storm, Visits

_WHOLE = 1000
"""From here on nobody wants to see decimals."""


def report(results: Results) -> str:
    """A few tables, the bars beside the figures."""
    parts = [_place(results), _http(results.http), _executor(results.executor), _direct(results.direct), _large(results.large)]
    return "\n".join([*(line for part in parts for line in part), *_bars(results.bars)])


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


def _direct(measured: list[Direct]) -> Iterator[str]:
    yield ""
    yield "Durable turns in one process, without HTTP:"
    yield f"conversations {'per s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8}"
    for one in measured:
        yield f"{one.conversations:>13} {one.per_second:>8.0f} {one.p50_ms:>8.2f} {one.p99_ms:>8.2f} {one.cpu_us:>8.0f}"


def _large(large: Large | None) -> Iterator[str]:
    if large is None:
        return
    new, longer, among, memory, start = large.connections, large.longer, large.among, large.memory, large.start_up
    yield ""
    yield "CPU us of a turn, where more is asked of it:"
    yield f"{new.kept_us:>8.0f} on a connection that stays, {new.new_us:.0f} on one of its own (the server's, over HTTP)"
    yield f"{new.noop_extra_us:>8.0f} is what a connection of its own adds to the no-op"
    yield f"{longer.small_us:>8.0f} after {longer.small:,} turns of its run, {longer.large_us:.0f} after {longer.large:,}"
    yield f"{among.small_us:>8.0f} among {among.small:,} waiting runs, {among.large_us:.0f} among {among.large:,}"
    yield from _storm(large.storm)
    yield ""
    yield f"A sweep over {large.sweep.waiting:,} waits of which none is due takes {large.sweep.median_ms:.3f} ms."
    yield f"A process holds {memory.none_mb:.0f} MB with none waiting, {memory.all_mb:.0f} MB with {memory.waiting:,}, after equal turns."
    yield f"A server listens after {start.with_one:.2f} s with one flow, after {start.seconds:.2f} s with {start.flows:,}."
    yield f"A flow of {large.loading.nodes:,} nodes is loaded and checked in {large.loading.seconds:.2f} s."


def _storm(storm: Storm) -> Iterator[str]:
    yield ""
    yield f"{storm.due:,} of {storm.waiting:,} waits due at once beside 32 customers, without HTTP; {storm.drained:,} have acted:"
    yield f"{storm.answered_per_second:>8.0f} turns/s in peace, p99 {storm.quiet_p99_ms:.1f} ms"
    yield f"{storm.drained_per_second:>8.0f} drained/s in the storm, {storm.live_per_second:.0f} turns/s live, p99 {storm.live_p99_ms:.1f}"


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


def _bars(bars: list[Bar]) -> Iterator[str]:
    yield ""
    yield "Bars:"
    for bar in bars:
        bound = f"{'at least' if bar.at_least else 'at most'} {bar.bound:,g}"
        yield f"  {bar.of:<84} {_figure(bar.measured):>9}   {bound:<16} {'kept' if bar.kept else 'MISSED'}"


def _figure(measured: float) -> str:
    return f"{measured:,.0f}" if measured >= _WHOLE else f"{measured:.2f}"
