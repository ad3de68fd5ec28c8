"""Compiles every template and expression of a flow, and holds what they name against what exists."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct

from engine.errors import ExpressionError
from engine.expressions import Budget, Reference, Scope, Template, compile_expression, compile_template
from engine.expressions.scope import TURN_CHARACTERS, TURN_ITEMS
from engine.expressions.template import Placed
from engine.loading.findings import SHOWN, Findings, clause
from engine.loading.lint.names import zones
from engine.loading.lint.outline import Outline, leaves
from engine.loading.lint.spots import CALLBACKS, Spot
from engine.loading.lint.variables import paths
from engine.loading.tree import Leaf, Tree

MOST_TEMPLATES: Final = 5_000
"""Templates and expressions in one flow: five for each node of the largest."""

MOST_FIXED: Final = 100
"""Templates of one flow that are evaluated when it is checked."""
MOST_WORK: Final = 10_000
"""Items that they touch, and characters that they make, before no more are."""

_CODES: Final = {
    "expression.syntax": "template.syntax",
    "expression.forbidden": "template.forbidden",
    "expression.unknown": "template.unknown",
}
"""What does not compile; all else fails when it is evaluated."""
_MARKS: Final = ("{{", "{%", "{#")


class Read(Struct, frozen=True):
    """Something that an expression reads, and where it does."""

    reference: Reference
    start: int
    leaves: bool = False
    """Whether it leaves for somebody else than the customer."""


def check_templates(outline: Outline, found: Iterable[Spot], findings: Findings) -> tuple[list[Read], bool]:
    """Reports templates that do not compile or stand where none may; returns what the others read, and whether that is all."""
    reads: list[Read] = []
    whole = True
    report, fixed = _Report(outline, findings), _Fixed(outline)
    count = 0
    refused = {id(leaf) for part in outline.decoding.foreign for leaf in leaves(part)}
    for takes, part, roots in found:
        if not isinstance(part, Leaf) or not isinstance(part.value, str):
            continue
        if takes != "expression" and not any(mark in part.value for mark in _MARKS):
            continue
        if takes in ("nothing", "label"):
            if "{{" in part.value and id(part) not in refused:
                findings.add("template.misplaced", part.start, "no expression is evaluated here", "write the value itself")
            continue
        count += 1
        if count > MOST_TEMPLATES:
            findings.add("flow.too_large", part.start, f"a flow has at most {MOST_TEMPLATES:,} templates and expressions")
            return reads, False
        try:
            template = compile_expression(part.value, roots) if takes == "expression" else compile_template(part.value, roots)
        except ExpressionError as problem:
            report.add(part, problem)
            whole = False
        else:
            for failure in fixed.failures(template):
                report.add(part, failure)
            reads.extend(
                Read(reference, exact(outline.tree, part, reference.offset), CALLBACKS in roots) for reference in template.references
            )
    return reads, whole


class _Fixed:
    """The expressions of one file that work on what is written out alone, evaluated within bounds: what fails now fails in every run."""

    def __init__(self, outline: Outline) -> None:
        zone = outline.text("timezone", "UTC")
        self._scope = Scope({}, Budget(2 * TURN_ITEMS, 2 * TURN_CHARACTERS), timezone=zone if zone in zones() else "UTC")
        self._count = 0

    def failures(self, template: Template) -> Iterator[ExpressionError]:
        """What of the template fails; nothing more is looked at once the bounds are passed."""
        spent = max(self._scope.budget.items, self._scope.budget.characters)
        if self._count < MOST_FIXED and spent < MOST_WORK and any(isinstance(part, Placed) and part.closed for part in template.parts):
            self._count += 1
            yield from template.failures(self._scope)


class _Report:
    """Tells what is wrong with the templates of one file."""

    def __init__(self, outline: Outline, findings: Findings) -> None:
        self._outline = outline
        self._findings = findings

    @cached_property
    def _paths(self) -> Mapping[str, str]:
        return paths(self._outline)

    def add(self, leaf: Leaf, problem: ExpressionError) -> None:
        """Reports the problem at its place in the scalar."""
        start = leaf.start if problem.offset is None else exact(self._outline.tree, leaf, problem.offset)
        hint = problem.hint if problem.root is None else self._path(problem.root, problem.hint)
        self._findings.add(_CODES.get(problem.code, "template.fails"), start, clause(str(problem)), hint)

    def _path(self, root: str, near: str | None) -> str:
        """A hint for a name that an expression cannot begin with: the path to what has that name, else the nearest one."""
        name = root if root in self._paths or near is not None else self._findings.nearest(root, self._paths.keys())
        if name is not None and name in self._paths:
            return f"did you mean `{self._paths[name]}`?"
        return near or f"a text stands in quotes, '{root[:SHOWN]}', and a variable behind `vars.`"


def exact(tree: Tree, leaf: Leaf, offset: int) -> int:
    """Where a character of the scalar's value stands in the file; its start where the scalar spans lines."""
    written = tree.text[leaf.start : leaf.end]
    if "\n" in written or "\r" in written or not isinstance(leaf.value, str):
        return leaf.start
    match written[:1]:
        case '"':
            return leaf.start + _inside_double(written, offset)
        case "'":
            return leaf.start + _inside_single(written, offset)
        case _:
            return leaf.start + min(offset, len(written))


_ESCAPE_LENGTHS: Final = {"x": 4, "u": 6, "U": 10}


def _inside_double(written: str, offset: int) -> int:
    at = 1
    while (found := written.find("\\", at, at + offset)) >= 0:
        offset -= found - at + 1
        at = found + _ESCAPE_LENGTHS.get(written[found + 1 : found + 2], 2)
    return min(at + offset, len(written))


def _inside_single(written: str, offset: int) -> int:
    at = 1
    while (found := written.find("''", at, at + offset + 1)) >= 0 and found < at + offset:
        offset -= found - at + 1
        at = found + 2
    return min(at + offset, len(written))
