"""The patterns of a flow must compile, and compile to little: what an author writes is never a way to stop the server."""

from collections.abc import Iterator
from typing import Final

from engine.errors import ExpressionError
from engine.expressions.patterns import ANSWER_MEMORY, compile_within
from engine.loading.findings import Findings
from engine.loading.lint.answers import questions
from engine.loading.lint.outline import Outline

MOST_PATTERNS: Final = 1_000
"""Different patterns in one flow: one for each node of the largest."""
MOST_BAD: Final = 50
"""After so many bad ones the rest is not tried: each may cost as much as a hundred good ones."""


def check_patterns(outline: Outline, findings: Findings) -> None:
    """Reports patterns that do not compile, each place once."""
    faults: dict[str, str | None] = {}
    bad = 0
    for pattern, start in _patterns(outline):
        if pattern not in faults:
            if len(faults) == MOST_PATTERNS:
                findings.add("flow.too_large", start, f"a flow has at most {MOST_PATTERNS:,} different patterns")
                return
            faults[pattern] = _fault(pattern)
            bad += faults[pattern] is not None
        if (fault := faults[pattern]) is not None:
            findings.add("pattern.bad", start, fault, "RE2 has no look-around and no back references")
        if bad > MOST_BAD:
            return


def _patterns(outline: Outline) -> Iterator[tuple[str, int]]:
    """Every literal pattern, with its place."""
    for view in outline.nodes.values():
        for asked in questions(view, outline):
            pattern = None if asked.rules is None else asked.rules.value.pattern
            if pattern is not None and "{{" not in pattern:
                yield pattern, view.value_at(*asked.path, "validation", "pattern")


def _fault(pattern: str) -> str | None:
    try:
        compile_within(ANSWER_MEMORY, pattern)
    except ExpressionError as problem:
        return str(problem)
    return None
