"""A form's field as a person types it, turned into the value that is asked for."""

import re
from typing import Any, Final

from engine.model.inputs import FILES
from engine.model.values import Json

_FORMS: Final = {
    "boolean": "yes/no",
    "checkbox": "yes/no",
    "date": "2026-01-31",
    "time": "14:30",
    "datetime": "2026-01-31T14:30",
    "multi_select": "1, 2",
}
_YES: Final = frozenset({"yes", "y", "true", "on", "ja", "oui", "si", "sí"})
_NO: Final = frozenset({"no", "n", "false", "off", "nein", "non"})
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def typed_value(field: dict[str, Any], line: str) -> Json:
    """The value that the line stands for, None for a blank; ValueError says what to type instead."""
    text = line.strip()
    if not text:
        return None
    match field["type"]:
        case "number" | "integer" | "rating":
            return _number(text)
        case "boolean" | "checkbox" if "options" not in field:
            return _switch(text)
        case "multi_select":
            return [_picked(field, part.strip()) for part in text.split(",") if part.strip()]
        case "select" | "radio" | "boolean" | "checkbox":
            return _picked(field, text)
        case kind if kind in FILES:
            raise ValueError("Files cannot be sent from a terminal: leave it empty.")
        case _:
            return line


def typed_text(value: Json) -> str:
    """What one types to give the value; the inverse of `typed_value`."""
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(typed_text, value))
        case _:
            return str(value)


def form_of(field: dict[str, Any]) -> str | None:
    """What is typed looks like this, where the type has a form of its own."""
    return None if field.get("options") and field["type"] != "multi_select" else _FORMS.get(field["type"])


def _number(text: str) -> int | float:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError("Type a number, such as 3 or 2.5.")
    return int(text) if found[1] is None else float(text)


def _switch(text: str) -> bool:
    word = text.casefold()
    if word not in _YES | _NO:
        raise ValueError("Type yes or no.")
    return word in _YES


def _picked(field: dict[str, Any], text: str) -> Json:
    """By value, else by label, else by number."""
    options = field.get("options", [])
    word = text.casefold()
    for name in ("value", "label"):
        for option in options:
            if str(option[name]).casefold() == word:
                return option["value"]
    if text.isdecimal() and 1 <= int(text) <= len(options):
        return options[int(text) - 1]["value"]
    raise ValueError(f"Type a number from 1 to {len(options)}, or one of the texts.")
