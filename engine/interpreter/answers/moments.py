"""Dates, times and date-times as ISO 8601 text: which exist, and which comes first."""

from datetime import date, datetime, time, timedelta
from typing import Final

from engine.interpreter.answers.shapes import has_shape

_SATURDAY: Final = 5

Moment = date | time | datetime


def moment(text: str) -> Moment | None:
    """The date, time or date-time that the text is; None when it is none, or a day that no calendar has."""
    try:
        if has_shape("date", text):
            return date.fromisoformat(text)
        if has_shape("time", text):
            return time.fromisoformat(text)
        if has_shape("datetime", text):
            return _date_time(text)
    except ValueError:
        return None
    return None


def moment_of(kind: str, text: str) -> Moment | None:
    """The same, but only of that input type: `date`, `time` or `datetime`."""
    return moment(text) if has_shape(kind, text) else None


def before(one: Moment, other: Moment) -> bool:
    """Whether `one` is earlier, by what both tell: a bound that is a day holds for the whole of it.

    Two date-times are compared as instants when both name an offset, else by what a clock on the wall shows.
    A date and a time tell nothing in common, so neither is before the other.
    """
    match one, other:
        case datetime(), datetime():
            if one.tzinfo is None or other.tzinfo is None:
                return one.replace(tzinfo=None) < other.replace(tzinfo=None)
            return _instant(one) < _instant(other)
        case (time(), time()):
            return one < other
        case (datetime(), time()):
            return one.time() < other
        case (time(), datetime()):
            return one < other.time()
        case (time(), _) | (_, time()):
            return False
        case _:
            return _day(one) < _day(other)


def is_weekend(when: Moment) -> bool:
    """Whether it falls on a Saturday or a Sunday; a time of day never does."""
    return isinstance(when, date) and when.weekday() >= _SATURDAY


def _date_time(text: str) -> datetime:
    whole, dot, rest = text.partition(".")
    if not dot:
        return datetime.fromisoformat(text)
    digits = rest.rstrip("Z").split("+")[0].split("-")[0]
    return datetime.fromisoformat(f"{whole}.{digits[:6]:0<6}{rest[len(digits) :]}")


_START: Final = datetime(1, 1, 1)  # noqa: DTZ001 - what is counted from here has its offset taken off


def _instant(when: datetime) -> timedelta:
    # Not astimezone(): that overflows in the first and last hours of the calendar.
    return (when.replace(tzinfo=None) - _START) - (when.utcoffset() or timedelta())


def _day(when: Moment) -> date:
    return when.date() if isinstance(when, datetime) else when if isinstance(when, date) else date.min
