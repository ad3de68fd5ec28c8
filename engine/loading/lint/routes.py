"""The routes of an `ask`: each must stand for a value that can be the answer."""

from typing import Any, Final

from engine.errors import AnswerRefused
from engine.interpreter.settling import route_key, route_keys
from engine.loading.findings import Findings, shown
from engine.loading.lint.answers import Asked, has_template, saved_answer
from engine.loading.lint.rules import RULES
from engine.model.inputs import FILES, OPTIONED, MadeOptions, Question, Validation
from engine.model.nodes import Ask
from engine.model.values import Json

_NUMBERS: Final = frozenset({"number", "integer", "rating"})
_NULL: Final = route_key(None)


def check_routes(asked: Asked, ask: Ask, findings: Findings) -> None:
    """Reports routes that are never taken, whatever is answered; bounds count where they are written out."""
    if asked.type is None or not asked.seen.knows("options"):
        return
    known = _listed(asked, ask)
    if known is None and (isinstance(ask.options, MadeOptions) or asked.type in OPTIONED or has_template(ask.default)):
        return
    question = None if known is not None else _question(asked, ask)
    taken: dict[str, str] = {}
    for key in ask.routes:
        if (first := taken.setdefault(_answer(key, known, question), key)) != key:
            message = f"the route {shown(first)} is for the same answer: this one is never taken"
            findings.add("route.unknown", asked.view.at("routes", key), message)
            continue
        if (key == _NULL and _may_be_null(asked, ask)) or key in (known or ()):
            continue
        if question is None:
            hint = findings.meant(key, known) if known else "the answer is more than one value: let a `switch` look into it"
        elif (hint := _unreached(question, ask, key)) is None:
            continue
        findings.add("route.unknown", asked.view.at("routes", key), f"the answer can never be {shown(key)}", hint or None)


def _listed(asked: Asked, ask: Ask) -> dict[str, Json] | None:
    """The only answers that there are, by the keys that name them: none of a list or a file; None where they are not written out."""
    if asked.type == "multi_select" or asked.type in FILES:
        return {}
    answers: list[Json] = [True, False] if asked.type in {"boolean", "checkbox"} else []
    if isinstance(ask.options, list) and ask.options:
        answers = [option.value for option in ask.options]
    return {key: answer for answer in answers for key in route_keys(answer)} or None


def _answer(key: str, known: dict[str, Json] | None, question: Question | None) -> str:
    """The answer that the key stands for, written in one way."""
    if known is not None:
        return min(route_keys(known[key])) if key in known else key
    number = _number(key) if question is not None and question.type in _NUMBERS else None
    return key if number is None else min(route_keys(number))


def _may_be_null(asked: Asked, ask: Ask) -> bool:
    """Whether a blank may be saved as null."""
    return not (ask.required and asked.seen.knows("required")) and (ask.default is None or has_template(ask.default))


def _question(asked: Asked, ask: Ask) -> Question:
    """What the run will ask, with those of its rules that are numbers, or true or false; of what is in doubt the best is believed."""
    rules = Validation() if asked.rules is None else asked.rules.value
    sure = asked.seen.knows("validation") if asked.rules is None else asked.rules.knows("min", "max")
    bounded = sure and not isinstance(rules.min, str) and not isinstance(rules.max, str)
    given = {rule: getattr(rules, rule) for rule in RULES[ask.input]}
    plain: dict[str, Any] = {rule: value for rule, value in given.items() if isinstance(value, int | float)}
    kind = "integer" if ask.input == "rating" and not bounded else ask.input
    return Question("answer", kind, required=ask.required, validation=Validation(**plain))


def _unreached(question: Question, ask: Ask, key: str) -> str | None:
    """A hint where no answer is printed so, empty where there is none to give; None where one is. A default is saved as it stands."""
    if ask.default is not None and key in route_keys(ask.default):
        return None
    value: Json = key
    if question.type in _NUMBERS and (value := _number(key)) is None:
        return ""
    try:
        answer = saved_answer(question, value)
    except AnswerRefused as refused:
        return refused.problems[0].message
    return None if key in route_keys(answer) else Findings.did_you_mean(route_key(answer))


def _number(key: str) -> int | float | None:
    for read in (int, float):
        try:
            return read(key)
        except ValueError:
            continue
    return None
