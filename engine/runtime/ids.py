"""UUIDv7: ids that sort by the time they were made (RFC 9562)."""

import random
import re
from collections.abc import Callable
from typing import Final

from engine.model.values import Millis

NewId = Callable[[Millis], str]
"""Gives a fresh id that is made at this moment, by the store's clock; tests give a counted one."""

# Ids need not be secret, tokens carry a MAC: a generator seeded by the system is enough, and a tenth of the cost of asking it each time.
_random: Final = random.Random()  # noqa: S311
_TAIL: Final = 24
"""Where the last group of an id's text begins."""
_TAIL_BITS: Final = 47
"""One less than it has, so that there is always room to count on."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def uuid7(at: Millis) -> str:
    """A UUID of version 7 with 74 random bits, in its canonical text form."""
    bits = _random.getrandbits
    parts = (at >> 16, at & 0xFFFF, bits(12) | 0x7000, bits(14) | 0x8000, bits(48))
    return "%08x-%04x-%04x-%04x-%012x" % parts  # noqa: UP031 - the quickest way


class FreshIds:
    """Gives the ids of one process: UUIDs of version 7 that sort in the order in which they were made.

    The first id of a millisecond is random, the next ones count on from there (RFC 9562, 6.2, method 2), also where one is asked
    for that is older. A turn needs six of them.
    """

    def __init__(self) -> None:
        self._at: Millis = -1
        self._head = ""
        self._tail = 0

    def __call__(self, at: Millis) -> str:
        """A fresh id."""
        if at > self._at:
            self._at = at
            self._head, self._tail = uuid7(at)[:_TAIL], _random.getrandbits(_TAIL_BITS)
        self._tail += 1
        return f"{self._head}{self._tail:012x}"


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in canonical form; anything else in a path names nothing that exists."""
    return _UUID.fullmatch(text) is not None
