"""The JSON Schema of an answer's values.

Whatever is accepted fits the schema, save a blank text, which stands for null. What a schema cannot say, such as a range of dates or the
number of words, only the server checks.
"""

import math
from typing import Any, Final

from engine.interpreter.answers.patterns import portable
from engine.interpreter.answers.reading import unanswered
from engine.interpreter.answers.rules import bound, exact
from engine.interpreter.answers.shapes import EMAIL_LENGTH, HTTPS, PATTERNS
from engine.interpreter.answers.typed import FILE_TEXTS, RATING, collects, is_single_choice
from engine.model.inputs import Expectation, Question, Validation

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_NO_RULES: Final = Validation()
_FORMATS: Final = {"email": "email", "date": "date"}
"""Formats that say no more and no less than we check; those for times and web addresses would refuse what we take."""
_NOTHING: Final[Schema] = {"not": {}}
_FILE: Final[Schema] = {
    "properties": {
        **{name: {"type": "string"} for name in FILE_TEXTS},
        "file_id": {"type": "string", "minLength": 1},
        "size": {"type": "integer", "minimum": 0},
    },
    "required": [*FILE_TEXTS, "size"],
    "additionalProperties": False,
}


def answer_schema(expectation: Expectation) -> Schema:
    """JSON Schema 2020-12 for `values`: one property a question, nothing else."""
    questions = [question for question in expectation.questions if collects(question)]
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {question.name: _property(question) for question in questions},
        "required": [question.name for question in questions if not _may_be_null(question)],
        "additionalProperties": False,
    }


def _may_be_null(question: Question) -> bool:
    return not unanswered(question)[1]


def _property(question: Question) -> Schema:
    described = _described(question)
    if _may_be_null(question):
        described = _nullable(described)
    notes = {"title": question.label, "description": question.help, "default": question.default}
    return described | {key: note for key, note in notes.items() if note not in (None, "")}


def _nullable(described: Schema) -> Schema:
    if described == _NOTHING:
        return {"type": "null"}
    wider = dict(described)
    if "enum" in wider:
        wider["enum"] = [*wider["enum"], None]
    if "type" in wider:
        kinds = wider["type"]
        wider["type"] = [*(kinds if isinstance(kinds, list) else [kinds]), "null"]
    return wider


def _described(question: Question) -> Schema:
    rules = question.validation or _NO_RULES
    if is_single_choice(question):
        return _choice(question, refuse_false=rules.must_accept is True)
    match question.type:
        case "multi_select":
            return _choices(question, rules)
        case "number" | "integer" | "rating":
            return _number(question, rules)
        case "boolean" | "checkbox":
            return {"type": "boolean", "enum": [True]} if rules.must_accept is True else {"type": "boolean"}
        case "file_upload" | "image_upload" | "signature":
            return _files(question, rules) if question.multiple else {"type": "object", **_FILE}
        case _:
            return _text(question, rules)


def _choice(question: Question, *, refuse_false: bool = False) -> Schema:
    values = [option.value for option in question.options if not (refuse_false and option.value is False)]
    return {"type": sorted({_json_type(value) for value in values}), "enum": values} if values else _NOTHING


def _json_type(value: str | float) -> str:
    match value:
        case bool():
            return "boolean"
        case str():
            return "string"
        case _:
            return "number"


def _choices(question: Question, rules: Validation) -> Schema:
    fewest = bound(rules.select_min)
    if fewest is None and question.required:
        fewest = 1
    counted = _count("minItems", fewest) | _count("maxItems", bound(rules.select_max))
    return {"type": "array", "items": _choice(question), "uniqueItems": True, **counted}


def _files(question: Question, rules: Validation) -> Schema:
    counted = _count("minItems", 1 if question.required else None) | _count("maxItems", bound(rules.file_max))
    return {"type": "array", "items": {"type": "object", **_FILE}, **counted}


def _count(keyword: str, limit: float | None) -> Schema:
    if limit is None:
        return {}
    return {keyword: max(0, math.ceil(limit) if keyword.startswith("min") else math.floor(limit))}


def _number(question: Question, rules: Validation) -> Schema:
    lowest, highest = RATING if question.type == "rating" else (None, None)
    least, most, step = bound(rules.min), bound(rules.max), bound(rules.step)
    whole = question.type != "number" or rules.integer is True
    limits = {
        "minimum": lowest if least is None else least,
        "maximum": highest if most is None else most,
        "multipleOf": step if step is not None and step > 0 and exact(least or 0) % exact(step) == 0 else None,
    }
    return {"type": "integer" if whole else "number"} | {keyword: limit for keyword, limit in limits.items() if limit is not None}


def _text(question: Question, rules: Validation) -> Schema:
    described: Schema = {"type": "string"}
    if question.type in _FORMATS:
        described["format"] = _FORMATS[question.type]
    most = bound(rules.max_length)
    if question.type == "email":
        most = EMAIL_LENGTH if most is None else min(most, EMAIL_LENGTH)
    described |= _count("minLength", bound(rules.min_length)) | _count("maxLength", most)
    patterns = _patterns(question, rules)
    if patterns:
        described["pattern"] = patterns[0]
    if len(patterns) > 1:
        described["allOf"] = [{"pattern": pattern} for pattern in patterns[1:]]
    return described


def _patterns(question: Question, rules: Validation) -> list[str]:
    own = PATTERNS.get(question.type)
    written = portable(rules.pattern) if rules.pattern is not None else None
    https = HTTPS if question.type == "url" and rules.url_https_only is True else None
    # Without a pattern of its own, a text that has to be given must at least not be blank.
    filled = r"\S" if own is None and not _may_be_null(question) else None
    return [pattern for pattern in (written, own, https, filled) if pattern is not None]
