"""What a person is asked for: options, rules, fields, attempts and routes must make sense together."""

from collections.abc import Sequence

from engine.interpreter.answers import option_key
from engine.loading.findings import Findings, shown
from engine.loading.lint.answers import Asked, check_default, check_room
from engine.loading.lint.outline import NodeView, Outline
from engine.loading.lint.rules import DISPLAYED, OPTIONAL, PICKED, UPLOADS
from engine.loading.lint.validation import check_validation
from engine.model.inputs import Branch, Option
from engine.model.nodes import Ask, Choice, Form
from engine.model.values import Scalar, Text

Path = tuple[str | int, ...]


def check_inputs(outline: Outline, findings: Findings) -> None:
    """Reports every question that cannot be answered as its author thought; broken nodes are left out."""
    for view in outline.nodes.values():
        match view.node:
            case Ask():
                _check_question(Asked(view, (), view.node, view.node.input), findings)
                _check_routes(view, view.node, findings)
            case Choice():
                _check_options(view, ("options",), view.node.options, findings)
            case Form():
                _check_fields(view, view.node, findings)
            case _:
                continue
        if view.node.attempts is not None and view.node.on_exhausted is None:
            message = "the key `on_exhausted` is missing: where does the last wrong answer lead?"
            findings.add("attempts.no_exit", view.start, message)


def _check_fields(view: NodeView, form: Form, findings: Findings) -> None:
    names: set[str] = set()
    for number, field in enumerate(form.fields):
        path: Path = ("fields", number)
        if field.name is None and field.type not in DISPLAYED:
            findings.add("field.unnamed", view.at(*path), f"the field of type {shown(field.type)} has no name")
        elif field.name is not None and field.name in names:
            findings.add("field.duplicate", view.value_at(*path, "name"), f"the form has a field {shown(field.name)} already")
        names.add(field.name or "")
        _check_question(Asked(view, path, field, field.type), findings)


def _check_question(asked: Asked, findings: Findings) -> None:
    view, path, question = asked.view, asked.path, asked.question
    options = question.options
    if options is None and asked.type in PICKED:
        findings.add("options.empty", view.at(*path), f"an input of type {shown(asked.type)} needs `options`")
    elif options is not None and asked.type not in PICKED | OPTIONAL:
        findings.add("input.unfit", view.at(*path, "options"), f"an input of type {shown(asked.type)} has no options")
    elif options is not None:
        _check_options(view, (*path, "options"), options, findings)
    if question.multiple and asked.type not in UPLOADS:
        hint = "use multi_select" if asked.type in {"select", "radio"} else None
        findings.add("input.unfit", view.at(*path, "multiple"), f"an input of type {shown(asked.type)} takes one answer", hint)
    if question.validation is not None:
        check_validation(view, (*path, "validation"), asked.type, question.validation, findings)
        check_room(asked, question.validation, findings)
    if options or asked.type not in PICKED:
        check_default(asked, findings)


def _check_options(view: NodeView, path: Path, options: Sequence[Option | Branch], findings: Findings) -> None:
    if not options:
        findings.add("options.empty", view.at(*path), "there must be at least one option")
    values: dict[str, int] = {}
    for number, option in enumerate(options):
        key = option_key(written(option.value))
        if values.setdefault(key, number) != number:
            message = f"the value {shown(written(option.value))} means the same answer as that of option {values[key] + 1}"
            findings.add("option.duplicate", view.value_at(*path, number, "value"), message)
    labels: dict[tuple[str, str], int] = {}
    for number, option in enumerate(options):
        for language, label in _labels(option.label):
            key = option_key(label)
            other = labels.setdefault((language, key), number)
            other = values.get(key, other) if other == number else other
            if other != number:
                message = f"the label {shown(label)} means the same answer as option {other + 1}"
                where = ("label", language) if language else ("label",)
                findings.add("option.label", view.value_at(*path, number, *where), message)


def _labels(label: Text | None) -> list[tuple[str, str]]:
    """The literal labels by language; the language is empty for one that serves them all."""
    found = list(label.items()) if isinstance(label, dict) else [("", label or "")]
    return [(language, text) for language, text in found if text.strip() and "{{" not in text]


def written(value: Scalar) -> str:
    """An option's value as the flow file writes it: true rather than Python's True."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_routes(view: NodeView, ask: Ask, findings: Findings) -> None:
    if ask.options:
        known = {written(option.value) for option in ask.options}
    elif ask.input in {"boolean", "checkbox"}:
        known = {"true", "false"}
    else:
        return
    for value in ask.routes:
        if value not in known:
            message = f"the answer can never be {shown(value)}"
            findings.add("route.unknown", view.at("routes", value), message, findings.meant(value, known))
