"""Rate limits: so many requests from one asker in a window of time, counted in a bounded piece of memory.

A window begins with an asker's first request and is forgotten when it is over. Each process counts for itself.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from api.settings import Rate
from api.wire import Headers
from engine.errors import RateLimited

_MOST_ASKERS: Final = 100_000
"""When more ask within one window, those that have been counted longest are forgotten first."""


class Quota(Struct, frozen=True):
    """What one asker has left in its window; `reset` is in whole seconds from now."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool

    def headers(self) -> Headers:
        """The quota as every answer of a limited route tells it."""
        return [
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % self.reset),
        ]


class Limiter:
    """Counts one kind of request against its rate."""

    def __init__(self, rate: Rate, monotonic: Callable[[], float], most: int = _MOST_ASKERS) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._most = most
        self._windows: OrderedDict[str, list[float]] = OrderedDict()
        """Asker to [end of its window, requests counted in it], in the order in which windows began."""

    def __len__(self) -> int:
        return len(self._windows)

    def count(self, asker: str) -> Quota:
        """Count one request of the asker; it is `exceeded` when the window had no place left."""
        now = self._monotonic()
        window = self._windows.get(asker)
        if window is None or now >= window[0]:
            window = self._open(asker, now)
        reset = max(1, math.ceil(window[0] - now))
        if window[1] >= self._rate.count:
            return Quota(self._rate.count, 0, reset, exceeded=True)
        window[1] += 1
        return Quota(self._rate.count, self._rate.count - int(window[1]), reset, exceeded=False)

    def _open(self, asker: str, now: float) -> list[float]:
        self._windows.pop(asker, None)
        while self._windows and self._must_forget(now):
            self._windows.popitem(last=False)
        window = self._windows[asker] = [now + self._rate.seconds, 0]
        return window

    def _must_forget(self, now: float) -> bool:
        oldest = next(iter(self._windows.values()))
        return oldest[0] <= now or len(self._windows) >= self._most


def enforce(limiter: Limiter | None, asker: str, extra: Headers) -> None:
    """Count the request, add what is left to the headers of its answer, and raise RateLimited when nothing was left."""
    if limiter is None:
        return
    quota = limiter.count(asker)
    extra.extend(quota.headers())
    if quota.exceeded:
        raise RateLimited(retry_after=quota.reset)
