"""Options found in free text: one that is named, or several in a list."""

from collections.abc import Sequence

from engine.interpreter.answers.folding import folded_text, option_key
from engine.interpreter.answers.words import separators
from engine.model.inputs import ShownOption
from engine.model.values import Scalar

_SLACK = 8
"""How many characters of space and punctuation an item of a list may have around it."""


def pick_one(options: Sequence[ShownOption], text: str) -> Scalar | None:
    """The value of the option that the whole text names: by value, else by label, else by its number in the menu."""
    place = _places(options).get(option_key(text))
    return None if place is None else options[place].value


def pick_several(options: Sequence[ShownOption], text: str, locale: str) -> list[Scalar] | None:
    """The values of the options that a list names, each once and in menu order; None when part of it names none.

    A comma or an "and" inside a name does no harm: the longest name wins, so long as all that follows can be read too.
    """
    places = _places(options)
    whole = option_key(text)
    picked = {places[whole]} if whole in places else _read_list(places, folded_text(text), locale)
    return None if picked is None else [options[place].value for place in sorted(picked)]


def _places(options: Sequence[ShownOption]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, option in enumerate(options):
        places.setdefault(_value_key(option.value), place)
    for place, option in enumerate(options):
        places.setdefault(option_key(option.label), place)
    for place in range(len(options)):
        places.setdefault(str(place + 1), place)
    return places


def _value_key(value: Scalar) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return option_key(value)
        case _:
            return str(value)


def _read_list(places: dict[str, int], text: str, locale: str) -> set[int] | None:
    pieces = _pieces(text, locale)
    longest = max(map(len, places), default=0) + _SLACK
    # From the end: for each piece, the option that the longest readable item starting there names, and where the rest begins.
    chosen: list[tuple[int, int] | None] = [None] * len(pieces)
    for first in range(len(pieces) - 1, -1, -1):
        for last in range(first, len(pieces)):
            item = text[pieces[first][0] : pieces[last][1]]
            if len(item) > longest:
                break
            place = places.get(option_key(item))
            rest_reads = last + 1 == len(pieces) or chosen[last + 1] is not None
            if place is not None and rest_reads:
                chosen[first] = (place, last + 1)
    return _followed(chosen)


def _followed(chosen: list[tuple[int, int] | None]) -> set[int] | None:
    picked: set[int] = set()
    at = 0
    while at < len(chosen):
        step = chosen[at]
        if step is None:
            return None
        place, at = step
        picked.add(place)
    return picked or None


def _pieces(text: str, locale: str) -> list[tuple[int, int]]:
    """Start and end of what stands between separators, without white space; empty pieces are left out."""
    edges = [0]
    for gap in separators(locale).finditer(text):
        edges.extend(gap.span())
    edges.append(len(text))
    pieces: list[tuple[int, int]] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        kept = text[start:end].strip()
        if kept:
            begin = start + text[start:end].index(kept)
            pieces.append((begin, begin + len(kept)))
    return pieces
