"""Authors' patterns: matched in linear time, and rewritten for the JSON Schema that clients read."""

import re
from functools import lru_cache
from typing import Any, Final

from engine.errors import ExpressionError
from engine.expressions.patterns import ANSWER_MEMORY, compile_within

_ONE: Final = r"[^\]\[\\&~^-]"
_ESCAPED: Final = r"\\[nrtfv^$\\.*+?()\[\]{}|/-]"
_TOKEN: Final = re.compile(
    rf"""
      (?P<shorthand> \\[dDwWsS] )
    | (?P<literal>   {_ESCAPED} | \\[\#@%&=!<>,:;'"~`_\ ] )
    | (?P<dot>       \. )
    | (?P<count>     \{{[0-9]{{1,4}}(?:,[0-9]{{0,4}})?\}} )
    | (?P<group>     \(\?: | \( (?!\?) | \) )
    | (?P<set>       \[ \^? (?: {_ONE}-{_ONE} | {_ONE} | \\[dws] | {_ESCAPED} )* -? \] )
    | (?P<plain>     [^\\.{{}}()\[\]] )
    """,
    re.VERBOSE,
)
_ASCII: Final = {"d": "0-9", "w": "A-Za-z0-9_", "s": r"\t\n\f\r "}
_IN_SET: Final = re.compile(r"\\([dws])")
_BARE: Final = re.compile(r"\\([#@%&=!<>,:;'\"~`_ -])")


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The compiled RE2 pattern; None when it cannot be used."""
    try:
        return compile_within(ANSWER_MEMORY, pattern)
    except ExpressionError:
        return None


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text matches, as in HTML's `pattern`; a pattern that does not compile fits nothing."""
    ready = compiled(pattern)
    return ready is not None and ready.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def portable(pattern: str) -> str | None:
    """The pattern as an anchored ECMAScript one that takes the same texts; None where the dialects may differ."""
    if compiled(pattern) is None:
        return None
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            return None
        parts.append(_rewritten(token))
        at = token.end()
    return f"^(?:{''.join(parts)})$"


def _rewritten(token: re.Match[str]) -> str:
    text = token[0]
    match token.lastgroup:
        case "shorthand":
            # RE2's shorthands know ASCII alone; other dialects disagree about that.
            return f"[{'^' if text[1].isupper() else ''}{_ASCII[text[1].lower()]}]"
        case "dot":
            return r"[^\n]"
        case "literal":
            return _BARE.sub(r"\1", text)
        case "set":
            return _IN_SET.sub(lambda found: _ASCII[found[1]], text)
        case _:
            return text
