"""Filters that make texts. They take whatever prints on one line: texts, numbers, booleans, and null as an empty text."""

import re
from typing import Final

from engine.expressions.scope import EXPRESSION_CHARACTERS, EXPRESSION_ITEMS, Scope
from engine.expressions.values import Missing, json_text, kind, printed, whole, words, wrong_type, wrong_value
from engine.model.values import Json

_WORD_START: Final = re.compile(r"([-\s({\[<]+)")


def _text(scope: Scope, value: Json) -> str:
    """The value as a text of which a copy is about to be made."""
    if isinstance(value, list | dict):
        raise wrong_type(f"A text is needed here, not {kind(value)}.")
    text = printed(value, scope.budget)
    scope.budget.spend_characters(len(text))
    return text


def default(_: Scope, value: Json | Missing, fallback: Json = "", boolean: Json = False) -> Json:  # noqa: FBT002 - positional in Jinja too
    """The fallback when the value is missing or null; with `boolean`, also when it is empty, zero or false."""
    if isinstance(value, Missing) or value is None or (boolean and not value):
        return fallback
    return value


def lower(scope: Scope, value: Json) -> Json:
    """All letters small."""
    return _text(scope, value).lower()


def upper(scope: Scope, value: Json) -> Json:
    """All letters large."""
    return _text(scope, value).upper()


def capitalize(scope: Scope, value: Json) -> Json:
    """The first letter large, the others small."""
    return _text(scope, value).capitalize()


def title(scope: Scope, value: Json) -> Json:
    """The first letter of each word large, the others small."""
    return "".join(part[:1].upper() + part[1:].lower() for part in _WORD_START.split(_text(scope, value)))


def trim(scope: Scope, value: Json, characters: Json = None) -> Json:
    """Without white space, or the given characters, at both ends."""
    return _text(scope, value).strip(None if characters is None else words(characters, "What `trim` takes away"))


def replace(scope: Scope, value: Json, old: Json, new: Json, count: Json = None) -> Json:
    """Each occurrence of old, or the first `count` of them, replaced."""
    text, before, after = _text(scope, value), words(old, "What is replaced"), words(new, "The replacement")
    if not before:
        raise wrong_value("`replace` needs a text to look for.")
    found = text.count(before)
    times = found if count is None else min(found, whole(count, "The count", least=0, most=EXPRESSION_CHARACTERS))
    scope.budget.spend_characters(times * len(after))
    return text.replace(before, after, times)


def truncate(scope: Scope, value: Json, length: Json = 255, killwords: Json = False, end: Json = "...") -> Json:  # noqa: FBT002 - positional in Jinja too
    """At most `length` characters, `end` included when something was cut; cut between words unless `killwords`."""
    text = "" if value is None else value if isinstance(value, str) else _text(scope, value)
    most = whole(length, "The length", least=0, most=EXPRESSION_CHARACTERS)
    ending = words(end, "The end")
    if len(text) <= most:
        return text
    scope.budget.spend_characters(most)
    kept = text[: max(0, most - len(ending))]
    if not killwords and " " in kept:
        kept = kept.rsplit(" ", 1)[0]
    return (kept + ending)[:most]


def split(scope: Scope, value: Json, separator: Json = None, limit: Json = None) -> Json:
    """The parts between separators (default: runs of white space), at most `limit` + 1 of them."""
    text = _text(scope, value)
    by = None if separator is None else words(separator, "The separator")
    if by == "":
        raise wrong_value("`split` needs a separator of at least one character.")
    times = -1 if limit is None else whole(limit, "The limit", least=0, most=EXPRESSION_ITEMS)
    parts = text.split(by, times)
    scope.budget.spend_items(len(parts))
    return parts


def string(scope: Scope, value: Json) -> Json:
    """The value as it prints."""
    return printed(value, scope.budget)


def tojson(scope: Scope, value: Json) -> Json:
    """The value as compact JSON."""
    return json_text(value, scope.budget)
