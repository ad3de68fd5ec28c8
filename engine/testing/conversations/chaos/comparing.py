"""Whether a disturbed conversation came to the same as the calm one, and the first thing that did not."""

from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.errors import Refused
from engine.testing.conversations.comparing import differing

_AROUND: Final = 2
"""Lines shown before and behind one that is not the same."""


def answered_alike(first: Any, again: Any) -> bool:
    """Whether two answers to the same input are the same to the byte, or the same refusal."""
    match first, again:
        case Refused(), Refused():
            return (first.code, first.details) == (again.code, again.details)
        case (Refused(), _) | (_, Refused()):
            return False
        case _:
            # Whether a reply was stored before is for the client to see, and for nobody else.
            return msgspec.msgpack.encode(getattr(first, "reply", first)) == msgspec.msgpack.encode(getattr(again, "reply", again))


def first_difference(calm: Sequence[Struct], disturbed: Sequence[Struct]) -> list[str]:
    """The first two things that are not the same, line by line."""
    one, other = next(pair for pair in zip_longest(calm, disturbed) if pair[0] != pair[1])
    return _near(differing(_shown(one), _shown(other)))


def answers_differ(first: Any, again: Any) -> list[str]:
    """Two answers to the same input, as first_difference shows them."""
    return _near(differing(_shown(getattr(first, "reply", first)), _shown(getattr(again, "reply", again))))


def _near(lines: Sequence[str]) -> list[str]:
    """The lines that are not the same, with a little of what stands around them."""
    changed = [number for number, line in enumerate(lines) if line[:1] in {"-", "+", "?"}]
    near = sorted({beside for number in changed for beside in range(max(0, number - _AROUND), min(len(lines), number + _AROUND + 1))})
    return [line for before, number in pairwise([-1, *near]) for line in (["  ..."] if number > before + 1 else []) + [lines[number]]]


def _shown(part: object) -> str:
    if not isinstance(part, Struct):
        return "(nothing)" if part is None else f"{type(part).__name__}: {part}"
    return f"{type(part).__name__}\n{msgspec.json.format(msgspec.json.encode(_legible(msgspec.to_builtins(part)))).decode()}"


def _legible(value: Any) -> Any:
    return {name: inner for name, inner in value.items() if name not in {"state", "trace", "reply"}} if isinstance(value, dict) else value
