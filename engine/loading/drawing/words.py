"""Texts as a drawing shows them: on one line, cut, and folded to a width that is estimated, since no fonts are at hand."""

import unicodedata
from functools import lru_cache
from typing import Final

_JOINER: Final = "\u200d"
_NARROW: Final = frozenset("iljtfI.,:;!'| -`\u2019")
_BROAD: Final = frozenset("mwMWQO@%\u2014\u2026&<>=+~#")


def plain(text: str) -> str:
    """The text on one line, without anything that cannot be seen or that turns writing around."""
    return " ".join("".join(character if _is_seen(character) else " " for character in text).split())


def cut(text: str, most: int) -> str:
    """The text, or its beginning where it is longer than so many characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


@lru_cache(maxsize=65_536)
def width(text: str, size: float) -> float:
    """How wide the text is in a font of that size, rather too wide than too narrow."""
    return size * sum(map(_share, text))


def folded(text: str, size: float, most: float, lines: int) -> list[str]:
    """The first lines of the text, none wider than that; the last one tells where there is more."""
    folds: list[str] = []
    rest = text
    while rest and len(folds) < lines:
        line, rest = _first_line(rest, size, most)
        folds.append(line)
    if rest:
        folds[-1] = _with_ellipsis(folds[-1], size, most)
    return folds


def _first_line(text: str, size: float, most: float) -> tuple[str, str]:
    """As many words as fit, and what is left; a word that is too wide for any line is cut in two."""
    taken = ""
    for word in text.split(" "):
        longer = f"{taken} {word}" if taken else word
        if width(longer, size) > most:
            break
        taken = longer
    if not taken:
        taken = _fitting(text, size, most)
    return taken, text[len(taken) :].lstrip()


def _fitting(text: str, size: float, most: float) -> str:
    total = 0.0
    for place, character in enumerate(text):
        total += size * _share(character)
        if total > most:
            return text[: max(place, 1)]
    return text


def _with_ellipsis(line: str, size: float, most: float) -> str:
    return f"{_fitting(line, size, most - size).rstrip()}…"


def _is_seen(character: str) -> bool:
    return character.isprintable() or character == _JOINER


def _share(character: str) -> float:
    """The character's width as a share of the font's size."""
    if character in _NARROW:
        return 0.38
    if character in _BROAD:
        return 0.92
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1.1
    return 0.0 if unicodedata.combining(character) or character == _JOINER else 0.72 if character.isupper() else 0.61
