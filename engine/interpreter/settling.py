"""How a wait is settled: by an answer that fits, by one that does not, or by its deadline."""

from engine.errors import AnswerRefused
from engine.interpreter.answers import raw_answer, read_answer
from engine.interpreter.outcomes import Go, Suspend
from engine.interpreter.walk import Walk
from engine.model.effects import Emit
from engine.model.events import Answered
from engine.model.inputs import Expectation
from engine.model.nodes import Ask, Asking, Choice, Form
from engine.model.run import Pause
from engine.model.values import END, Json


def answered(walk: Walk, node: Asking, pause: Pause, event: Answered) -> Go | Suspend:
    """Take the answer; a wrong one is refused (AnswerRefused) unless the node counts attempts."""
    expected = pause.expectation
    raw = raw_answer(event.values, event.text, form=isinstance(node, Form))
    try:
        values = read_answer(expected, values=event.values, text=event.text, locale=walk.run.locale)
    except AnswerRefused as refusal:
        if expected.attempts_left is None or not refusal.counts:
            raise
        return _wrong(walk, node, pause, raw)
    _keep(walk, node, values, raw, _tried(node, expected) + 1)
    return _exit(node, next(iter(values.values()), None))


def unanswered(walk: Walk, node: Asking, pause: Pause) -> Go | None:
    """The deadline has passed: null is saved, and the timeout's branch is taken; None where the frame expires."""
    before = walk.frame.nodes.get(walk.frame.node, {})
    last = before.get("last") if _tried(node, pause.expectation) else None
    _keep(walk, node, _nothing(pause.expectation), last, _tried(node, pause.expectation))
    return Go(node.timeout.next, "timeout") if node.timeout is not None else None


def _wrong(walk: Walk, node: Asking, pause: Pause, raw: Json) -> Go | Suspend:
    expected = pause.expectation
    left = (expected.attempts_left or 1) - 1
    tried = _tried(node, expected) + 1
    if left == 0:
        _keep(walk, node, _nothing(expected), raw, tried)
        return Go(node.on_exhausted or END, "exhausted")
    _note(walk, node, None, raw, tried)
    if node.retry is not None:
        walk.say(walk.text(node.retry))
    walk.effects.extend(Emit(block) for block in pause.shown)
    again = Expectation(kind=expected.kind, node=expected.node, questions=expected.questions, attempts_left=left)
    return Suspend(Pause(expectation=again, deadline=pause.deadline, shown=pause.shown, branch=pause.branch))


def _keep(walk: Walk, node: Asking, values: dict[str, Json], raw: Json, tried: int) -> None:
    """Save the answer under its variables, and what the root `nodes.ID` shows of it."""
    variables = walk.frame.variables
    match node:
        case Form():
            variables.update(values if node.save is None else {node.save: values})
            _note(walk, node, values, raw, tried)
        case Ask() | Choice():
            variables.update(values)
            _note(walk, node, next(iter(values.values()), None), raw, tried)


def _note(walk: Walk, node: Asking, value: Json, raw: Json, tried: int) -> None:
    key = "values" if isinstance(node, Form) else "value"
    walk.frame.nodes[walk.frame.node] = {key: value, "last": raw, "attempts": tried}


def _nothing(expected: Expectation) -> dict[str, Json]:
    return {question.name: None for question in expected.questions if question.name}


def _tried(node: Asking, expected: Expectation) -> int:
    return 0 if node.attempts is None or expected.attempts_left is None else node.attempts - expected.attempts_left


def _exit(node: Asking, value: Json) -> Go:
    match node:
        case Choice():
            taken = next(option for option in node.options if type(option.value) is type(value) and option.value == value)
            return Go(taken.next, f"option:{route_key(value)}")
        case Ask():
            key = route_key(value)
            return Go(node.routes[key], f"route:{key}") if key in node.routes else Go(node.next)
        case Form():
            return Go(node.next)


def route_key(value: Json) -> str:
    """How a `routes` key or an edge names an answer: true and false as in YAML, numbers as written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
