"""Every filter and test by the name that authors write, with the arguments each takes."""

import inspect
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from engine.expressions import list_filters, number_filters, text_filters
from engine.expressions.operators import contains
from engine.expressions.patterns import PATTERN_COST, compile_pattern, finds, search_cost
from engine.expressions.scope import Scope
from engine.expressions.values import Missing, words
from engine.model.values import Json

Function = Callable[..., Json]
"""Takes the scope, the value, and one value for each parameter, in order."""


class Entry(Struct, frozen=True):
    """A filter or test, and how it may be called."""

    function: Function
    parameters: tuple[str, ...]
    required: int
    """So many leading parameters have no default."""
    defaults: tuple[Json, ...]
    takes_missing: bool = False


def _entry(function: Function, *, takes_missing: bool = False) -> Entry:
    parameters = list(inspect.signature(function).parameters.values())[2:]
    defaults = tuple(parameter.default for parameter in parameters if parameter.default is not parameter.empty)
    names = tuple(parameter.name for parameter in parameters)
    return Entry(function, names, len(names) - len(defaults), defaults, takes_missing)


def _defined(_: Scope, value: Json | Missing) -> bool:
    return not isinstance(value, Missing)


def _none(_: Scope, value: Json) -> bool:
    return value is None


def _string(_: Scope, value: Json) -> bool:
    return isinstance(value, str)


def _number(_: Scope, value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _even(_: Scope, value: Json) -> bool:
    return number_filters.demand_whole(value) % 2 == 0


def _odd(_: Scope, value: Json) -> bool:
    return number_filters.demand_whole(value) % 2 == 1


def _matching(scope: Scope, value: Json, regex: Json) -> bool:
    """Whether the pattern is found anywhere in the text; null matches nothing."""
    scope.budget.spend_items(PATTERN_COST)
    return matches(scope, value, compile_pattern(words(regex, "A pattern")))


def matches(scope: Scope, value: Json, compiled: Any) -> bool:
    """Whether a compiled pattern is found anywhere in the text; null matches nothing."""
    if value is None:
        return False
    text = words(value, "What `matching` looks at")
    scope.budget.search_characters(len(text))
    scope.budget.spend_items(search_cost(compiled, text))
    return finds(compiled, text)


def _containing(scope: Scope, value: Json, text: Json) -> bool:
    """Whether the text has the other in it, or the list the item; null contains nothing."""
    return value is not None and contains(scope, value, text)


_FILTERS: Final[dict[str, Function]] = {
    "lower": text_filters.lower,
    "upper": text_filters.upper,
    "capitalize": text_filters.capitalize,
    "title": text_filters.title,
    "trim": text_filters.trim,
    "replace": text_filters.replace,
    "truncate": text_filters.truncate,
    "split": text_filters.split,
    "string": text_filters.string,
    "tojson": text_filters.tojson,
    "join": list_filters.join,
    "length": list_filters.length,
    "first": list_filters.first,
    "last": list_filters.last,
    "reverse": list_filters.reverse,
    "sort": list_filters.sort,
    "unique": list_filters.unique,
    "sum": list_filters.total,
    "min": list_filters.least,
    "max": list_filters.greatest,
    "list": list_filters.as_list,
    "keys": list_filters.keys,
    "values": list_filters.values,
    "map": list_filters.pick,
    "select": list_filters.select,
    "reject": list_filters.reject,
    "abs": number_filters.absolute,
    "round": number_filters.rounded,
    "int": number_filters.integer,
    "float": number_filters.floating,
    "date": number_filters.dated,
    "add": number_filters.added,
    "money": number_filters.money,
    "number": number_filters.localized_number,
}
FILTER_TABLE: Final = {
    "default": _entry(text_filters.default, takes_missing=True),
    **{name: _entry(function) for name, function in _FILTERS.items()},
}
TEST_TABLE: Final = {
    "defined": _entry(_defined, takes_missing=True),
    "none": _entry(_none),
    "string": _entry(_string),
    "number": _entry(_number),
    "matching": _entry(_matching),
    "containing": _entry(_containing),
    "even": _entry(_even),
    "odd": _entry(_odd),
}
FILTERS: Final = frozenset(FILTER_TABLE)
"""The names of all filters."""
TESTS: Final = frozenset(TEST_TABLE)
"""The names of all tests, as they stand after `is`."""
