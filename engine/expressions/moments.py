"""Dates, times and date-times: ISO 8601 texts that become typed where they are compared, shifted or printed."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from engine.expressions.values import wrong_value
from engine.model.values import span

Moment = date | time | datetime

_MOMENT: Final = re.compile(
    r"(?:(?P<date>\d{4}-\d\d-\d\d)(?:[T ](?P<clock>\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?))?"
    r"|(?P<time>\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))",
    re.ASCII,
)
_LONGEST: Final = 40
_DAY: Final = 86_400_000_000
_MIDNIGHT: Final = time()


@lru_cache(maxsize=128)
def zone(name: str) -> tzinfo:
    """The IANA time zone of that name; UTC when there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return UTC


def moment(text: str) -> Moment | None:
    """What an ISO 8601 text names: a date, a time or a date-time; None when it is any other text."""
    if len(text) > _LONGEST or (text[4:5] != "-" and text[2:3] != ":"):
        return None
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    try:
        if found["time"]:
            return time.fromisoformat(text)
        return datetime.fromisoformat(text) if found["clock"] else date.fromisoformat(text)
    except ValueError:
        return None


def localized(value: date, zone_name: str) -> datetime:
    """A date or date-time as a moment in the zone; one without an offset is the zone's own."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, _MIDNIGHT)
    if value.tzinfo is None:
        return value.replace(tzinfo=zone(zone_name))
    try:
        return value.astimezone(zone(zone_name))
    except OverflowError as error:
        raise wrong_value("The date lies outside the years 1 to 9999.") from error


def rank(value: Moment, zone_name: str) -> int:
    """Microseconds by which moments of one sort are put in order."""
    if isinstance(value, time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    full = value if isinstance(value, datetime) else datetime.combine(value, _MIDNIGHT)
    if full.tzinfo is None:
        full = full.replace(tzinfo=zone(zone_name))
    offset = full.utcoffset() or timedelta()
    return full.toordinal() * _DAY + rank(full.time(), zone_name) - offset // timedelta(microseconds=1)


def ranks(texts: list[str], zone_name: str) -> list[int] | None:
    """The ranks of texts that are all times, or all dates and date-times; None when they are not."""
    found: list[Moment] = []
    for text in texts:
        value = moment(text)
        if value is None or (found and isinstance(value, time) is not isinstance(found[0], time)):
            return None
        found.append(value)
    return [rank(value, zone_name) for value in found]


def shifted(text: str, duration: str, zone_name: str) -> str:
    """The ISO text of a moment that much later (`-` before the duration: earlier).

    Durations are exact spans: a day is 24 hours. A date moved by whole days stays a date; a time wraps around midnight; an offset is kept.
    """
    value = moment(text)
    if value is None:
        raise wrong_value("`add` takes an ISO 8601 date, time or date-time.")
    length = span(duration.removeprefix("-"))
    if length is None:
        raise wrong_value("A duration is a number and a unit, such as 30s, 10m, 24h, 3d or 1w.")
    try:
        return _moved(value, timedelta(milliseconds=-length if duration.startswith("-") else length), zone_name).isoformat()
    except OverflowError as error:
        raise wrong_value("The date lies outside the years 1 to 9999.") from error


def _moved(value: Moment, by: timedelta, zone_name: str) -> Moment:
    if isinstance(value, time):
        return (datetime.combine(date(2000, 1, 3), value) + by % timedelta(days=1)).time()
    if not isinstance(value, datetime):
        if not by % timedelta(days=1):
            return value + by
        return _moved(localized(value, zone_name), by, zone_name)
    if value.tzinfo is not None and not isinstance(value.tzinfo, ZoneInfo):
        return value + by  # a fixed offset: wall clock and exact time agree
    local = value.replace(tzinfo=zone(zone_name))
    moved = (local.astimezone(UTC) + by).astimezone(zone(zone_name))
    return moved if value.tzinfo is not None else moved.replace(tzinfo=None)
