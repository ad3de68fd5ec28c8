"""Compiles every template and expression of a flow, and holds what they name against what exists."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from engine.errors import ExpressionError
from engine.expressions import Reference, Template, compile_expression, compile_template
from engine.loading.findings import Findings
from engine.loading.lint.outline import Outline, leaves
from engine.loading.lint.spots import CALLBACKS, Roots, Spot
from engine.loading.tree import Leaf, Tree

MOST_TEMPLATES: Final = 5_000
"""Templates and expressions in one flow: five for each node of the largest."""

_CODES: Final = {"expression.forbidden": "template.forbidden", "expression.unknown": "template.unknown"}
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
        compiled = _compiled(outline.tree, part, roots, findings, bare=takes == "expression")
        whole = whole and compiled is not None
        reads.extend(compiled or ())
    return reads, whole


def _compiled(tree: Tree, leaf: Leaf, roots: Roots, findings: Findings, *, bare: bool) -> list[Read] | None:
    source = str(leaf.value)
    try:
        template: Template = compile_expression(source, roots) if bare else compile_template(source, roots)
    except ExpressionError as problem:
        start = leaf.start if problem.offset is None else exact(tree, leaf, problem.offset)
        findings.add(_CODES.get(problem.code, "template.syntax"), start, str(problem))
        return None
    return [Read(reference, exact(tree, leaf, reference.offset), CALLBACKS in roots) for reference in template.references]


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
