"""UUIDv7: ids that sort by the time they were made (RFC 9562)."""

import os
from collections.abc import Callable

from engine.model.values import Millis

NewId = Callable[[], str]
"""Gives a fresh id; tests give a counted one."""


def uuid7(at: Millis) -> str:
    """A UUID of version 7 with 74 random bits, in its canonical text form."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (at & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (random >> 62 & 0xFFF) << 64 | 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in canonical form; anything else in a path names nothing that exists."""
    return len(text) == 36 and text.count("-") == 4 and [text[i] for i in (8, 13, 18, 23)] == ["-"] * 4 and _hexadecimal(text.replace("-", ""))


def _hexadecimal(text: str) -> bool:
    return len(text) == 32 and all(character in "0123456789abcdef" for character in text)
