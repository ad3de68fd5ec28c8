"""The nodes that wait for the customer: what they show and accept is evaluated once, when the wait begins, and frozen with it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from engine.errors import ExpressionError
from engine.expressions.patterns import PATTERN_COST, compile_pattern
from engine.interpreter import settling, waiting
from engine.interpreter.answers import published
from engine.interpreter.answers.moments import moment
from engine.interpreter.lists import Made
from engine.interpreter.outcomes import Go, NodeFailed, Suspend
from engine.interpreter.walk import Walk
from engine.model.inputs import (
    DISPLAYS,
    FILES,
    OPTIONED,
    Branch,
    DisplayType,
    Expectation,
    ExpectationKind,
    FormField,
    InputType,
    MadeFields,
    MadeOptions,
    Option,
    Question,
    ShownOption,
    Validation,
)
from engine.model.nodes import Ask, Asking, Choice, Form
from engine.model.run import Block
from engine.model.values import Json, is_name

_TEXTS: Final = frozenset({"pattern", "email_allow_domains", "url_allow_domains"})
_MOMENTS: Final = frozenset({"date_min", "date_max"})
_PICKED: frozenset[InputType | DisplayType] = OPTIONED | {"boolean", "checkbox"}


def ask(walk: Walk, node: Ask) -> Go | Suspend:
    """Show the prompt and wait for one answer, unless the trigger's text is one."""
    options = shown_options(walk, node.options) if node.options is not None or node.input in OPTIONED else ()
    question = Question(
        name=node.save or walk.frame.node,
        type=node.input,
        required=node.required,
        placeholder=None if node.placeholder is None else walk.text(node.placeholder),
        options=options,
        validation=frozen_validation(walk, node.validation),
        default=walk.value(node.default),
        multiple=node.multiple,
    )
    if node.use_trigger_text and (way := settling.foretold(walk, node, Expectation(_kind(question), walk.frame.node, (question,)))):
        return way
    prompt = walk.say(walk.text(node.prompt))
    return _suspend(walk, node, _kind(question), (question,), (prompt,))


def choice(walk: Walk, node: Choice) -> Suspend:
    """Show the prompt and wait for one of the options."""
    name = node.save or walk.frame.node
    question = Question(name=name, type="select", required=True, options=shown_options(walk, node.options))
    prompt = walk.say(walk.text(node.prompt))
    return _suspend(walk, node, "choice", (question,), (prompt,))


def form(walk: Walk, node: Form) -> Suspend:
    """Show the form and wait until it is sent."""
    questions = _questions(walk, node.fields)
    expectation = Expectation(kind="form", node=walk.frame.node, questions=questions)
    payload: dict[str, Any] = {"title": walk.text(node.title), "fields": published(expectation)["fields"]}
    payload["submit_label"] = None if node.submit_label is None else walk.text(node.submit_label)
    return _suspend(walk, node, "form", questions, (walk.emit("form", payload),))


def shown_options(walk: Walk, options: Sequence[Option | Branch] | MadeOptions | None) -> tuple[ShownOption, ...]:
    """The options with their labels in the run's language; two that are equal, or none at all, fail the node."""
    if isinstance(options, MadeOptions):
        shown = tuple(walk.over(Made(options.each, options.name), partial(_shown, walk, options.do)))
    else:
        shown = tuple(_shown(walk, option) for option in options or ())
    if not shown:
        raise NodeFailed("options.empty", "there is no option to pick")
    if len({(isinstance(option.value, bool), option.value) for option in shown}) < len(shown):  # 1 is 1.0, and true is neither
        raise NodeFailed("options.duplicate", "two options have the same value")
    return shown


def frozen_validation(walk: Walk, rules: Validation | None) -> Validation | None:
    """The rules with every template evaluated and every message in the run's language."""
    if rules is None:
        return None
    written = msgspec.to_builtins(rules)
    messages = {rule: walk.text(text) for rule, text in rules.messages.items()}
    frozen = {name: walk.value(value) for name, value in written.items() if name != "messages"}
    try:
        found = msgspec.convert({**frozen, "messages": messages}, Validation)
    except msgspec.ValidationError as error:
        raise NodeFailed("validation.type", f"a rule of the answer came out wrong: {error}") from error
    _demand_kinds(frozen)
    if found.pattern is not None and found.pattern != rules.pattern:
        _demand_pattern(walk, found.pattern)
    return found


def _demand_kinds(rules: Mapping[str, Json]) -> None:
    """A bound or a switch that came out as a text, or a day that is none, would be no rule at all."""
    for rule, value in rules.items():
        if not isinstance(value, str) or rule in _TEXTS:
            continue
        if rule not in _MOMENTS or moment(value) is None:
            raise NodeFailed("validation.type", f"the rule {rule} came out as {value!r}")


def _demand_pattern(walk: Walk, pattern: str) -> None:
    """A pattern that was made from data must be one; each costs the turn what a search for it does."""
    walk.scope.budget.begin()
    walk.scope.budget.spend_items(PATTERN_COST)
    try:
        compile_pattern(pattern)
    except ExpressionError as error:
        raise NodeFailed("pattern.bad", str(error)) from error


def _suspend(walk: Walk, node: Asking, kind: ExpectationKind, questions: tuple[Question, ...], shown: tuple[Block, ...]) -> Suspend:
    expectation = Expectation(kind=kind, node=walk.frame.node, questions=questions, attempts_left=node.attempts)
    return Suspend(waiting.pause(walk, node, expectation, shown))


def _kind(question: Question) -> ExpectationKind:
    if question.type in FILES:
        return "upload"
    return "choice" if question.options or question.type in _PICKED else "text"


def _shown(walk: Walk, option: Option | Branch) -> ShownOption:
    value = walk.value(option.value)
    if not isinstance(value, str | int | float):
        raise NodeFailed("options.value", "an option's value must be a text, a number, or true or false")
    return ShownOption(value, walk.text(option.label) if option.label is not None else _plain(value))


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _questions(walk: Walk, fields: Sequence[FormField] | MadeFields) -> tuple[Question, ...]:
    if not isinstance(fields, MadeFields):
        return tuple(_field(walk, field, field.name) for field in fields)
    made = fields.do
    questions = walk.over(Made(fields.each, fields.name), lambda: _field(walk, made, walk.value(made.name)))
    names = [question.name for question in questions if question.type not in DISPLAYS]
    if not questions:
        raise NodeFailed("fields.empty", "there is no field to fill in")
    if len(set(names)) < len(names) or not all(map(is_name, names)):
        raise NodeFailed("fields.name", "each field needs an id of its own as its name")
    return tuple(questions)


def _field(walk: Walk, field: FormField, name: Json) -> Question:
    name = name if isinstance(name, str) else ""
    return Question(
        name=name,
        type=field.type,
        label=name if field.label is None else walk.text(field.label),
        required=field.required and field.type not in DISPLAYS,
        placeholder=None if field.placeholder is None else walk.text(field.placeholder),
        help=None if field.help is None else walk.text(field.help),
        options=shown_options(walk, field.options) if field.options is not None or field.type in OPTIONED else (),
        validation=frozen_validation(walk, field.validation),
        default=walk.value(field.default),
        multiple=field.multiple,
    )
