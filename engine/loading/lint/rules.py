"""Which rules of `validation` make sense for which type of input."""

from typing import Final

SIZES: Final = ("min_length", "max_length", "word_min", "word_max")
_TEXT: Final = frozenset({*SIZES, "pattern"})
_DATES: Final = frozenset({"date_min", "date_max", "date_no_weekends"})
_FILES: Final = frozenset({"file_max"})

RULES: Final[dict[str, frozenset[str]]] = {
    "text": _TEXT,
    "textarea": _TEXT,
    "email": _TEXT | {"email_allow_domains"},
    "tel": _TEXT,
    "url": _TEXT | {"url_https_only", "url_allow_domains"},
    "date": _DATES,
    "time": frozenset(),
    "datetime": _DATES,
    "number": frozenset({"min", "max", "step", "integer"}),
    "integer": frozenset({"min", "max", "step", "integer"}),
    "boolean": frozenset({"must_accept"}),
    "checkbox": frozenset({"must_accept"}),
    "select": frozenset(),
    "radio": frozenset(),
    "multi_select": frozenset({"select_min", "select_max"}),
    "rating": frozenset({"min", "max"}),
    "file_upload": _FILES,
    "image_upload": _FILES,
    "signature": _FILES,
    "heading": frozenset(),
    "paragraph": frozenset(),
    "divider": frozenset(),
}
"""Input type to its rules; `messages` fits every type."""

RANGES: Final = (
    ("min_length", "max_length"),
    ("word_min", "word_max"),
    ("min", "max"),
    ("select_min", "select_max"),
    ("date_min", "date_max"),
)
NUMBERS: Final = (*SIZES, "min", "max", "step", "select_min", "select_max", "file_max")
SWITCHES: Final = ("integer", "url_https_only", "date_no_weekends", "must_accept")
DATES: Final = ("date_min", "date_max")

OPTIONAL: Final = frozenset({"text", "textarea", "tel", "email", "url", "date", "time", "datetime", "number", "integer"})
"""Inputs that may have options: they then take one of these."""
