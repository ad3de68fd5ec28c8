"""Chance from a seed: the same seed writes the same flows and holds the same conversations, on every machine."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Everything that is left to chance."""

    def __init__(self, seed: object) -> None:
        self._random = Random(str(seed))  # noqa: S311 - nothing here is secret

    def yes(self, share: float = 0.5) -> bool:
        """True in that share of the throws."""
        return self._random.random() < share

    def number(self, least: int, most: int) -> int:
        """A whole number between the two, both included."""
        return self._random.randint(least, most)

    def one(self, things: Sequence[T]) -> T:
        """One of them."""
        return self._random.choice(things)

    def some(self, things: Sequence[T], least: int = 1, most: int | None = None) -> list[T]:
        """A few of them, each at most once, in their order."""
        count = self.number(least, min(len(things), len(things) if most is None else most))
        return [things[at] for at in sorted(self._random.sample(range(len(things)), count))]

    def shuffled(self, things: Sequence[T]) -> list[T]:
        """All of them, in any order."""
        return self._random.sample(list(things), len(things))

    def weighed(self, shares: dict[T, int]) -> T:
        """One of the keys, the more often the more it weighs."""
        return self._random.choices(list(shares), list(shares.values()))[0]
