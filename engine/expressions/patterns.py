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
ANSWER_MEMORY: Final = 2**20
"""Bytes that the pattern of an answer may compile to: it stands in the flow, and what it compiles to is kept."""
_MEMORY: Final = 2**18
"""The same for one that may be made from data, of which a turn can compile hundreds."""


@lru_cache(maxsize=128)
def compile_pattern(pattern: str) -> Any:
    """The compiled RE2 pattern; raises `expression.value` when it is none, is longer than 1,000 characters, or compiles to too much."""
    return compile_within(_MEMORY, pattern)


def compile_within(memory: int, pattern: str) -> Any:
    """The same with a bound of its own for what it compiles to, in bytes; nothing is kept."""
    if len(pattern) > PATTERN_LENGTH:
        raise wrong_value(f"A pattern may have {PATTERN_LENGTH:,} characters.")
    options = re2.Options()
    options.max_mem = memory
    options.never_capture = True
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
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
