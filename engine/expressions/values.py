"""JSON values as expressions know them: what kind they are, when they are equal, how they print."""

from decimal import Decimal
from typing import Final

import msgspec

from engine.errors import ExpressionError
from engine.expressions.scope import Budget
from engine.model.values import Json

NUMBER_LIMIT: Final = 10**36
_PLACES: Final = 40
"""So many places after the point are written out, and read back by `float`."""
_LONGEST_NAME: Final = 60


class Missing:
    """Stands for a part that a value does not have; only `default` and `is defined` take it.

    It is made when a look-up fails and never leaves a template.
    """

    __slots__ = ("what",)

    def __init__(self, what: str) -> None:
        self.what = what if len(what) <= _LONGEST_NAME else f"{what[:_LONGEST_NAME]}..."


def undefined(missing: Missing) -> ExpressionError:
    """The error for a part that is missing where a value is needed."""
    return ExpressionError("expression.undefined", f"{missing.what} is not there.")


def wrong_type(message: str) -> ExpressionError:
    """The error for a value of a kind that the operation does not take."""
    return ExpressionError("expression.type", message)


def wrong_value(message: str) -> ExpressionError:
    """The error for a value of the right kind that the operation cannot use."""
    return ExpressionError("expression.value", message)


def present(value: Json | Missing) -> Json:
    """The value itself; raises `expression.undefined` when it is missing."""
    if isinstance(value, Missing):
        raise undefined(value)
    return value


def kind(value: Json) -> str:
    """What the value is, in words for an error message."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return "no JSON value"


def number(value: Json | Missing) -> int | float:
    """The value as a number under 10^36; a boolean is none."""
    if type(value) is int or type(value) is float:
        return bounded(value)
    raise wrong_type(f"A number is needed here, not {kind(present(value))}.")


def bounded(value: float) -> int | float:
    """The number itself when it is finite and under 10^36."""
    if -NUMBER_LIMIT < value < NUMBER_LIMIT:
        return value
    if value != value:  # noqa: PLR0124 - what differs from itself is no number
        raise wrong_value("The result is not a number.")
    raise ExpressionError("expression.budget", "A number is 10^36 or more.")


def whole(value: Json | Missing, what: str, *, least: int, most: int) -> int:
    """The value as an integer between two bounds; `what` names it in the error."""
    if type(value) is not int:
        raise wrong_type(f"{what} is a whole number, not {kind(present(value))}.")
    if not least <= value <= most:
        raise wrong_value(f"{what} lies between {least} and {most}.")
    return value


def words(value: Json | Missing, what: str) -> str:
    """The value as the text it must be; `what` names it in the error."""
    if isinstance(value, str):
        return value
    raise wrong_type(f"{what} is a text, not {kind(present(value))}.")


def equal(left: Json, right: Json, budget: Budget) -> bool:
    """Whether two values are the same JSON: 1 equals 1.0, a boolean equals no number; items compared are counted."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, bool) or isinstance(other, bool):
            if one is not other:
                return False
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            budget.spend_items(len(one))
            pairs.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            budget.spend_items(len(one))
            pairs.extend((item, other[key]) for key, item in one.items())
        elif one != other:
            return False
    return True


def json_text(value: Json, budget: Budget) -> str:
    """The value as compact JSON, its size counted."""
    budget.weigh(value)
    try:
        text = msgspec.json.encode(value).decode()
    except TypeError as error:
        raise wrong_type("A value is not JSON.") from error
    except ValueError as error:
        raise wrong_value("A text holds half of a character.") from error
    budget.spend_characters(len(text))
    return text


def plain(value: float) -> str:
    """A finite number in the fewest digits that give it again, without `.0`; with an exponent only where it needs more than 40 places."""
    if not value:
        return "0"  # which has no sign
    text = repr(value)
    if "e" in text:
        written = f"{Decimal(text):f}"
        text = written if len(written.partition(".")[2]) <= _PLACES else text
    return text.removesuffix(".0")


def printed(value: Json | Missing, budget: Budget) -> str:
    """The value as people read it.

    Null is nothing, booleans are true and false, numbers are plain, lists and mappings are JSON.
    """
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(bounded(value))
        case float():
            return plain(bounded(value))
        case Missing():
            raise undefined(value)
        case _:
            return json_text(value, budget)
