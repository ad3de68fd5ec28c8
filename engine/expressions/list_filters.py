"""Filters over lists and mappings. An `attribute` is a key, or keys joined by dots, in each item."""

from typing import Final

import msgspec

from engine.expressions.moments import ranks
from engine.expressions.operators import lookup
from engine.expressions.scope import Scope
from engine.expressions.values import Missing, bounded, equal, kind, number, present, printed, words, wrong_type, wrong_value
from engine.model.values import Json

_NOTHING: Final = Missing("nothing")


def _items(scope: Scope, value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise wrong_type(f"A list is needed here, not {kind(value)}.")
    scope.budget.spend_items(len(value))
    return value


def _inside(item: Json, attribute: str) -> Json | Missing:
    found: Json | Missing = item
    for key in attribute.split("."):
        found = lookup(found, int(key) if key.isdecimal() and isinstance(found, list) and len(key) < 10 else key, attribute)  # noqa: PLR2004 - no list is longer
    return found


def _column(scope: Scope, value: Json, attribute: Json) -> list[Json]:
    """The items themselves, or what each has under the attribute; one that lacks it is `expression.undefined`."""
    items = _items(scope, value)
    if attribute is None:
        return items
    name = words(attribute, "An attribute")
    scope.budget.spend_items(len(items) * name.count("."))
    return [present(_inside(item, name)) for item in items]


def length(_: Scope, value: Json) -> Json:
    """Characters of a text, items of a list, entries of a mapping."""
    if isinstance(value, str | list | dict):
        return len(value)
    raise wrong_type(f"{kind(value).capitalize()} has no length.")


def first(_: Scope, value: Json) -> Json:
    """The first item or character; null when there is none."""
    return _end(value, 0)


def last(_: Scope, value: Json) -> Json:
    """The last item or character; null when there is none."""
    return _end(value, -1)


def _end(value: Json, position: int) -> Json:
    if not isinstance(value, str | list):
        raise wrong_type(f"A list or a text is needed here, not {kind(value)}.")
    return value[position] if value else None


def reverse(scope: Scope, value: Json) -> Json:
    """The list or text from its end."""
    if isinstance(value, str):
        scope.budget.spend_characters(len(value))
        return value[::-1]
    return _items(scope, value)[::-1]


def sort(scope: Scope, value: Json, attribute: Json = None, reverse: Json = False) -> Json:  # noqa: FBT002 - positional in Jinja too
    """The items in the order of `<`: all numbers or all texts (dates by their moment), or what each has under the attribute."""
    items = _items(scope, value)
    keys = _ranked(scope, _column(scope, value, attribute))
    order = sorted(range(len(items)), key=keys.__getitem__, reverse=bool(reverse))
    return [items[position] for position in order]


def _ranked(scope: Scope, values: list[Json]) -> list[Json]:
    """Values that Python puts in our order; raises `expression.type` when they have none."""
    if all(isinstance(value, str) for value in values):
        return ranks(values, scope.timezone) or values
    return [number(value) for value in values]


def unique(scope: Scope, value: Json, attribute: Json = None) -> Json:
    """The items without later ones that equal an earlier one."""
    items = _items(scope, value)
    seen: set[Json] = set()
    kept = []
    for item, by in zip(items, _column(scope, value, attribute), strict=True):
        key = _identity(scope, by)
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


def _identity(scope: Scope, value: Json) -> Json:
    """Something hashable that is the same for equal values."""
    match value:
        case bool() | None:
            return (value,)
        case str() | int() | float():
            return value
        case _:
            scope.budget.weigh(value)
            try:
                return msgspec.json.encode(value, order="sorted")
            except (TypeError, ValueError) as error:
                raise wrong_value("A value cannot be compared.") from error


def total(scope: Scope, value: Json, attribute: Json = None, start: Json = 0) -> Json:
    """The sum of numbers, or of what each item has under the attribute."""
    result = number(start)
    for item in _column(scope, value, attribute):
        result = bounded(result + number(item))
    return result


def least(scope: Scope, value: Json, attribute: Json = None) -> Json:
    """The least of numbers or texts, or the item with the least under the attribute; null of an empty list."""
    ordered = sort(scope, value, attribute)
    return ordered[0] if ordered else None


def greatest(scope: Scope, value: Json, attribute: Json = None) -> Json:
    """The greatest of numbers or texts, or the item with the greatest under the attribute; null of an empty list."""
    ordered = sort(scope, value, attribute)
    return ordered[-1] if ordered else None


def join(scope: Scope, value: Json, separator: Json = "", attribute: Json = None) -> Json:
    """The items as they print, in one text."""
    between = words(separator, "The separator")
    texts = []
    for item in _column(scope, value, attribute):
        texts.append(printed(item, scope.budget))
        scope.budget.spend_characters(len(texts[-1]) + len(between))
    return between.join(texts)


def as_list(scope: Scope, value: Json) -> Json:
    """The items of a list, the keys of a mapping, the characters of a text."""
    if not isinstance(value, str | list | dict):
        raise wrong_type(f"{kind(value).capitalize()} has no items.")
    scope.budget.spend_items(len(value))
    return list(value)


def keys(scope: Scope, value: Json) -> Json:
    """The keys of a mapping, in its order."""
    return list(_mapping(scope, value))


def values(scope: Scope, value: Json) -> Json:
    """The values of a mapping, in its order."""
    return list(_mapping(scope, value).values())


def _mapping(scope: Scope, value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise wrong_type(f"A mapping is needed here, not {kind(value)}.")
    scope.budget.spend_items(len(value))
    return value


def pick(scope: Scope, value: Json, attribute: Json, default: Json = _NOTHING) -> Json:
    """What each item has under the attribute; where it lacks it, the default if one is given."""
    if default is _NOTHING:
        return _column(scope, value, attribute)
    name = words(attribute, "An attribute")
    found = (_inside(item, name) for item in _items(scope, value))
    return [default if isinstance(part, Missing) else part for part in found]


def select(scope: Scope, value: Json, attribute: Json, equals: Json = _NOTHING) -> Json:
    """The items whose attribute is true, or equals the second argument; an item that lacks it is left out."""
    return [item for item in _items(scope, value) if _fits(scope, item, attribute, equals)]


def reject(scope: Scope, value: Json, attribute: Json, equals: Json = _NOTHING) -> Json:
    """The items that `select` would leave out."""
    return [item for item in _items(scope, value) if not _fits(scope, item, attribute, equals)]


def _fits(scope: Scope, item: Json, attribute: Json, equals: Json) -> bool:
    found = _inside(item, words(attribute, "An attribute"))
    if isinstance(found, Missing):
        return False
    return bool(found) if equals is _NOTHING else equal(found, equals, scope.budget)
