"""Regular expressions of authors: RE2, so that each runs in linear time, and bounded in size."""

from functools import lru_cache
from typing import Any, Final

import re2

from engine.expressions.values import wrong_value

PATTERN_LENGTH: Final = 1_000
PATTERN_COST: Final = 500
"""Compiling a pattern that is not literal counts as so many items touched."""
STEPS_AT_ONCE: Final = 20_000
"""So many characters times instructions of the compiled pattern count as one item touched."""
_MEMORY: Final = 262_144


def _options() -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.never_capture = True
    options.log_errors = False
    return options


_OPTIONS: Final = _options()


@lru_cache(maxsize=128)
def compile_pattern(pattern: str) -> Any:
    """The compiled RE2 pattern; raises `expression.value` when it is none, is longer than 1,000 characters, or compiles to too much."""
    if len(pattern) > PATTERN_LENGTH:
        raise wrong_value(f"A pattern may have {PATTERN_LENGTH:,} characters.")
    try:
        return re2.compile(pattern, options=_OPTIONS)
    except (re2.error, UnicodeEncodeError) as error:
        raise wrong_value(f"The pattern cannot be used: {_reason(error)}.") from error


def search_cost(compiled: Any, text: str) -> int:
    """Items that a search counts as: linear in the text, but with a factor that grows with the pattern."""
    return len(text) * int(compiled.programsize) // STEPS_AT_ONCE


def finds(compiled: Any, text: str) -> bool:
    """Whether the pattern matches anywhere in the text."""
    try:
        return compiled.search(text) is not None
    except UnicodeEncodeError as error:
        raise wrong_value("A text holds half of a character.") from error


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace")[:100] if isinstance(reason, bytes) else str(reason)[:100]
