"""UUIDv7: ids that sort by the time they were made (RFC 9562)."""

import os
import re
from collections.abc import Callable
from typing import Final

from engine.model.values import Millis

NewId = Callable[[], str]
"""Gives a fresh id; tests give a counted one."""


def uuid7(at: Millis) -> str:
    """A UUID of version 7 with 74 random bits, in its canonical text form."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (at & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (random >> 62 & 0xFFF) << 64 | 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_uuid(text: str) -> bool:
    """Whether the text is a UUID in canonical form; anything else in a path names nothing that exists."""
    return _UUID.fullmatch(text) is not None
