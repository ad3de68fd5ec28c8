"""Time, as a port: the store's clock judges deadlines, the monotonic one is for sleeping and measuring."""

import time
from typing import Final, Protocol

from engine.model.values import Millis

_BOOT: Final = time.CLOCK_BOOTTIME if hasattr(time, "CLOCK_BOOTTIME") else time.CLOCK_MONOTONIC


class Clock(Protocol):
    """Where the shell gets its time from; tests give one that they move themselves."""

    def wall(self) -> Millis:
        """Milliseconds since 1970 in UTC, as the machine believes; it may step either way."""

    def monotonic(self) -> float:
        """Seconds since an unknown moment; never steps back, counts sleep of the machine where the system can tell."""


class SystemClock:
    """The machine's own clocks."""

    def wall(self) -> Millis:
        """The system's time of day."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """The boot-time clock where there is one, since deadlines go on while a machine sleeps."""
        return time.clock_gettime(_BOOT)


class SteadyClock:
    """Moments that never go back: they start from the wall clock under a high-water mark, and go on by the monotonic clock.

    A machine whose clock is stepped while we run is not noticed; one whose clock was set back while we were down goes on
    from the mark, so that nothing ends before its deadline and no moment comes twice.
    """

    def __init__(self, clock: Clock, high_water: Millis = 0) -> None:
        self._clock = clock
        self._origin = clock.monotonic()
        self._start = max(clock.wall(), high_water)

    def now(self) -> Millis:
        """Milliseconds since 1970, never less than before."""
        # Rounded: 0.021 s are 20.999... ms as a float, and cutting that off would lose a millisecond now and then.
        return self._start + round((self._clock.monotonic() - self._origin) * 1000)
