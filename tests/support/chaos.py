"""The chaos that our own conversation tests go through every day; `baton test --chaos` puts them through all of it."""

from pathlib import Path

from engine.testing.conversations import Chaos
from engine.testing.conversations.chaos import IN_MEMORY, PLANS


def everyday_chaos(path: Path) -> Chaos:
    """Processes die on a file, which takes as long as all the rest, in the tests of one file out of five."""
    return Chaos(plans=PLANS if sum(path.name.encode()) % 5 == 0 else IN_MEMORY)
