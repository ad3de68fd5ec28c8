"""How slow the machine is at this moment, so that a bound in seconds means the same on a busy one."""

import time
from typing import Final

_USUAL: Final = 0.006
"""Seconds that the yardstick takes on the machine on which the bounds were set."""
_STEPS: Final = 60_000


def pace() -> float:
    """How many times longer than usual a fixed piece of work takes now; never less than 1."""
    return max(1.0, min(_yardstick() for _ in range(3)) / _USUAL)


def _yardstick() -> float:
    begun = time.process_time()
    kept: dict[int, str] = {}
    for step in range(_STEPS):
        kept[step % 997] = str(step)
    return time.process_time() - begun
