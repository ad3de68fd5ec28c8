"""The health of endpoints, as far as this process has seen: one that keeps failing is left alone for a while, whatever is due for it."""

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from engine.runtime.webhooks.places import Endpoint

_PATIENT: Final = 3
"""Tries that may fail one after the other: some events are refused by an endpoint that takes others."""
_LONGEST_REST: Final = 30.0


class _Failing(Struct, frozen=True):
    """An endpoint whose last tries have failed, left alone until a moment of the monotonic clock."""

    count: int
    until: float


class Health:
    """Remembers the endpoints whose last try has failed."""

    def __init__(self) -> None:
        self._failing: dict[Endpoint, _Failing] = {}

    @property
    def failing(self) -> Collection[Endpoint]:
        """Those whose last try has failed."""
        return self._failing.keys()

    def rests(self, endpoint: Endpoint, now: float) -> bool:
        """Whether nothing is sent to the endpoint at the moment."""
        return endpoint in self._failing and now < self._failing[endpoint].until

    def note(self, endpoint: Endpoint, now: float, *, failed: bool) -> None:
        """From the third failure in a row on the endpoint rests: a second, and then twice as long each time, up to half a minute."""
        before = self._failing.pop(endpoint, None)
        if failed:
            count = 1 if before is None else before.count + 1
            rest = 0.0 if count < _PATIENT else min(_LONGEST_REST, 2.0 ** min(count - _PATIENT, 10))
            self._failing[endpoint] = _Failing(count, now + rest)

    def forget_others(self, known: Collection[Endpoint]) -> None:
        """Remember these alone."""
        self._failing = {endpoint: state for endpoint, state in self._failing.items() if endpoint in known}
