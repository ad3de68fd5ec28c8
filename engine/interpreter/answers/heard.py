"""Free text read as the answer to one question."""

from engine.interpreter.answers.faults import Judged, fault
from engine.interpreter.answers.folding import option_key, trimmed
from engine.interpreter.answers.picking import pick_one, pick_several
from engine.interpreter.answers.spoken import read_date, read_date_time, read_number, read_time
from engine.interpreter.answers.typed import is_single_choice, judge
from engine.interpreter.answers.words import yes_or_no
from engine.model.inputs import Question
from engine.model.values import Json

_AROUND_ADDRESSES = " .,;"


def hear(question: Question, text: str, locale: str) -> Judged:
    """The value that the text means, held against every rule of the question; never called for a blank or a file."""
    if is_single_choice(question):
        return _judged(question, pick_one(question.options, text), "option")
    match question.type:
        case "multi_select":
            return _judged(question, pick_several(question.options, text, locale), "option")
        case "boolean" | "checkbox":
            return _judged(question, _yes_or_no(option_key(text), locale), "type")
        case "number" | "integer" | "rating":
            return _judged(question, read_number(option_key(text), locale), "type")
        case "date":
            return _judged(question, read_date(option_key(text), locale), "date")
        case "time":
            return _judged(question, read_time(option_key(text)), "time")
        case "datetime":
            return _judged(question, read_date_time(option_key(text), locale), "datetime")
        case "email" | "url" | "tel":
            return judge(question, _address(text))
        case _:
            return judge(question, trimmed(text))


def names_option(question: Question, text: str, locale: str) -> bool:
    """Whether the text picks from what the question offers, be it only yes or no."""
    if is_single_choice(question):
        return pick_one(question.options, text) is not None
    match question.type:
        case "multi_select":
            return pick_several(question.options, text, locale) is not None
        case "boolean" | "checkbox":
            return _yes_or_no(option_key(text), locale) is not None
        case _:
            return False


def _judged(question: Question, value: Json, unread: str) -> Judged:
    return fault(unread) if value is None else judge(question, value)


def _yes_or_no(key: str, locale: str) -> bool | None:
    return key == "true" if key in {"true", "false"} else yes_or_no(key, locale)


def _address(text: str) -> str:
    """The address without what a sentence or a mail program puts around it."""
    bare = trimmed(text).rstrip(_AROUND_ADDRESSES)
    return bare[1:-1] if bare.startswith("<") and bare.endswith(">") else bare
