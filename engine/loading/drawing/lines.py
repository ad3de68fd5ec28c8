"""The line of one edge, as the path of an SVG: it stands upright where it enters and leaves a rank, and sways in the gaps between."""

from typing import Final

Point = tuple[float, float]

_SAME: Final = 0.5
"""What is nearer than this is in line."""


class Line:
    """A line under construction."""

    def __init__(self, across: float, down: float) -> None:
        self._across = across
        self._down = down
        self._parts = [f"M{_short(across)} {_short(down)}"]
        self._upright = False

    def fall(self, down: float) -> None:
        """Straight down, or up, to that height."""
        self._down = down
        self._upright = True

    def sway(self, across: float, down: float) -> None:
        """To a place in the next rank."""
        if abs(across - self._across) < _SAME:
            self.fall(down)
            return
        self._stand()
        middle = _short((self._down + down) / 2)
        self._parts.append(f"C{_short(self._across)} {middle} {_short(across)} {middle} {_short(across)} {_short(down)}")
        self._across, self._down = across, down

    def turn(self, across: float, gap: float) -> None:
        """To a place in the same rank, in the opposite direction; the bow stays in the gap below (above, where it is negative)."""
        self._stand()
        peak = _short(self._down + gap)
        self._parts.append(f"C{_short(self._across)} {peak} {_short(across)} {peak} {_short(across)} {_short(self._down)}")
        self._across = across

    def path(self) -> str:
        """The whole line."""
        self._stand()
        return "".join(self._parts)

    def _stand(self) -> None:
        """Write down the upright part that has grown so far."""
        if self._upright:
            self._parts.append(f"V{_short(self._down)}")
            self._upright = False


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
