"""What a plain scalar means in YAML 1.2's core schema: `yes`, `no`, `on` and dates are text."""

import math
import re
from typing import Final

from engine.loading.tree import Plain

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT: Final = re.compile(r"[-+]?[0-9]+")
_RADIX: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMERIC: Final = frozenset("+-.0123456789")
_LONGEST: Final = 64
"""Characters in a number; no number within the bounds needs more."""
_CORE: Final = "tag:yaml.org,2002:"


class BadNumber(Exception):
    """The number cannot be kept exactly."""


class BadTag(Exception):
    """The tag is not a core one, or does not fit the value."""


def resolve(text: str) -> Plain:
    """The value of a plain scalar without a tag.

    Whole numbers fit 64 bits, others are finite and under 10^36; else `BadNumber` is raised.
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    return _number(text) if text[0] in _NUMERIC else text


def _number(text: str) -> int | float | str:
    if _INT.fullmatch(text) or _RADIX.fullmatch(text):
        if len(text) > _LONGEST:
            raise BadNumber
        value = int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
        if not -(2**63) <= value < 2**64:
            raise BadNumber
        return value
    if _SPECIAL.fullmatch(text):
        raise BadNumber
    if not _FLOAT.fullmatch(text):
        return text
    number = float(text)
    if not math.isfinite(number) or abs(number) >= 1e36:  # noqa: PLR2004 - the language's bound for every number
        raise BadNumber
    return number


def tagged(tag: str, text: str) -> Plain:
    """The value of a scalar with an explicit tag; `BadTag` unless it is a core tag that fits."""
    if tag in {"!", f"{_CORE}str"}:
        return text
    value = resolve(text)
    match tag.removeprefix(_CORE), value:
        case ("null", None) | ("bool", bool()) | ("float", float()):
            return value
        case "int", int() if not isinstance(value, bool):
            return value
        case "float", int() if not isinstance(value, bool):
            return float(value)
        case _:
            raise BadTag


def is_core_tag(tag: str | None, kind: str) -> bool:
    """Whether a list (`seq`) or mapping (`map`) may carry the tag."""
    return tag in {None, "!", f"{_CORE}{kind}"}
