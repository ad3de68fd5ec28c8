"""A form's field as a person types it: read and judged as an answer in free text would be; the flow's own verdict comes after."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.expressions.values import plain
from engine.interpreter.answers.faults import Judged, message
from engine.interpreter.answers.folding import trimmed
from engine.interpreter.answers.heard import hear
from engine.interpreter.answers.reading import unanswered
from engine.interpreter.answers.typed import is_blank, judge
from engine.interpreter.answers.words import figures, yes_and_no
from engine.model.inputs import FILES, Question
from engine.model.values import Json

SWITCHES: Final = frozenset({"boolean", "checkbox"})
_FORMS: Final = {"date": "2026-01-31", "time": "14:30", "datetime": "2026-01-31T14:30", "multi_select": "1, 2"}
_NO_FILES: Final = "Files cannot be sent from a terminal: leave it empty."


class Typed(Struct, frozen=True):
    """What a line stands for, None for a blank, and what is wrong with it in words; what cannot be read stands for itself."""

    value: Json
    wrongs: tuple[str, ...] = ()


def typed(field: dict[str, Any], line: str, locale: str) -> Typed:
    """The line read in that language; a field that is not known here is left to the flow."""
    question = _question(field)
    if not trimmed(line):
        return Typed(None) if question is None else Typed(None, _words(question, unanswered(question), locale))
    if question is None:
        return Typed(line)
    if question.type in FILES:
        return Typed(line, (_NO_FILES,))
    heard = hear(question, line, locale)
    return Typed(line if heard[0] is None else heard[0], _words(question, heard, locale))


def kept(field: dict[str, Any], value: Json, locale: str) -> Typed:
    """A value that was given before, and is given once more."""
    question = _question(field)
    return Typed(value) if question is None or is_blank(value) else Typed(value, _words(question, judge(question, value), locale))


def typed_text(value: Json, options: Sequence[dict[str, Any]], locale: str) -> str:
    """What one types to give the value, by its label where it is an option's; the inverse of `typed`."""
    label = next((option["label"] for option in options if _same(option["value"], value)), None)
    match value:
        case _ if label is not None:
            return str(label)
        case bool():
            yes, no = yes_and_no(locale)
            return yes if value else no
        case list():
            return ", ".join(typed_text(item, options, locale) for item in value)
        case float():
            return plain(value).replace(".", figures(locale).decimal)
        case _:
            return str(value)


def form_of(kind: str, options: Sequence[dict[str, Any]], locale: str) -> str | None:
    """What is typed looks like this, where the type has a form of its own."""
    if kind in SWITCHES and not options:
        return "/".join(yes_and_no(locale))
    return None if options and kind != "multi_select" else _FORMS.get(kind)


def _question(field: dict[str, Any]) -> Question | None:
    """The question that the field was published from, if need be without its rules: a newer server may have others."""
    for known in (field, {name: value for name, value in field.items() if name != "validation"}):
        try:
            return msgspec.convert(known, Question)
        except msgspec.ValidationError:
            continue
    return None


def _words(question: Question, judged: Judged, locale: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(message(fault, locale, question) for fault in judged[1]))


def _same(one: Json, other: Json) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
