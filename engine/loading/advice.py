"""What most often is wrong where YAML cannot be read: found by looking at the lines around the place.

The parser tells what it expected, which is seldom what the author forgot. Each rule knows one slip; the first that sees it speaks.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from msgspec import Struct

from engine.loading.findings import ODD_SPACE, named_space, shown
from engine.loading.tree import Lines

_LINES: Final = 200
"""Lines above the place that are looked at."""
_LONGEST: Final = 1_000
"""Characters of one line that are looked at."""
_SIMPLE_KEY: Final = "while scanning a simple key"
"""What the parser was about when it took a line without a colon for a key."""
_CURLY: Final = "\u201c\u201d\u201e\u2018\u2019\xab\xbb"
_SIGN: Final = re.compile(rf"(?::[ ]+|-[ ]+(?!-))([@`%*&!|>?{_CURLY}-])[^\s:]*[ ]*\S?$")
_KEY: Final = re.compile(r":(?:\s|$)")
_TIGHT_COLON: Final = re.compile(r"([\w-]+):[^\s/]")
_TIGHT_DASH: Final = re.compile(r"\s*-[A-Za-z]")
_INDENTED: Final = re.compile(r"[ ]*(?:-[ ]+)*")
_BELOW: Final = re.compile(r"[ ]*(?:[\r\n][ ]*(?:#[^\r\n]*)?)*[\r\n]([ ]*)[^\s#-]")
_DASHES: Final = re.compile(r"(?:-[ ]+)*")
_COMMENTED: Final = "a # behind a space begins a comment: quote a text that has one"
_CUT: Final = re.compile(r"\s#\w")
_QUOTED: Final = re.compile(r""" "(?:[^"\\]|\\.)*"|'[^']*'""", re.VERBOSE)
_BRACES: Final = re.compile(r"(?:^|[:,\[-])\s*\{\{")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")


class Stop(Struct, frozen=True):
    """Where the parser stopped, and what it was about."""

    text: str
    lines: Lines
    offset: int
    begun: int | None = None
    """Where that began which it was about."""
    about: str = ""
    quoted: tuple[int, int] | None = None
    """Where the text in quotes stands that it read last."""

    @property
    def before(self) -> str:
        """What stands before it on its line."""
        begin = max(self.text.rfind("\n", 0, self.offset), self.text.rfind("\r", 0, self.offset)) + 1
        return self.text[max(begin, self.offset - _LONGEST) : self.offset]

    @property
    def line(self) -> str:
        """Its whole line."""
        return self.before + re.split(r"[\r\n]", self.text[self.offset : self.offset + _LONGEST], maxsplit=1)[0]

    @property
    def sign(self) -> str:
        """The character itself; empty at the end of the text."""
        return self.text[self.offset : self.offset + 1]

    def above(self) -> Iterator[tuple[int, str]]:
        """The lines above with something on them, the nearest first, each with its number; comments are left out."""
        number, _ = self.lines.at(self.offset)
        lines = re.split(r"\r\n|\r|\n", self.text[max(0, self.offset - len(self.before) - _LINES * _LONGEST) : self.offset])[:-1]
        for line in reversed(lines[-_LINES:]):
            number -= 1
            if bare := _COMMENT.sub("", line[:_LONGEST]).rstrip():
                yield number, bare


def advice(stop: Stop) -> str | None:
    """A hint for whoever wrote the text; None where no rule knows what is wrong."""
    return next((hint for rule in _RULES if (hint := rule(stop)) is not None), None)


def advice_on_nothing(text: str, offset: int, *, inner: bool) -> str | None:
    """A hint where nothing stands behind the colon at the offset; `inner`: keys should stand below it."""
    behind = text[offset : offset + _LONGEST]
    if behind.lstrip(" ").startswith("#"):
        return _COMMENTED
    before = re.split(r"[\r\n]", text[max(0, offset - _LONGEST) : offset])[-1]
    here, below = _INDENTED.match(before), _BELOW.match(behind)
    if inner and here is not None and below is not None and len(below[1]) == len(here[0]):
        return "what belongs to it is indented deeper"
    return None


def _odd(stop: Stop) -> str | None:
    for number, line in [(stop.lines.at(stop.offset)[0], stop.line), *islice(stop.above(), 1)]:
        if found := ODD_SPACE.search(line):
            return f"{named_space(found[0])} on line {number}, which only looks like a space"
    return None


def _tab(stop: Stop) -> str | None:
    return "indent with spaces, not with tabs" if "\t" in _indentation(stop.line) else None


def _quote(stop: Stop) -> str | None:
    """Something stands behind a text in quotes."""
    if stop.quoted is None or stop.text[stop.quoted[1] : stop.offset].strip(" "):
        return None
    begin, end = stop.quoted
    mark = stop.text[end - 1 : end]
    if "\n" in stop.text[begin:end]:
        return f"the text in quotes that begins on line {stop.lines.at(begin)[0]} ends only here: close it where it ends"
    twice = "''" if mark == "'" else '\\"'
    other = '"' if mark == "'" else "'"
    return f"the text in quotes ends before this: a {mark} inside it is written {twice}, or the whole is put between {other} and {other}"


def _cut(stop: Stop) -> str | None:
    """A list or mapping in brackets whose end is taken for a comment."""
    begin = stop.offset if stop.begun is None else stop.begun
    looked_at = stop.text[begin : stop.offset] or re.split(r"[\r\n]", stop.text[begin : begin + _LONGEST], maxsplit=1)[0]
    return _COMMENTED if looked_at[:1] in {"[", "{"} and _CUT.search(looked_at[-_LONGEST:]) else None


def _unclosed(stop: Stop) -> str | None:
    if stop.sign in {"'", '"', "[", "{"} and stop.text[stop.offset :].strip():
        return "what begins here is not closed, or has something else inside"
    return None


def _escape(stop: Stop) -> str | None:
    return "in double quotes a \\ is written \\\\; in single quotes it stands for itself" if stop.sign == "\\" else None


def _braces(stop: Stop) -> str | None:
    """Outside of quotes braces begin a mapping, except amid a text that no bracket encloses."""
    bare = _QUOTED.sub("", stop.line)
    return "quote a text that holds {{ }}" if _BRACES.search(bare) or ("{{" in bare and "{" in bare.partition("{{")[0]) else None


def _bracket(stop: Stop) -> str | None:
    """A list or mapping in brackets that goes on otherwise than with a comma."""
    opening = "" if stop.begun is None else stop.text[stop.begun : stop.begun + 1]
    if opening not in {"[", "{"}:
        return None
    place = f"the {opening} on line {stop.lines.at(stop.begun or 0)[0]}"
    return f"a comma is missing before this, {place} is not closed, or a text with a comma or a colon in it is not quoted"


def _closing(stop: Stop) -> str | None:
    """A bracket too many, or text behind one."""
    if stop.sign in {"]", "}"}:
        return f"nothing is open that this {stop.sign} closes"
    last = stop.before.rstrip()[-1:]
    return f"quote a text that has {last} in it" if last in {"]", "}"} else None


def _first_sign(stop: Stop) -> str | None:
    found = _SIGN.search(stop.before + stop.sign)
    if found is None:
        return None
    return f"{found[1]} is no quote to YAML: write \" or '" if found[1] in _CURLY else f"quote a text that begins with {found[1]}"


def _colon(stop: Stop) -> str | None:
    if stop.sign != ":" or ": " not in stop.before:
        return None
    return "quote a text that holds a colon and a space; a mapping on one line stands in { }"


def _tight(stop: Stop) -> str | None:
    """A colon of this line, or the dash of this one or the one above, that has no space behind it."""
    here, number = stop.line, stop.lines.at(stop.offset)[0]
    if found := _TIGHT_COLON.match(here.lstrip(" -")):
        return f"a space is missing behind the colon of {shown(found[1])}"
    for place, line in [(number, here), *islice(stop.above(), 1)]:
        if _TIGHT_DASH.match(line):
            return f"a space is missing behind the dash, on line {place}"
    return None


def _no_colon(stop: Stop) -> str | None:
    """A line that should have a colon: the one that was taken for a key, else the one above."""
    if stop.about == _SIMPLE_KEY and stop.begun is not None:
        key = Stop(stop.text, stop.lines, stop.begun)
        number, line = stop.lines.at(key.offset)[0], key.line
        above = [one for _, one in key.above()][:1]
    elif stop.sign == ":":
        rest = stop.above()
        number, line = next(rest, (0, ""))
        above = [one for _, one in rest][:1]
    else:
        return None
    words = _DASHES.sub("", line.strip(), count=1)
    if not words or _KEY.search(words):
        return None
    if found := _TIGHT_COLON.match(words):
        return f"a space is missing behind the colon of {shown(found[1])}, on line {number}"
    hint = f"a colon is missing behind {shown(words.split()[0])}, on line {number}"
    goes_on = bool(above) and not above[0].endswith(":")
    return f"{hint}; or, if that line belongs to the text above, indent it deeper" if goes_on else hint


def _item(stop: Stop) -> str | None:
    """An item of a list at another level than the one above it, or a key at the level of items."""
    here, is_item = len(_indentation(stop.line)), _is_item(stop.line)
    number, level = _item_above(stop, here)
    if level is None or is_item == (level == here):
        return None
    if is_item:
        return f"this item is indented by {_spaces(here)}, the one on line {number} by {level}"
    return f"the list on line {number} has its items at this level: a key stands further left, or behind a dash" if level == here else None


def _item_above(stop: Stop, here: int) -> tuple[int, int | None]:
    """The line and level of the nearest item above, up to the first line that is less deep than the place."""
    for number, line in stop.above():
        level = len(_indentation(line))
        if _is_item(line):
            return number, level
        if level < here:
            break
    return 0, None


def _is_item(line: str) -> bool:
    return line.lstrip().startswith("- ")


def _indent(stop: Stop) -> str | None:
    """A line that begins at no level of those that are open."""
    here, levels = len(_indentation(stop.line)), sorted(_levels(stop))
    number, line = next(stop.above(), (0, ""))
    if not levels or here in levels:
        return None
    begins = f"this line is indented by {_spaces(here)}"
    if here > levels[-1]:
        opens = line.endswith((":", "-", "|", ">", ",", "[", "{"))
        return None if opens else f"{begins}, what stands above it on line {number} by {levels[-1]}"
    fitting = [*[level for level in levels if level < here][-1:], *[level for level in levels if level > here][:1]]
    return f"{begins}: {' or '.join(map(str, fitting))} would fit"


def _levels(stop: Stop) -> set[int]:
    """The levels at which a line may go on what stands above it."""
    levels: set[int] = set()
    lowest = _LONGEST
    for _, line in stop.above():
        begin = len(_indentation(line))
        dashes = _DASHES.match(line, begin)
        inside = begin if dashes is None else dashes.end()
        levels.update(level for level in (begin, inside) if level < lowest)
        lowest = min(lowest, begin)
        if not lowest:
            break
    return levels


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _spaces(count: int) -> str:
    return "1 space" if count == 1 else f"{count} spaces"


_RULES: Final[tuple[Callable[[Stop], str | None], ...]] = (
    _odd,
    _tab,
    _tight,
    _quote,
    _cut,
    _unclosed,
    _escape,
    _braces,
    _bracket,
    _closing,
    _first_sign,
    _colon,
    _no_colon,
    _item,
    _indent,
)
