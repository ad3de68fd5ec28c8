"""Numbers, dates and times as people type them; each reader takes a folded text and gives a value, or None."""

import re
from functools import lru_cache
from typing import Final

from engine.interpreter.answers.moments import moment_of
from engine.interpreter.answers.words import Figures, figures

_NATIVE_DIGIT: Final = re.compile(r"(?![0-9])\d")
_PLAIN: Final = str.maketrans({"\u2212": "-", "\u200e": "", "\u200f": "", "\u061c": ""})
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_YEAR_FIRST: Final = r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})"
_DOTTED: Final = r"(?P<d>[0-9]{1,2})\.[ ]?(?P<m>[0-9]{1,2})\.[ ]?(?P<y>[0-9]{4})"
_SLASHED: Final = r"(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4})"
_MONTH_FIRST: Final = r"(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})"
_DATES: Final = tuple(re.compile(pattern) for pattern in (_YEAR_FIRST, _DOTTED, _SLASHED))
_AMERICAN_DATES: Final = tuple(re.compile(pattern) for pattern in (_YEAR_FIRST, _DOTTED, _MONTH_FIRST))
_CLOCK: Final = re.compile(r"(?P<h>[0-9]{1,2})(?:[:.](?P<m>[0-9]{2})(?:[:.](?P<s>[0-9]{2}))?)?(?:[ ]?(?P<half>[ap])\.?[ ]?m\.?)?")
_BETWEEN: Final = re.compile(r"[ ]*,[ ]*|[ ]+|t")
_NOON: Final = 12
_LONGEST_DATE_TIME: Final = 60


def read_number(text: str, locale: str) -> int | float | None:
    """The number that a text writes with the locale's own marks; None for any other, also one grouped oddly.

    The digits 0 to 9 take the marks that the locale writes with them, or its native ones; native digits take native marks.
    """
    if _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    plain = text if text.isascii() else _plain(text)
    found = None if _NATIVE_DIGIT.search(text) else _number_pattern(figures(locale)).fullmatch(plain)
    if found is None:
        found = _number_pattern(figures(locale, native=True)).fullmatch(plain)
    if found is None or (found["whole"] is None and found["part"] is None):
        return None
    whole = re.sub("[^0-9]", "", found["whole"] or "0")
    sign = "-" if found["sign"] == "-" else ""
    return int(sign + whole) if found["part"] is None else float(f"{sign}{whole}.{found['part']}")


@lru_cache(maxsize=256)
def _number_pattern(written: Figures) -> re.Pattern[str]:
    mark, decimal = f"[{re.escape(written.groups)}]", re.escape(written.decimal)
    grouped = rf"[0-9]{{1,{written.others}}}(?:{mark}[0-9]{{{written.others}}})*{mark}[0-9]{{{written.last}}}"
    return re.compile(rf"(?P<sign>[+-]?)(?P<whole>{grouped}|[0-9]{{1,400}})?(?:{decimal}(?P<part>[0-9]{{1,400}}))?")


def _plain(text: str) -> str:
    """With the digits 0 to 9, the plain minus, and no marks for the direction, which stand around the sign in some scripts."""
    return "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text).translate(_PLAIN)


def read_date(text: str, locale: str) -> str | None:
    """The day as YYYY-MM-DD: from ISO, d.m.y or d/m/y (m/d/y in American English); a year has four digits."""
    american = locale.replace("_", "-").lower().startswith("en-us")
    for pattern in _AMERICAN_DATES if american else _DATES:
        found = pattern.fullmatch(text)
        if found is not None:
            day = f"{found['y']}-{int(found['m']):02}-{int(found['d']):02}"
            return day if moment_of("date", day) else None
    return None


def read_time(text: str) -> str | None:
    """The time of day as HH:MM, with seconds where they were said: from 14:30, 14.30, 2:30 pm or 2 pm."""
    found = _CLOCK.fullmatch(text)
    if found is None or (found["m"] is None and found["half"] is None):
        return None
    hour = int(found["h"])
    if found["half"] is not None:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if found["half"] == "p" else 0)
    said = f"{hour:02}:{found['m'] or '00'}" + (f":{found['s']}" if found["s"] else "")
    return said if moment_of("time", said) else None


def read_date_time(text: str, locale: str) -> str | None:
    """A date and a time with a space, a comma or a T between them, as YYYY-MM-DDTHH:MM; or RFC 3339 as it is."""
    if len(text) > _LONGEST_DATE_TIME:
        return None
    upper = text.upper()
    if moment_of("datetime", upper):
        return upper
    for gap in _BETWEEN.finditer(text):
        day = read_date(text[: gap.start()], locale)
        clock = read_time(text[gap.end() :])
        if day is not None and clock is not None:
            return f"{day}T{clock}"
    return None
