"""The plain values that flows handle, and the bounds that hold everywhere."""

import re
from functools import lru_cache
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

Millis = int
"""A moment or a span in whole milliseconds; moments count from 1970 in UTC."""

Json = Any
"""null, a boolean, a number, a text, a list of these, or a mapping from texts to these."""

Scalar = str | int | float | bool

_NAME: Final = "^[a-z][a-z0-9_]{0,63}$"

Name = Annotated[str, Meta(pattern=_NAME)]
"""An id of a flow, node, variable, field or input."""

EventName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=128)]
"""What an event is called, such as `order.paid`."""

Locale = Annotated[str, Meta(max_length=16, pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]
"""A language that is asked for, such as de or de-AT."""

Template = str
"""A text in which `{{ ... }}` holds an expression; a text that is one expression keeps its native type."""

Expression = str
"""A bare expression; surrounding braces are allowed."""

Text = str | dict[str, str]
"""A template that a person sees: one for all languages, or one for each locale."""

Duration = Annotated[str, Meta(pattern="^[0-9]{1,9}[smhdw]$")]
"""A span such as 30s, 10m, 24h, 3d or 1w."""

LARGEST_INTEGER: Final = 2**63 - 1
"""The largest whole number that is stored, and the negative of the smallest."""

END: Final = "end"
"""The reserved target that ends a flow without a node of its own."""

_NAMES: Final = re.compile(_NAME.removesuffix("$") + r"\Z")
_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhdw])")


@lru_cache(maxsize=4096)
def span(duration: str) -> Millis | None:
    """Milliseconds of a duration such as `10m`; None when the text is not one."""
    found = _DURATION.fullmatch(duration)
    return int(found[1]) * _UNITS[found[2]] if found else None


def is_name(text: str) -> bool:
    """Whether the text may be an id."""
    return _NAMES.match(text) is not None


class Limits(Struct, frozen=True):
    """What bounds a run; each bound has the code that is given when it is passed."""

    steps: int = 100
    """Nodes visited in one turn (`limit.steps`)."""
    depth: int = 50
    """Frames on the stack (`limit.depth`)."""
    frames: int = 500
    """Frames that one run ever opens (`limit.frames`)."""
    turns: int = 500
    """Turns in one run, the trigger included (`limit.turns`)."""
    state_bytes: int = 262_144
    """Stored state of one run (`limit.state`)."""
    conversation_bytes: int = 16_384
    """A conversation's variables as compact JSON (`limit.conversation`)."""
