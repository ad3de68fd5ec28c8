"""How a question is settled: by an answer that fits, by one that does not, by a command, or by its deadline."""

import msgspec

from engine.errors import AnswerRefused
from engine.interpreter.answers import names_option, option_key, raw_answer, read_answer
from engine.interpreter.answers.typed import collects
from engine.interpreter.checking import demand_checks
from engine.interpreter.outcomes import Go, Suspend
from engine.interpreter.walk import Walk
from engine.model.effects import Emit
from engine.model.events import Answered
from engine.model.flow import Command
from engine.model.inputs import Expectation, MadeOptions
from engine.model.nodes import Ask, Asking, Choice, Form
from engine.model.run import Pause
from engine.model.values import END, Json


def answered(walk: Walk, node: Asking, pause: Pause, event: Answered) -> Go | Suspend:
    """Take the answer, or the command; a wrong answer is refused (AnswerRefused) unless the node counts attempts."""
    expected = pause.expectation
    command = None if event.values is not None or event.text is None else _commanded(walk, expected, event.text)
    if command is not None:
        return _obeyed(walk, node, pause, command, event.text or "")
    raw = raw_answer(event.values, event.text, form=isinstance(node, Form))
    try:
        values = read_answer(expected, values=event.values, text=event.text, locale=walk.run.locale)
        demand_checks(walk, node, values, "/text" if event.values is None else None)
    except AnswerRefused as refusal:
        if expected.attempts_left is None or not refusal.counts:
            raise
        return _wrong(walk, node, pause, raw)
    _keep(walk, node, values, raw, _tried(node, expected) + 1)
    return _exit(node, next(iter(values.values()), None))


def foretold(walk: Walk, node: Ask, expected: Expectation) -> Go | None:
    """The way on where the text that triggered the run is the answer already; each question tries it once in a run."""
    text = walk.run.trigger.text
    place = f"{walk.frame.script.ref.flow}/{walk.frame.node}"
    if not text.strip() or place in walk.tried:
        return None
    walk.tried = (*walk.tried, place)
    if _commanded(walk, expected, text) is not None:
        return None
    try:
        values = read_answer(expected, values=None, text=text, locale=walk.run.locale)
        demand_checks(walk, node, values, "/text")
    except AnswerRefused:
        return None
    _keep(walk, node, values, text, 0)
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
    again = msgspec.structs.replace(expected, attempts_left=left)
    return Suspend(msgspec.structs.replace(pause, expectation=again), "invalid")


def _commanded(walk: Walk, expected: Expectation, text: str) -> Command | None:
    """The flow's command that the text is; an option of the question that it names comes first."""
    commands = walk.frame.script.flow.commands
    if not commands:
        return None
    key, locale = option_key(text), walk.run.locale
    found = next((command for command in commands if any(option_key(word) == key for word in command.say)), None)
    asked = [question for question in expected.questions if collects(question)]
    if found is None or (len(asked) == 1 and names_option(asked[0], text, locale)):
        return None
    return found


def _obeyed(walk: Walk, node: Asking, pause: Pause, command: Command, text: str) -> Go | Suspend:
    """Leave the question with null saved, or say the reply and ask again with what attempts there were."""
    if command.next is not None:
        tried = _tried(node, pause.expectation)
        _keep(walk, node, _nothing(pause.expectation), text, tried)
        return Go(command.next, f"command:{command.say[0]}")
    if command.reply is not None:
        walk.say(walk.text(command.reply))
    walk.effects.extend(Emit(block) for block in pause.shown)
    return Suspend(pause, f"command:{command.say[0]}")


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
            return Go(_chosen(node, value), f"option:{route_key(value)}")
        case Ask():
            key = next((key for key in route_keys(value) if key in node.routes), None)
            return Go(node.next) if key is None else Go(node.routes[key], f"route:{key}")
        case Form():
            return Go(node.next)


def _chosen(node: Choice, value: Json) -> str:
    """Where the option leads; those made from data all lead to the node's `next`."""
    if isinstance(node.options, MadeOptions):
        return node.next or END
    return next(option.next for option in node.options if type(option.value) is type(value) and option.value == value)


def route_key(value: Json) -> str:
    """How a `routes` key or an edge names an answer: true and false as in YAML, numbers as written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def route_keys(value: Json) -> tuple[str, ...]:
    """Every `routes` key that stands for the answer: a whole number may be written with `.0` or without."""
    match value:
        case bool():
            return (route_key(value),)
        case int():
            return route_key(value), f"{value}.0"
        case float() if value.is_integer():
            return route_key(value), str(int(value))
        case _:
            return (route_key(value),)
