"""What can be known of a mapping although something in it is broken."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec import inspect as mi


class Partial(Struct, frozen=True):
    """The value that a mapping stands for, and the fields of it that nothing may be concluded from.

    A doubtful field holds its default, or None where it must be given.
    """

    value: Any
    doubtful: frozenset[str] = frozenset()

    def knows(self, *fields: str) -> bool:
        """Whether all the fields are as the author meant them."""
        return self.doubtful.isdisjoint(fields)


def partial(cls: type, fields: Iterable[mi.Field], sound: Mapping[str, Any], failed: Iterable[str], *, strange: bool) -> Partial | None:
    """What the sound values make; with `strange` a key that nothing has may be any of the absent ones, misspelt."""
    doubtful, filled = set(failed), dict(sound)
    for field in fields:
        if field.name not in sound and (strange or field.required):
            doubtful.add(field.name)
        if field.required:
            filled.setdefault(field.name, None)
    try:
        return Partial(cls(**filled), frozenset(doubtful))
    except (TypeError, ValueError):
        return None
