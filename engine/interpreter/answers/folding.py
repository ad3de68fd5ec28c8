"""How texts are made comparable: blank or not, trimmed, folded."""

import unicodedata
from functools import lru_cache
from typing import Final

BLANKS: Final = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What counts as white space: Python's and ECMAScript's together, so that a published schema never refuses what we take."""

_ENDS: Final = BLANKS + ".,;:!?。、"
_STARTS: Final = BLANKS + "¡¿"
_LONGEST_KEPT: Final = 100


def trimmed(text: str) -> str:
    """The text without white space around it; empty for a blank one."""
    return text.strip(BLANKS)


def option_key(text: str) -> str:
    """What free text is compared by: NFKC, case-folded, without space around it and punctuation at its end.

    A text of nothing but punctuation keeps it, so that an option named `?` can be picked.
    """
    # Labels are short and come again; what people type is neither, and must not fill the memory.
    return _short_key(text) if len(text) <= _LONGEST_KEPT else _key(text)


def _key(text: str) -> str:
    folded = folded_text(text)
    return folded.rstrip(_ENDS).lstrip(_STARTS) or folded.strip(BLANKS)


_short_key = lru_cache(maxsize=8192)(_key)


def folded_text(text: str) -> str:
    """The text in NFKC and case-folded, nothing trimmed."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
