"""A form's field judged as it is typed, by the rules that it was published with; the flow's own verdict comes after."""

from typing import Any

import msgspec

from engine.interpreter.answers.faults import message
from engine.interpreter.answers.reading import unanswered
from engine.interpreter.answers.typed import is_blank, judge
from engine.model.inputs import Question
from engine.model.values import Json


def objections(field: dict[str, Any], value: Json, locale: str) -> list[str]:
    """What breaks the field's rules, in words; nothing where the field has rules that are not known here."""
    try:
        question = msgspec.convert(field, Question)
    except msgspec.ValidationError:
        return []
    _, faults = unanswered(question) if is_blank(value) else judge(question, value)
    return [*dict.fromkeys(message(fault, locale, question) for fault in faults)]
