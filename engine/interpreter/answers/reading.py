"""An answer to a wait: read whole, or refused whole with everything that is wrong with it."""

from collections.abc import Iterator
from typing import Final

from engine.errors import AnswerRefused
from engine.interpreter.answers.faults import Fault, Judged, fault, problems
from engine.interpreter.answers.folding import trimmed
from engine.interpreter.answers.heard import hear
from engine.interpreter.answers.typed import collects, is_blank, judge
from engine.model.inputs import FILES, Expectation, Question
from engine.model.problems import Problem, pointer_step
from engine.model.values import Json

_NO_FAULTS: Final[tuple[Fault, ...]] = ()


def read_answer(expectation: Expectation, *, values: dict[str, Json] | None, text: str | None, locale: str) -> dict[str, Json]:
    """The complete answer: a value for every question that collects one, its default or null where nothing was answered.

    Raises AnswerRefused with all problems; `counts` is False where names are given that the wait lacks, or text where it takes none.
    """
    if values is None and text is not None:
        return _read_text(expectation, text, locale)
    return _read_values(expectation, values or {}, locale)


def raw_answer(values: dict[str, Json] | None, text: str | None, *, form: bool = False) -> Json:
    """What `nodes.ID.last` keeps of a wrong answer: the text, or the only value, or the mapping; of a form always the mapping."""
    if values is None:
        return text
    return next(iter(values.values())) if len(values) == 1 and not form else values


def unanswered(question: Question) -> Judged:
    """What is saved where nothing was answered: the default, else null, which a required question does not take."""
    if question.required and question.default is None:
        return fault("required")
    rules = question.validation
    if rules is not None and rules.must_accept is True and question.default is not True:
        return fault("must_accept")
    return question.default, _NO_FAULTS


def _read_values(expectation: Expectation, values: dict[str, Json], locale: str) -> dict[str, Json]:
    answer: dict[str, Json] = {}
    wrong: list[Problem] = []
    for question in expectation.questions:
        if not collects(question):
            continue
        given = values.get(question.name)
        value, faults = unanswered(question) if is_blank(given) else judge(question, given)
        if faults:
            wrong.extend(problems(faults, field=f"/values/{question.name}", locale=locale, question=question))
        answer[question.name] = value
    unknown = [] if values.keys() <= answer.keys() else list(_unknown(values, answer, locale))
    if wrong or unknown:
        raise AnswerRefused(wrong + unknown, counts=not unknown)
    return answer


def _unknown(values: dict[str, Json], answer: dict[str, Json], locale: str) -> Iterator[Problem]:
    for name in values:
        if name not in answer:
            yield from problems([Fault("unknown")], field=f"/values/{pointer_step(name)}", locale=locale)


def _read_text(expectation: Expectation, text: str, locale: str) -> dict[str, Json]:
    questions = [question for question in expectation.questions if collects(question)]
    if len(questions) != 1 or questions[0].type in FILES:
        raise AnswerRefused(problems([Fault("text.not_accepted")], field="/text", locale=locale), counts=False)
    question = questions[0]
    value, faults = hear(question, text, locale) if trimmed(text) else unanswered(question)
    if faults:
        whole = dict.fromkeys(Fault(wrong.rule, wrong.limit) for wrong in faults)
        raise AnswerRefused(problems(whole, field="/text", locale=locale, question=question))
    return {question.name: value}
