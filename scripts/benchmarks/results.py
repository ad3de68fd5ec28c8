"""What was measured; these types are the JSON that `--json` prints."""

from collections.abc import Sequence
from statistics import median, quantiles

from msgspec import Struct


class Round(Struct, frozen=True):
    """One round of one side. `server_us` is the server's CPU time for each answer, in microseconds, all its threads together."""

    per_second: float
    p50_ms: float
    p99_ms: float
    server_us: float
    load_share: float
    """Part of one processor that the load process used: near 1 it would be the load that is measured."""


class Ratio(Struct, frozen=True):
    """Durable turns beside a route that does less: medians of the ratios of rounds that followed each other."""

    rate: float
    p99: float


class Comparison(Struct, frozen=True):
    """All sides at one number of connections: medians of their rounds."""

    connections: int
    noop: Round
    """A plain Litestar handler: it takes a body and answers 2 kB, and does nothing else."""
    unstored: Round
    """A turn's whole door, with nothing loaded, decided or stored behind it."""
    durable: Round
    to_noop: Ratio
    to_unstored: Ratio


class Visits(Struct, frozen=True):
    """The pure core alone, on one processor: each turn decodes the state, advances the run and encodes it again."""

    visits_per_turn: float
    turns_per_second: float
    visits_per_second: float


class Direct(Struct, frozen=True):
    """Durable turns of an executor in this process, without HTTP. `cpu_us` is the process's CPU time for each."""

    conversations: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


class Cost(Struct, frozen=True):
    """One step of a turn: the least CPU time that it has taken, in microseconds."""

    step: str
    us: float


class Budget(Struct, frozen=True):
    """Where a turn's time goes: its steps by themselves, and a whole turn among 32 conversations without HTTP."""

    steps: list[Cost]
    loop_us: float
    """CPU time on the event loop; the client's part, some 10 us, included."""
    beside_us: float
    """CPU time on other threads, above all the commit's."""


class Growth(Struct, frozen=True):
    """What a turn costs where little is stored and where much is, in CPU time; `ratio` is the median of rounds that followed each other."""

    small: int
    large: int
    small_us: float
    large_us: float
    ratio: float


class Sweep(Struct, frozen=True):
    """A sweep over so many waiting runs that finds none due."""

    waiting: int
    median_ms: float


class Storm(Struct, frozen=True):
    """Waits that came due at once among all that wait; the customers who went on talking, beside the same in peace before and after."""

    due: int
    drained: int
    """All of them, unless the time that the bench has for it ran out."""
    waiting: int
    answered_per_second: float
    """In peace."""
    drained_per_second: float
    live_per_second: float
    rate_ratio: float
    """Drained, as a part of answered in peace."""
    quiet_p99_ms: float
    live_p99_ms: float
    p99_ratio: float


class Memory(Struct, frozen=True):
    """What a process holds in memory after the same turns, in megabytes: with none waiting, and with so many."""

    waiting: int
    none_mb: float
    all_mb: float
    ratio: float


class StartUp(Struct, frozen=True):
    """Seconds until a server listens with so many flows published, and with one."""

    flows: int
    seconds: float
    with_one: float


class Loading(Struct, frozen=True):
    """Seconds to load and check one flow of so many nodes."""

    nodes: int
    seconds: float


class NewConnections(Struct, frozen=True):
    """The server's CPU time for a turn on a connection that stays and on one of its own; `ratio` is the median of neighbouring rounds."""

    kept_us: float
    new_us: float
    noop_extra_us: float
    """What a connection of its own adds to a request of the no-op: accepting it and letting it go."""
    ratio: float


class Place(Struct, frozen=True):
    """Where it was measured; `sync_us` is what one small write and fsync takes there."""

    python: str
    processors: int
    folder: str
    filesystem: str
    sync_us: float


class Large(Struct, frozen=True):
    """What takes a large database, or many flows."""

    connections: NewConnections
    longer: Growth
    """By the turns that a run has taken before."""
    among: Growth
    """By the runs that wait."""
    sweep: Sweep
    storm: Storm
    memory: Memory
    start_up: StartUp
    loading: Loading


class Bar(Struct, frozen=True):
    """A figure beside its bound, which it must not pass: from above where `at_least`, else from below."""

    of: str
    measured: float
    bound: float
    at_least: bool
    kept: bool


class Results(Struct, frozen=True):
    """One run of the bench; a quick one has nothing `large`."""

    place: Place
    rounds: int
    seconds: float
    http: list[Comparison]
    executor: Visits
    direct: list[Direct]
    large: Large | None
    bars: list[Bar]


def percentiles(latencies: Sequence[float]) -> tuple[float, float]:
    """The 50th and the 99th in milliseconds, of latencies in seconds."""
    if len(latencies) == 1:
        return latencies[0] * 1000, latencies[0] * 1000
    cuts = quantiles(latencies, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[98] * 1000


def middle(rounds: Sequence[Round]) -> Round:
    """The median of each figure by itself."""
    return Round(*(median(getattr(one, name) for one in rounds) for name in Round.__struct_fields__))


def compared(connections: int, noop: Sequence[Round], unstored: Sequence[Round], durable: Sequence[Round]) -> Comparison:
    """The sides' rounds, which took turns."""
    return Comparison(
        connections=connections,
        noop=middle(noop),
        unstored=middle(unstored),
        durable=middle(durable),
        to_noop=_ratio(durable, noop),
        to_unstored=_ratio(durable, unstored),
    )


def _ratio(durable: Sequence[Round], other: Sequence[Round]) -> Ratio:
    pairs = list(zip(durable, other, strict=True))
    return Ratio(
        rate=median(turns.per_second / less.per_second for turns, less in pairs),
        p99=median(turns.p99_ms / less.p99_ms for turns, less in pairs),
    )
