"""Collects what is wrong with one file."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from engine.loading.codes import CODES
from engine.loading.tree import Lines
from engine.model.problems import Diagnostic

COMPARISONS = 4_000
"""Names compared for hints in one file: a file full of wrong names gets hints for the first of them alone."""
CHEAPEST = 20
"""What one hint costs at least."""
SHOWN = 60
"""Characters of a foreign text that a message repeats."""
LISTED: Final = 200
"""Characters of names that a hint lists."""
ODD_SPACE: Final = re.compile("[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff]")
"""A character that looks like a space, or like nothing, and that neither YAML nor a name takes for one."""
_ODD_NAME: Final = re.compile(rf"[\w.-]{{0,64}}{ODD_SPACE.pattern}+(?=[\w\s:,\]}}]|$)")


class Findings:
    """The problems of one file, found in any order."""

    def __init__(self, file: str, lines: Lines) -> None:
        self._file = file
        self._lines = lines
        self._found: list[Diagnostic] = []
        self._comparisons = COMPARISONS

    def add(self, code: str, offset: int, message: str, hint: str | None = None) -> None:
        """Notes a problem at an offset of the text; where a name there holds a space that is none, the hint says so."""
        line, column = self._lines.at(offset)
        if (odd := self._lines.match(_ODD_NAME, offset)) is not None and (space := ODD_SPACE.search(odd[0])) is not None:
            hint = f"{named_space(space[0])} here, which only looks like a space"
        self._found.append(Diagnostic(self._file, line, column, CODES[code].severity, code, message, hint))

    def nearest(self, word: str, known: Collection[str]) -> str | None:
        """The known name that the word is nearest to; None when nothing is near, or too much was asked already."""
        price = max(len(known), CHEAPEST)
        if len(word) > SHOWN or price > self._comparisons:
            return None
        self._comparisons -= price
        same = (name for name in sorted(known) if name.casefold() == word.casefold())
        return next(same, None) or next(iter(get_close_matches(word, sorted(known), 1)), None)

    def meant(self, word: str, known: Collection[str]) -> str | None:
        """A hint with the nearest known name; None when nothing is near."""
        return self.did_you_mean(self.nearest(word, known))

    def chosen(self, word: str, known: Collection[str]) -> str | None:
        """A hint with the nearest known name, and with all of them where they are few."""
        near = self.meant(word, known)
        listed = f"one of {', '.join(known)}" if known and sum(map(len, known)) <= LISTED else None
        return " ".join(filter(None, (near, listed))) or None

    @staticmethod
    def did_you_mean(name: str | None) -> str | None:
        """The hint that proposes a name."""
        return None if name is None else f"did you mean `{name}`?"

    def sorted(self, *others: Diagnostic) -> list[Diagnostic]:
        """These and the other problems in the order of their places, each once."""
        found = sorted([*others, *self._found], key=_order)
        return [one for number, one in enumerate(found) if not number or one != found[number - 1]]


def _order(one: Diagnostic) -> tuple[int, int, str, str]:
    return one.line, one.column, one.code, one.message


def clause(sentence: str) -> str:
    """A sentence as diagnostics have it: without a capital and a full stop."""
    return f"{sentence[:1].lower()}{sentence[1:]}".removesuffix(".")


def named_space(character: str) -> str:
    """How a hint begins that tells of an odd space."""
    known = {"\u00a0": "no-break space", "\u200b": "zero-width space", "\ufeff": "byte order mark"}
    return f"there is a {known.get(character, 'wide space')} (U+{ord(character):04X})"


def shown(value: str) -> str:
    """A foreign text, short and on one line, in backticks."""
    line = " ".join(value[: SHOWN + 1].split())
    return f"`{line[:SHOWN]}…`" if len(value) > SHOWN else f"`{line}`"
