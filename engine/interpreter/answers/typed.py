"""Values as they arrive: strictly typed, then held against the author's rules."""

import math
from collections.abc import Iterable
from typing import Final

from engine.expressions.values import NUMBER_LIMIT
from engine.interpreter.answers.faults import Fault, Judged, fault
from engine.interpreter.answers.folding import trimmed
from engine.interpreter.answers.moments import moment_of
from engine.interpreter.answers.rules import (
    bound,
    count_faults,
    email_faults,
    moment_faults,
    number_faults,
    text_faults,
    url_faults,
)
from engine.interpreter.answers.shapes import has_shape, is_email
from engine.model.inputs import DISPLAYS, Question, ShownOption, Validation
from engine.model.values import LARGEST_INTEGER, Json

FILE_TEXTS: Final = ("file_id", "url", "name", "mime")
FILE_KEYS: Final = frozenset({*FILE_TEXTS, "size"})
RATING: Final = (1, 5)
"""The lowest rating, and the highest where the author names none."""

_NO_RULES: Final = Validation()


def collects(question: Question) -> bool:
    """Whether the question has an answer at all."""
    return question.type not in DISPLAYS


def is_single_choice(question: Question) -> bool:
    """Whether the answer is the value of one option: whatever the input type, once there are options."""
    return question.type in {"select", "radio"} or bool(question.options and question.type != "multi_select")


def is_blank(value: Json) -> bool:
    """Whether the value is no answer: absent, null, or a text of white space."""
    return value is None or (isinstance(value, str) and not trimmed(value))


def judge(question: Question, value: Json) -> Judged:
    """The value as it is saved, with every rule of the question that it breaks; never called for a blank."""
    rules = question.validation or _NO_RULES
    if is_single_choice(question):
        return _choice(question, value, rules)
    match question.type:
        case "multi_select":
            return _choices(question, value, rules)
        case "number" | "integer" | "rating":
            return _number(question, value, rules)
        case "boolean" | "checkbox":
            return _yes_or_no(value, rules)
        case "file_upload" | "image_upload" | "signature":
            return _files(question, value, rules) if question.multiple else _file(value)
        case _:
            return _text(question.type, value, rules)


def _text(kind: str, value: Json, rules: Validation) -> Judged:
    if not isinstance(value, str):
        return fault("type")
    if not storable(value):
        return fault("characters")
    faults: list[Fault] = []
    match kind:
        case "email":
            faults.extend(email_faults(value, rules) if is_email(value) else (Fault("email"),))
        case "url":
            faults.extend(url_faults(value, rules) if has_shape("url", value) else (Fault("url"),))
        case "tel" if not has_shape("tel", value):
            faults.append(Fault("tel"))
        case "date" | "time" | "datetime":
            when = moment_of(kind, value)
            faults.extend((Fault(kind),) if when is None else moment_faults(when, rules))
        case _:
            pass
    if rules is not _NO_RULES:
        faults.extend(text_faults(value, rules))
    return value, tuple(faults)


def storable(text: str) -> bool:
    """Whether the text can be stored everywhere: no NUL, no half of a surrogate pair."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _number(question: Question, value: Json, rules: Validation) -> Judged:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return fault("type")
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:  # one of thousands of digits is nothing that a float could be asked about
        return fault("too_large")
    if not math.isfinite(value):
        return fault("type")
    if abs(value) >= NUMBER_LIMIT:
        return fault("too_large")
    number: int | float = value
    if question.type != "number" or rules.integer is True:
        if number != math.floor(number):
            return fault("integer" if question.type == "number" else "type")
        number = int(number)
    if isinstance(number, int) and abs(number) > LARGEST_INTEGER:
        return fault("too_large")
    lowest, highest = RATING if question.type == "rating" else (None, None)
    return number, tuple(number_faults(number, rules, lowest=lowest, highest=highest))


def _yes_or_no(value: Json, rules: Validation) -> Judged:
    if not isinstance(value, bool):
        return fault("type")
    return value, () if value or rules.must_accept is not True else (Fault("must_accept"),)


def _choice(question: Question, value: Json, rules: Validation) -> Judged:
    option = option_of(question.options, value)
    if option is None:
        return fault("option")
    if rules.must_accept is True and option.value is False:
        return fault("must_accept")
    return option.value, ()


def _choices(question: Question, value: Json, rules: Validation) -> Judged:
    if not isinstance(value, list):
        return fault("type")
    faults: list[Fault] = []
    picked: set[int] = set()
    for index, item in enumerate(value):
        place = next((at for at, option in enumerate(question.options) if _same(option.value, item)), None)
        if place is None:
            faults.append(Fault("option", at=f"/{index}"))
        elif place in picked:
            faults.append(Fault("unique", at=f"/{index}"))
        else:
            picked.add(place)
    if not value and question.required and bound(rules.select_min) is None:
        faults.append(Fault("required"))
    faults.extend(count_faults(len(value), rules))
    return [question.options[place].value for place in sorted(picked)], tuple(faults)


def option_of(options: Iterable[ShownOption], value: Json) -> ShownOption | None:
    """The option with that very value: numbers equal numbers, but true is not 1."""
    return next((option for option in options if _same(option.value, value)), None)


def _same(one: Json, other: Json) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _file(value: Json, at: str = "") -> Judged:
    if not isinstance(value, dict) or value.keys() != FILE_KEYS:
        return fault("file", at=at)
    size = value["size"]
    whole = not isinstance(size, bool) and isinstance(size, int) and 0 <= size <= LARGEST_INTEGER
    texts = (value[key] for key in FILE_TEXTS)
    if not whole or not value["file_id"] or not all(isinstance(text, str) and storable(text) for text in texts):
        return fault("file", at=at)
    return value, ()


def _files(question: Question, value: Json, rules: Validation) -> Judged:
    if not isinstance(value, list):
        return fault("type")
    faults = [wrong for index, item in enumerate(value) for wrong in _file(item, f"/{index}")[1]]
    if not value and question.required:
        faults.append(Fault("required"))
    most = bound(rules.file_max)
    if most is not None and len(value) > most:
        faults.append(Fault("file_max", most))
    return value, tuple(faults)
