"""The answers that a question can get at all: there must be one, and its literal default must be of its kind."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from engine.errors import AnswerRefused
from engine.interpreter.answers import read_answer
from engine.interpreter.answers.typed import RATING
from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import NodeView, Outline
from engine.loading.partial import Partial
from engine.loading.tree import Items, Pairs, Part
from engine.model.inputs import DISPLAYS, DisplayType, Expectation, FormField, InputType, MadeOptions, Question, ShownOption, Validation
from engine.model.nodes import Ask, Form
from engine.model.problems import Problem

Path = tuple[str | int, ...]

_BOUNDS: Final = frozenset({"min", "max"})
_NAME: Final = "answer"


class Asked(Struct, frozen=True):
    """A question as far as it is known, and where it stands in its node; `type` is None where it is doubtful."""

    view: NodeView
    path: Path
    seen: Partial
    question: Ask | FormField
    type: InputType | DisplayType | None
    rules: Partial | None


def questions(view: NodeView, outline: Outline) -> Iterator[Asked]:
    """The questions of an `ask` or a `form`, broken ones too."""
    match view.known:
        case Ask():
            parts: list[tuple[Path, Part]] = [((), view.part)]
        case Form() if isinstance(view.part, Pairs):
            parts = list(_fields(view.part.get("fields")))
        case _:
            return
    for path, part in parts:
        seen = outline.seen(part)
        rules = outline.seen(part.get("validation")) if isinstance(part, Pairs) else None
        rules = rules if rules is not None and isinstance(rules.value, Validation) else None
        match None if seen is None else seen.value:
            case Ask() as node if seen is not None:
                yield Asked(view, path, seen, node, node.input if seen.knows("input") else None, rules)
            case FormField() as field if seen is not None:
                yield Asked(view, path, seen, field, field.type if seen.knows("type") else None, rules)


def _fields(part: Part | None) -> Iterator[tuple[Path, Part]]:
    """The fields that are written out, or the one that all others are made like."""
    match part:
        case Items(items=items):
            yield from ((("fields", number), item) for number, item in enumerate(items))
        case Pairs() if (made := part.get("do")) is not None:
            yield ("fields", "do"), made
        case _:
            pass


def check_room(asked: Asked, rules: Partial, findings: Findings) -> None:
    """Reports literal bounds that no answer can keep, although they do not contradict each other."""
    match asked.type:
        case "rating" if rules.knows("min", "max"):
            _check_rating(asked, rules.value, findings)
        case "multi_select" if rules.knows("select_min", "select_max") and asked.seen.knows("options", "required"):
            _check_picks(asked, rules.value, findings)
        case _:
            pass


def _check_rating(asked: Asked, validation: Validation, findings: Findings) -> None:
    least, most = validation.min, validation.max
    if least is None and isinstance(most, int | float) and most < RATING[0]:
        _no_room(asked, "max", f"a rating begins at {RATING[0]}", findings)
    elif most is None and isinstance(least, int | float) and least > RATING[1]:
        _no_room(asked, "min", f"a rating without `max` ends at {RATING[1]}", findings)


def _check_picks(asked: Asked, validation: Validation, findings: Findings) -> None:
    least, most, options = validation.select_min, validation.select_max, asked.question.options
    if isinstance(options, list) and options and isinstance(least, int | float) and least > len(options):
        _no_room(asked, "select_min", f"of the options no more than {len(options)} can be picked", findings)
    elif least is None and asked.question.required and isinstance(most, int | float) and most < 1:
        _no_room(asked, "select_max", "an answer is required, and none may be picked", findings)


def _no_room(asked: Asked, rule: str, message: str, findings: Findings) -> None:
    findings.add("range.empty", asked.view.at(*asked.path, "validation", rule), message)


def check_default(asked: Asked, findings: Findings) -> None:
    """Reports a literal default that is no answer to such an input; the author's own rules do not bind it."""
    question = asked.question
    if asked.type is None or asked.type in DISPLAYS or not asked.seen.knows("default", "options", "multiple"):
        return
    if question.default is None or isinstance(question.options, MadeOptions) or has_template(question.default):
        return
    shown_options = tuple(ShownOption(one.value, str(one.value)) for one in question.options or ())
    asks = Question(_NAME, asked.type, options=shown_options, multiple=question.multiple)
    if (wrong := _wrong(asks, question.default)) is not None:
        message = f"the default is no answer to an input of type {shown(asked.type)}: {wrong.message}"
        findings.add("value.wrong", asked.view.value_at(*asked.path, "default"), message)


def saved_answer(question: Question, value: Any) -> Any:
    """What would be saved where the question is answered with the value; raises AnswerRefused."""
    answers = read_answer(Expectation("text", question.name, (question,)), values={question.name: value}, text=None, locale="en")
    return answers[question.name]


def _wrong(question: Question, value: Any) -> Problem | None:
    try:
        saved_answer(question, value)
    except AnswerRefused as refused:
        return next((one for one in refused.problems if one.code not in _BOUNDS), None)
    return None


def has_template(value: Any) -> bool:
    """Whether there is an expression anywhere inside the value."""
    match value:
        case str():
            return "{{" in value
        case list():
            return any(map(has_template, value))
        case dict():
            return any(map(has_template, value.values()))
        case _:
            return False
