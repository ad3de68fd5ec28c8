"""What a block carries is free, but the language's own words in it mean something."""

from collections.abc import Iterator

from engine.loading.findings import Findings
from engine.loading.lint.outline import Outline
from engine.loading.tree import Items, Pairs, Part
from engine.model.nodes import ShowBlock


def check_payloads(outline: Outline, findings: Findings) -> None:
    """Reports lists that are to be made by `each` and `do`: shown as they stand they would say nothing."""
    for view in outline.nodes.values():
        payload = view.part.get("payload") if isinstance(view.known, ShowBlock) and isinstance(view.part, Pairs) else None
        for made in _made_lists(payload) if payload is not None else ():
            findings.add("key.unavailable", made.entries["each"].start, "the key `each` is not available in this version")


def _made_lists(part: Part) -> Iterator[Pairs]:
    match part:
        case Items():
            for item in part.items:
                yield from _made_lists(item)
        case Pairs() if {"each", "do"} <= part.entries.keys() <= {"each", "as", "do"}:
            yield part
        case Pairs():
            for entry in part.entries.values():
                yield from _made_lists(entry.value)
        case _:
            pass
