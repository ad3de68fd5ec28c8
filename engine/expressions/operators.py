"""Arithmetic, comparison and joining over JSON values, as functions that make evaluators."""

import operator
from collections.abc import Callable
from typing import Final

from engine.expressions.moments import ranks
from engine.expressions.scope import Scope
from engine.expressions.values import Missing, bounded, equal, kind, number, present, printed, wrong_type, wrong_value
from engine.model.values import Json

Evaluate = Callable[[Scope], Json]
"""One part of an expression, ready to run; it may give a Missing."""

Calculation = Callable[[float, float], float]
Relation = Callable[[Scope, Json, Json], bool]

ARITHMETIC: Final[dict[str, Calculation]] = {
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_LONGEST_NAME: Final = 80
_ORDER: Final[dict[str, Callable[[Json, Json], bool]]] = {
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}


def arithmetic(symbol: str, left: Evaluate, right: Evaluate) -> Evaluate:
    """Subtraction, multiplication, division or remainder of two numbers."""
    calculate = ARITHMETIC[symbol]

    def evaluate(scope: Scope) -> Json:
        one, other = number(left(scope)), number(right(scope))
        try:
            return bounded(calculate(one, other))
        except ZeroDivisionError as error:
            raise wrong_value("A number cannot be divided by zero.") from error

    return evaluate


def addition(left: Evaluate, right: Evaluate) -> Evaluate:
    """Two numbers to their sum; two texts or two lists to one."""

    def evaluate(scope: Scope) -> Json:
        one, other = left(scope), right(scope)
        if isinstance(one, str) and isinstance(other, str):
            scope.budget.spend_characters(len(one) + len(other))
            return one + other
        if isinstance(one, list) and isinstance(other, list):
            scope.budget.weigh(one)
            scope.budget.weigh(other)
            return one + other
        return bounded(number(one) + number(other))

    return evaluate


def negation(operand: Evaluate) -> Evaluate:
    """The number with the other sign."""
    return lambda scope: -number(operand(scope))


def same_sign(operand: Evaluate) -> Evaluate:
    """The number itself; anything else is refused."""
    return lambda scope: number(operand(scope))


def conjunction(left: Evaluate, right: Evaluate) -> Evaluate:
    """The first value if it is empty, zero, false or null, else the second; the second may not be looked at."""
    return lambda scope: present(right(scope)) if (value := present(left(scope))) else value


def disjunction(left: Evaluate, right: Evaluate) -> Evaluate:
    """The first value unless it is empty, zero, false or null, else the second; the second may not be looked at."""
    return lambda scope: present(left(scope)) or present(right(scope))


def inversion(operand: Evaluate) -> Evaluate:
    """True for an empty, zero, false or null value."""
    return lambda scope: not present(operand(scope))


def choice(condition: Evaluate, then: Evaluate, otherwise: Evaluate) -> Evaluate:
    """One of two values; the other is not looked at."""
    return lambda scope: then(scope) if present(condition(scope)) else otherwise(scope)


def concatenation(parts: tuple[Evaluate, ...]) -> Evaluate:
    """All parts as people read them, in one text."""

    def evaluate(scope: Scope) -> Json:
        texts = [printed(part(scope), scope.budget) for part in parts]
        scope.budget.spend_characters(sum(map(len, texts)))
        return "".join(texts)

    return evaluate


def list_of(items: tuple[Evaluate, ...]) -> Evaluate:
    """A new list."""

    def evaluate(scope: Scope) -> Json:
        made = [present(item(scope)) for item in items]
        scope.budget.weigh(made)
        return made

    return evaluate


def mapping_of(entries: tuple[tuple[str, Evaluate], ...]) -> Evaluate:
    """A new mapping; of equal keys the last counts."""

    def evaluate(scope: Scope) -> Json:
        made = {key: present(value(scope)) for key, value in entries}
        scope.budget.weigh(made)
        return made

    return evaluate


def comparison(first: Evaluate, steps: tuple[tuple[Relation, Evaluate], ...]) -> Evaluate:
    """Whether every relation of a chain such as `1 <= x < 5` holds; what follows a false one is not looked at."""
    if len(steps) == 1:
        [(relation, second)] = steps
        return lambda scope: relation(scope, present(first(scope)), present(second(scope)))

    def evaluate(scope: Scope) -> Json:
        left = present(first(scope))
        for holds, following in steps:
            right = present(following(scope))
            if not holds(scope, left, right):
                return False
            left = right
        return True

    return evaluate


def _equal(scope: Scope, left: Json, right: Json) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        if left == right or not left[:1].isdigit():  # a moment begins with a digit
            return left == right
        both = ranks([left, right], scope.timezone)
        return both is not None and both[0] == both[1]
    return equal(left, right, scope.budget)


def _ordered(name: str) -> Relation:
    holds = _ORDER[name]

    def relation(scope: Scope, left: Json, right: Json) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            both = ranks([left, right], scope.timezone)
            return holds(*both) if both else holds(left, right)
        if _is_number(left) and _is_number(right):
            return holds(left, right)
        raise wrong_type(f"{kind(left).capitalize()} and {kind(right)} cannot be put in order.")

    return relation


def _is_number(value: Json) -> bool:
    return type(value) is int or type(value) is float


def contains(scope: Scope, whole: Json, part: Json) -> bool:
    """Whether a list has the item, a mapping the key, or a text the text."""
    match whole:
        case list():
            scope.budget.spend_items(len(whole))
            return any(equal(item, part, scope.budget) for item in whole)
        case dict() if isinstance(part, str):
            return part in whole
        case str() if isinstance(part, str):
            scope.budget.search_characters(len(whole))
            return part in whole
        case _:
            raise wrong_type(f"{kind(part).capitalize()} cannot be in {kind(whole)}.")


RELATIONS: Final[dict[str, Relation]] = {
    "eq": _equal,
    "ne": lambda scope, left, right: not _equal(scope, left, right),
    "in": lambda scope, left, right: contains(scope, right, left),
    "notin": lambda scope, left, right: not contains(scope, right, left),
    **{name: _ordered(name) for name in _ORDER},
}


def lookup(value: Json | Missing, key: Json, what: str) -> Json | Missing:
    """The mapping's value under a text, or the list's item at a position (from the end when negative); else a Missing that `what` names.

    This is all that a dot or an index ever does: no attribute of anything is read.
    """
    if isinstance(value, dict):
        return value[key] if isinstance(key, str) and key in value else Missing(what)
    if isinstance(value, list) and type(key) is int:
        return value[key] if -len(value) <= key < len(value) else Missing(what)
    return value if isinstance(value, Missing) else Missing(what)


def path(root: str, keys: tuple[str | int, ...]) -> Evaluate:
    """Reads a root and literal keys below it."""
    steps = tuple((key, ".".join(map(str, (root, *keys[:count])))[:_LONGEST_NAME]) for count, key in enumerate(keys, start=1))

    def read(scope: Scope) -> Json:
        value = scope.roots[root] if root in scope.roots else Missing(root)
        for key, what in steps:
            value = lookup(value, key, what)
        return value

    if len(keys) == 1 and isinstance(keys[0], str):
        return _short_path(root, keys[0], read)
    return read


def _short_path(root: str, key: str, otherwise: Evaluate) -> Evaluate:
    def read(scope: Scope) -> Json:
        # By far the most frequent expression is vars.NAME.
        try:
            return scope.roots[root][key] if type(scope.roots[root]) is dict else otherwise(scope)
        except KeyError:
            return otherwise(scope)

    return read


def subscript(container: Evaluate, key: Evaluate, what: str) -> Evaluate:
    """Reads one key or position that is itself calculated."""

    def read(scope: Scope) -> Json:
        return lookup(container(scope), present(key(scope)), what)

    return read
