"""The rules of one answer: those that fit its type, with bounds that leave room for an answer."""

from datetime import date
from typing import Any

from engine.interpreter.answers import RULES_WITH_WORDS
from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import NodeView
from engine.loading.lint.rules import DATES, NUMBERS, RANGES, RULES, SWITCHES
from engine.model.inputs import Validation

Path = tuple[str | int, ...]


def check_validation(view: NodeView, path: Path, kind: str, validation: Validation, findings: Findings) -> None:
    """Reports rules that do not fit the input's type, and literal bounds that are none or leave nothing between them."""
    for rule in _given(validation):
        if rule not in RULES[kind]:
            fitting = ", ".join(sorted(RULES[kind]))
            hint = f"it knows {fitting}" if fitting else None
            findings.add("input.unfit", view.at(*path, rule), f"the rule {shown(rule)} makes no sense for the type {shown(kind)}", hint)
        elif fault := _fault(rule, getattr(validation, rule)):
            findings.add("value.wrong", view.value_at(*path, rule), fault, "or a template that gives one")
    for low, high in RANGES:
        least, most = getattr(validation, low), getattr(validation, high)
        if _ordered(least) and _ordered(most) and isinstance(least, str) == isinstance(most, str) and least > most:
            findings.add("range.empty", view.at(*path, high), f"the rule {shown(high)} is below {shown(low)}")
    for rule in validation.messages:
        if rule not in RULES_WITH_WORDS:
            hint = findings.meant(rule, RULES_WITH_WORDS)
            findings.add("key.unknown", view.at(*path, "messages", rule), f"no answer can break a rule {shown(rule)}", hint)


def _given(validation: Validation) -> list[str]:
    return [name for name in validation.__struct_fields__ if name != "messages" and getattr(validation, name) is not None]


def _fault(rule: str, value: Any) -> str | None:
    """What is wrong with a literal where a number, a switch or a date must stand."""
    if not isinstance(value, str) or "{{" in value:
        return None
    if rule in NUMBERS:
        return f"{shown(value)} is not a number"
    if rule in SWITCHES:
        return f"{shown(value)} is neither true nor false"
    if rule in DATES and not _is_date(value):
        return f"{shown(value)} is not a date like 2026-01-31"
    return None


def _ordered(bound: Any) -> bool:
    """Whether a bound is a literal that can be compared: a number or a date."""
    return isinstance(bound, int | float) or (isinstance(bound, str) and _is_date(bound))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return len(text) == 10 or text[10:11] == "T"  # noqa: PLR2004 - the length of 2026-01-31
