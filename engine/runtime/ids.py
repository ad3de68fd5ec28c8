"""UUIDv7: ids that sort by the time they were made (RFC 9562)."""

import random
import re
from collections.abc import Callable
from typing import Final

from engine.model.values import Millis

NewId = Callable[[], str]
"""Gives a fresh id; tests give a counted one."""

# Ids need not be secret, tokens carry a MAC: a generator seeded by the system is enough, and a tenth of the cost of asking it each time.
_random: Final = random.Random()  # noqa: S311
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def uuid7(at: Millis) -> str:
    """A UUID of version 7 with 74 random bits, in its canonical text form."""
    bits = _random.getrandbits(74)
    text = f"{at & 0xFFFF_FFFF_FFFF:012x}7{bits >> 62:03x}{bits & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in canonical form; anything else in a path names nothing that exists."""
    return _UUID.fullmatch(text) is not None
