"""What was measured of each engine; these types are the JSON that `--json` prints."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from msgspec import Struct

from scripts.benchmarks.results import Place

FULL: Final = 2
"""PRAGMA synchronous of a connection whose commits reach the disk."""


class Heat(Struct, frozen=True):
    """One engine in one round, as its process told it; `per_second` stands in the order of the numbers of conversations."""

    journal: str
    synchronous: int
    per_second: list[float]


class Standing(Struct, frozen=True):
    """One engine at one number of conversations; `ratio` is the median of its rounds, each beside Baton's own of the same round."""

    conversations: int
    per_second: float
    ratio: float


class Measured(Struct, frozen=True):
    """One engine."""

    name: str
    version: str | None
    journal: str
    synchronous: int
    standings: list[Standing]


class Peers(Struct, frozen=True):
    """One run; Baton stands first."""

    place: Place
    rounds: int
    seconds: float
    engines: list[Measured]


def measured(name: str, version: str | None, conversations: Sequence[int], heats: Sequence[Heat], ours: Sequence[Heat]) -> Measured:
    """The rounds of one engine beside Baton's."""
    standings = [
        Standing(
            conversations=at_once,
            per_second=median(heat.per_second[index] for heat in heats),
            ratio=median(heat.per_second[index] / own.per_second[index] for heat, own in zip(heats, ours, strict=True)),
        )
        for index, at_once in enumerate(conversations)
    ]
    return Measured(name=name, version=version, journal=heats[0].journal, synchronous=heats[0].synchronous, standings=standings)
