"""A YAML document as a tree whose every part knows where it stands in the file."""

import re
from bisect import bisect_right
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from engine.model.problems import Diagnostic

Plain = None | bool | int | float | str


class Source(Struct, frozen=True):
    """A file to read: its name as problems show it, and what it holds."""

    name: str
    text: str | bytes


# A tree has no cycles, so the collector of cycles need not look at its parts: files of many small values are read a third faster.
class Leaf(Struct, frozen=True, gc=False):
    """A scalar; `start` and `end` enclose it in the text, quotes included."""

    value: Plain
    start: int
    end: int


class Items(Struct, frozen=True, gc=False):
    """A list."""

    items: tuple["Part", ...]
    start: int


class Entry(Struct, frozen=True, gc=False):
    """What stands under a key; `start` is the key's place."""

    start: int
    value: "Part"


class Pairs(Struct, frozen=True, gc=False):
    """A mapping, in the file's order."""

    entries: dict[str, Entry]
    start: int

    def get(self, key: str) -> "Part | None":
        """What stands under the key."""
        found = self.entries.get(key)
        return None if found is None else found.value


class Torn(Struct, frozen=True, gc=False):
    """A part that could not be read; its problem has been reported."""

    start: int


Part = Leaf | Items | Pairs | Torn


class Lines:
    """Turns offsets into lines and columns, both counted from 1; a line ends with LF, CR LF or CR."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", self._text))]

    def at(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def match(self, pattern: re.Pattern[str], offset: int) -> re.Match[str] | None:
        """What of the text at an offset has the form."""
        return pattern.match(self._text, offset)


class Tree(Struct, frozen=True):
    """A document as it was read; without a root its diagnostics say why."""

    file: str
    text: str
    lines: Lines
    root: Part | None = None
    diagnostics: tuple[Diagnostic, ...] = field(default=())

    def find(self, *path: str) -> Leaf | None:
        """The scalar under the path of keys; None where there is none."""
        part = self.root
        for key in path:
            part = part.get(key) if isinstance(part, Pairs) else None
        return part if isinstance(part, Leaf) else None

    def place(self, *path: str | int) -> tuple[int, int]:
        """The line and column of what the path of keys and positions names; as far as the path exists."""
        start, part = 0, self.root
        for step in path:
            match part, step:
                case Pairs(), str() if step in part.entries:
                    start, part = part.entries[step].start, part.entries[step].value
                case Items(), int() if step < len(part.items):
                    part = part.items[step]
                    start = part.start
                case _:
                    break
        return self.lines.at(start)


def plain(part: Part) -> Any:
    """The part as lists, dicts and scalars."""
    match part:
        case Leaf():
            return part.value
        case Items():
            return [plain(item) for item in part.items]
        case Pairs():
            return {key: plain(entry.value) for key, entry in part.entries.items()}
        case Torn():
            return None
