"""Untrusted JSON: bodies that the quick decoder must not be given, and the problems that a closer look finds in them.

Texts with NUL or a lone surrogate and whole numbers beyond 64 bits can be neither stored nor sent on: they become problems,
and harmless values take their places, so that the request can be judged in its order of checks.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

from engine.errors import Malformed
from engine.model.problems import Problem, pointer_step

DEEPEST: Final = 64
"""How deep arrays and objects of a body may be nested."""
_UNCLEAN: Final = re.compile("[\0\ud800-\udfff]")
_SUSPICIOUS: Final = re.compile(rb'\\u(?:0000|000[aA]"|[dD][89a-fA-F])')
_ENDED_LINE: Final = b'\\n"'
"""A text that ends with a line's end: the quick decoder's patterns let it pass, since Python's `$` also matches before one."""
_ESCAPE: Final = b"\\u"
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER: Final = b"0" * 19
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS: Final = re.compile(rb"[\[\]{}]")
_LEAST, _MOST = -(2**63), 2**63 - 1


def is_suspicious(raw: bytes) -> bool:
    """Whether the body may hold something that must be looked at closely; quick, and wrong only in saying yes."""
    if raw.count(b"[") + raw.count(b"{") > DEEPEST or _LONG_NUMBER in raw.translate(_DIGITS):
        return True
    if _ENDED_LINE in raw:
        return True
    return _ESCAPE in raw and _SUSPICIOUS.search(raw) is not None


def parse(raw: bytes) -> Any:
    """The JSON value; raises Malformed for anything that is not JSON in UTF-8, or is nested too deep."""
    if _depth(raw) > DEEPEST:
        raise Malformed([Problem("", "depth", f"The body is nested deeper than {DEEPEST} levels.")])
    try:
        return json.loads(raw.decode(), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Malformed([Problem("", "json", "The body is not JSON.")]) from None


def clean(value: Any) -> tuple[Any, tuple[Problem, ...]]:
    """The value with what is unclean replaced, and a problem for each such place."""
    problems: list[Problem] = []
    return _cleaned(value, "", problems), tuple(problems)


def escaped(key: str) -> str:
    """A key as a step of a JSON Pointer, with what is unclean replaced."""
    return pointer_step(clean_text(key))


def clean_text(text: str) -> str:
    """The text with NUL and lone surrogates replaced."""
    return _UNCLEAN.sub("\ufffd", text)


def unclean_texts(texts: dict[str, str]) -> Iterator[Problem]:
    """A problem for each text with NUL or a lone surrogate in it, or in its name."""
    for name, text in texts.items():
        if _UNCLEAN.search(name) or _UNCLEAN.search(text):
            yield _unclean(f"/{escaped(name)}")


def _cleaned(value: Any, at: str, problems: list[Problem]) -> Any:
    match value:
        case str() if _UNCLEAN.search(value):
            problems.append(_unclean(at))
            return clean_text(value)
        case bool():
            return value
        case int() if not _LEAST <= value <= _MOST:
            problems.append(Problem(at, "range", "Whole numbers must fit into 64 bits."))
            return 0
        case list():
            return [_cleaned(inner, f"{at}/{index}", problems) for index, inner in enumerate(value)]
        case dict():
            return {_cleaned_key(key, at, problems): _cleaned(inner, f"{at}/{escaped(key)}", problems) for key, inner in value.items()}
        case _:
            return value


def _cleaned_key(key: str, at: str, problems: list[Problem]) -> str:
    if _UNCLEAN.search(key):
        problems.append(_unclean(f"{at}/{escaped(key)}"))
    return clean_text(key)


def _unclean(at: str) -> Problem:
    return Problem(at, "unclean", "Texts must not contain NUL or a lone surrogate.")


def _depth(raw: bytes) -> int:
    deepest = depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", raw)):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _refuse(_constant: str) -> float:
    raise ValueError("JSON knows neither NaN nor Infinity")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number beyond what a float holds")
    return number
