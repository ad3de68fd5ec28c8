"""Lists that are made from data: in a payload, which takes anything else, the language's own words still mean something."""

from collections.abc import Iterator
from typing import Final

from engine.expressions import ROOTS
from engine.loading.findings import Findings, shown
from engine.loading.lint.names import NAME_HINT, is_name
from engine.loading.lint.outline import NodeView, Outline
from engine.loading.lint.spots import INDEX, is_made
from engine.loading.tree import Items, Leaf, Pairs, Part
from engine.model.nodes import Asking, ShowBlock, Task

_TAKEN: Final = ROOTS | {INDEX}


def check_lists(outline: Outline, findings: Findings) -> None:
    """Reports names that hide a root, and, where no type tells, what is wrong with the rest of such a list."""
    for view in outline.nodes.values():
        payload = view.part.get("payload") if isinstance(view.part, Pairs) and isinstance(view.known, ShowBlock | Task) else None
        if isinstance(payload, Pairs) and is_made(payload):
            message = "expected a mapping, and `each` makes a list"
            findings.add("type.wrong", payload.start, message, "let it stand under a key of the payload")
        for made in _in_payload(payload):
            _check_words(made, findings)
        for made in [*_in_payload(payload), *_in_question(view)]:
            name = made.get("as")
            if isinstance(name, Leaf) and name.value in _TAKEN:
                findings.add("name.reserved", name.start, f"{shown(str(name.value))} always means something else in an expression")


def _check_words(made: Pairs, findings: Findings) -> None:
    each, name = made.get("each"), made.get("as")
    if isinstance(each, Items | Pairs) or (isinstance(each, Leaf) and not isinstance(each.value, str)):
        findings.add("type.wrong", each.start, "expected text, the expression that gives the list", "write the expression as a text")
    if isinstance(name, Items | Pairs) or (isinstance(name, Leaf) and not isinstance(name.value, str)):
        findings.add("type.wrong", name.start, "expected text, the name of an item")
    elif isinstance(name, Leaf) and not is_name(str(name.value)):
        findings.add("name.bad", name.start, f"{shown(str(name.value))} is not an id", NAME_HINT)


def _in_payload(part: Part | None) -> Iterator[Pairs]:
    match part:
        case Items():
            for item in part.items:
                yield from _in_payload(item)
        case Pairs():
            if is_made(part):
                yield part
            for entry in part.entries.values():
                yield from _in_payload(entry.value)
        case _:
            pass


def _in_question(view: NodeView) -> Iterator[Pairs]:
    """The lists that stand for options or fields of a node, and for the options of these fields."""
    parts = [view.part] if isinstance(view.known, Asking) else []
    while parts:
        part = parts.pop()
        for key in ("options", "fields"):
            match part.get(key) if isinstance(part, Pairs) else None:
                case Pairs() as made:
                    yield made
                    parts += [made.get("do") or Items((), 0)]
                case Items(items=items) if key == "fields":
                    parts += items
                case _:
                    pass
