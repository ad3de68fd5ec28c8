"""What a person is asked for: options, rules, fields, attempts and routes must make sense together."""

from collections.abc import Sequence

from engine.interpreter.answers import option_key
from engine.interpreter.answers.typed import is_blank
from engine.interpreter.settling import route_key
from engine.loading.findings import Findings, shown
from engine.loading.lint.answers import Asked, check_default, check_room, questions
from engine.loading.lint.outline import NodeView, Outline
from engine.loading.lint.routes import check_routes
from engine.loading.lint.rules import OPTIONAL
from engine.loading.lint.validation import check_validation
from engine.loading.partial import Partial
from engine.loading.tree import Items, Pairs
from engine.model.inputs import DISPLAYS, FILES, OPTIONED, Branch, FormField, MadeField, MadeFields, MadeOptions, Option
from engine.model.nodes import Ask, Asking, Check, Choice, Form
from engine.model.values import Text

Path = tuple[str | int, ...]


def check_inputs(outline: Outline, findings: Findings) -> None:
    """Reports every question that cannot be answered as its author thought, as far as its broken parts let it be seen."""
    for view in outline.nodes.values():
        node, seen = view.known, view.seen
        if seen is None or not isinstance(node, Asking):
            continue
        asked = list(questions(view, outline))
        for one in asked:
            _check_question(one, findings)
        match node:
            case Ask():
                for one in asked:
                    check_routes(one, node, findings)
            case Choice() if seen.knows("options"):
                _check_choice(view, node, seen, findings)
            case Form():
                _check_fields(asked, findings)
                if isinstance(node.fields, MadeFields) and node.save is None and seen.knows("fields", "save"):
                    message = "the key `save` is missing: fields that are made from data have no variables of their own"
                    findings.add("key.missing", view.start, message)
            case _:
                pass
        if isinstance(node, Ask | Form):
            _check_checks(view, node, asked, outline, findings)
        _check_attempts(view, node, seen, findings)


def _check_attempts(view: NodeView, node: Asking, seen: Partial, findings: Findings) -> None:
    """Reports attempts that lead nowhere, and what would follow a wrong answer that counts where none does."""
    if node.attempts is not None and node.on_exhausted is None and seen.knows("on_exhausted"):
        message = "the key `on_exhausted` is missing: where does the last wrong answer lead?"
        findings.add("attempts.no_exit", view.start, message)
    if not seen.knows("attempts"):
        return
    if node.retry is not None and (node.attempts or 1) == 1:
        message = "the only wrong answer that counts leads out" if node.attempts else "wrong answers count only with `attempts`"
        findings.add("retry.never", view.at("retry"), f"{message}: this is never said")
    if node.on_exhausted is not None and node.attempts is None:
        findings.add("retry.never", view.at("on_exhausted"), "wrong answers count only with `attempts`: this way is never taken")


def _check_choice(view: NodeView, node: Choice, seen: Partial, findings: Findings) -> None:
    if isinstance(node.options, MadeOptions):
        if node.next is None and seen.knows("next"):
            findings.add("target.missing", view.start, "the key `next` is missing: where do options that are made from data lead?")
        return
    _check_options(view, ("options",), node.options, findings)
    if node.next is not None:
        findings.add("input.unfit", view.at("next"), "options that are written out have a `next` of their own", "write it there")


def _check_checks(view: NodeView, node: Ask | Form, asked: Sequence[Asked], outline: Outline, findings: Findings) -> None:
    """Reports checks that are about a field which the node has not."""
    part = view.part.get("check") if isinstance(view.part, Pairs) else None
    sound = isinstance(node, Form) and not isinstance(node.fields, MadeFields) and all(one.seen.knows("name") for one in asked)
    fields = [one.question for one in asked if isinstance(one.question, FormField) and one.type not in DISPLAYS]
    names = {field.name for field in fields if field.name is not None}
    for number, item in enumerate(part.items if isinstance(part, Items) else ()):
        seen = outline.seen(item)
        name = seen.value.field if seen is not None and isinstance(seen.value, Check) else None
        if name is None:
            continue
        if isinstance(node, Ask):
            findings.add("input.unfit", view.at("check", number, "field"), "an `ask` has no fields: its one answer is `value`")
        elif sound and view.seen is not None and view.seen.knows("fields") and name not in names:
            hint = findings.meant(name, names)
            findings.add("field.unknown", view.value_at("check", number, "field"), f"the form asks for no {shown(name)}", hint)


def _check_fields(asked: Sequence[Asked], findings: Findings) -> None:
    names: set[str] = set()
    for one in asked:
        field = one.question
        if not isinstance(field, FormField) or not one.seen.knows("name"):
            continue
        if field.name is None and one.type is not None and one.type not in DISPLAYS:
            findings.add("field.unnamed", one.view.at(*one.path), f"the field of type {shown(one.type)} has no name")
        elif field.name is not None and field.name in names and not isinstance(field, MadeField):
            findings.add("field.duplicate", one.view.value_at(*one.path, "name"), f"the form has a field {shown(field.name)} already")
        names.add(field.name or "")


def _check_question(asked: Asked, findings: Findings) -> None:
    view, path, question = asked.view, asked.path, asked.question
    options = question.options
    if isinstance(options, list) and (asked.type is None or asked.type in OPTIONED | OPTIONAL):
        _check_options(view, (*path, "options"), options, findings)
    if asked.type is None:
        return
    if options is None and asked.type in OPTIONED and asked.seen.knows("options"):
        findings.add("options.empty", view.at(*path), f"an input of type {shown(asked.type)} needs `options`")
    elif options is not None and asked.type not in OPTIONED | OPTIONAL:
        findings.add("input.unfit", view.at(*path, "options"), f"an input of type {shown(asked.type)} has no options")
    if question.multiple and asked.type not in FILES:
        hint = "use multi_select" if asked.type in {"select", "radio"} else None
        findings.add("input.unfit", view.at(*path, "multiple"), f"an input of type {shown(asked.type)} takes one answer", hint)
    if asked.rules is not None:
        check_validation(view, (*path, "validation"), asked.type, asked.rules.value, findings)
        check_room(asked, asked.rules, findings)
    if options or asked.type not in OPTIONED:
        check_default(asked, findings)


def _check_options(view: NodeView, path: Path, options: Sequence[Option | Branch], findings: Findings) -> None:
    if not options:
        findings.add("options.empty", view.at(*path), "there must be at least one option")
    values: dict[str, int] = {}
    numbers: dict[float, int] = {}
    for number, option in enumerate(options):
        if is_blank(option.value):
            message = "a blank is no answer, so that nobody can give this value"
            findings.add("value.wrong", view.value_at(*path, number, "value"), message, "give it a name, such as `none`")
            continue
        key = option_key(route_key(option.value))
        first = values.setdefault(key, number)
        if isinstance(option.value, int | float) and not isinstance(option.value, bool):
            first = min(first, numbers.setdefault(option.value, number))  # 1 and 1.0 are one answer, as in JSON
        if first != number:
            message = f"the value {shown(route_key(option.value))} means the same answer as that of option {first + 1}"
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
