"""The comparison for people."""

from collections.abc import Iterator

from scripts.benchmarks.peers.results import FULL, Measured, Peers, Standing


def report(peers: Peers) -> str:
    """A table, and where others win."""
    return "\n".join([*_place(peers), *_table(peers.engines), "", *_winners(peers.engines)])


def _place(peers: Peers) -> Iterator[str]:
    place = peers.place
    yield f"Python {place.python}, {place.processors} processors. A sync takes {place.sync_us:.0f} us."
    yield f"Databases in {place.folder} ({place.filesystem})."
    yield "The same conversation of four turns, without HTTP, every reply checked, every turn stored before its reply, each engine in a"
    yield f"process of its own. Medians of {peers.rounds} rounds of {peers.seconds:g} s; absolute figures move with the machine."


def _table(engines: list[Measured]) -> Iterator[str]:
    conversations = [one.conversations for one in engines[0].standings]
    yield ""
    yield f"{'turns/s, and as a multiple of Baton, at':<44}" + "".join(f"{f'{number} at a time':>18}" for number in conversations)
    for engine in engines:
        name = engine.name if engine.version is None else f"{engine.name} {engine.version}"
        yield f"  {name:<42}" + "".join(map(_standing, engine.standings)) + f"   {_durability(engine)}"


def _standing(standing: Standing) -> str:
    return f"{standing.per_second:>11.0f} {standing.ratio:>6.2f}"


def _durability(engine: Measured) -> str:
    return f"{engine.journal}, synchronous={'FULL' if engine.synchronous == FULL else engine.synchronous}"


def _winners(engines: list[Measured]) -> Iterator[str]:
    ours, *others = engines
    for index, own in enumerate(ours.standings):
        faster = [other for other in others if other.standings[index].ratio > 1]
        told = ", ".join(f"{other.name} ({other.standings[index].ratio:.1f} times)" for other in faster)
        yield f"Faster than Baton at {own.conversations} at a time: {told or 'none'}."
