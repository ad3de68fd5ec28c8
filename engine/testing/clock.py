"""A clock that moves only when it is told to."""

from engine.model.values import Millis


class ManualClock:
    """Stands at the given moment until `advance` or `step` moves it."""

    def __init__(self, at: Millis = 1_767_603_600_000) -> None:
        self._wall = at
        self._passed: Millis = 0

    def wall(self) -> Millis:
        """The moment it was moved to."""
        return self._wall

    def monotonic(self) -> float:
        """Seconds that really went by, as far as this clock is concerned."""
        return self._passed / 1000

    def advance(self, by: Millis) -> None:
        """Let time go by."""
        self._wall += by
        self._passed += by

    def step(self, by: Millis) -> None:
        """Set the time of day forward or back, as an operator or a time server does: no time goes by."""
        self._wall += by
