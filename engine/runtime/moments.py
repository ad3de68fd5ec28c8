"""Moments as programs outside read them: RFC 3339 in UTC."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from engine.model.values import Millis

LATEST: Final[Millis] = 253_402_300_799_999
"""The last moment that can be written: the end of the year 9999."""


def moment(at: Millis) -> str:
    """With milliseconds: 2026-01-05T09:00:00.000Z."""
    seconds, millis = divmod(at, 1000)
    return f"{_second(seconds)}.{millis:03d}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def moment_or_none(at: Millis | None) -> str | None:
    """The same, for a moment that may be absent."""
    return None if at is None else moment(at)
