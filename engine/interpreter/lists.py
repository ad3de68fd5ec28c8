"""Lists made from data: `{each: EXPR, as: NAME, do: ...}` in the place of a list that is written out."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from engine.model.inputs import MadeFields, MadeOptions
from engine.model.nodes import Ask, Choice, Form, Node, ShowBlock, Task

MOST_ITEMS: Final = 100
"""Items of the longest list that is made."""
ITEM: Final = "item"
"""What an item is called unless the author names it."""


class Made(NamedTuple):
    """What a list is made from: a bare expression, and the name of its items."""

    each: str
    name: str


def made_lists(node: Node) -> Iterator[Made]:
    """Every such list of the node."""
    match node:
        case Ask(options=MadeOptions() as made) | Choice(options=MadeOptions() as made):
            yield Made(made.each, made.name)
        case Form(fields=MadeFields() as made):
            yield Made(made.each, made.name)
            yield from _of_options(made.do.options)
        case Form(fields=list() as fields):
            for field in fields:
                yield from _of_options(field.options)
        case ShowBlock() | Task():
            for written in node.payload.values():
                yield from _of_payload(written)
        case _:
            pass


def _of_options(options: Any) -> Iterator[Made]:
    if isinstance(options, MadeOptions):
        yield Made(options.each, options.name)


def _of_payload(written: Any) -> Iterator[Made]:
    found = made_in(written)
    if found is not None:
        yield found
    match written:
        case dict():
            for inner in written.values():
                yield from _of_payload(inner)
        case list():
            for inner in written:
                yield from _of_payload(inner)
        case _:
            pass


def made_in(written: Any) -> Made | None:
    """What a mapping of a payload is made from; None for any other value."""
    if not isinstance(written, dict) or not {"each", "do"} <= written.keys() <= {"each", "as", "do"}:
        return None
    each, name = written["each"], written.get("as", ITEM)
    return Made(each, name) if isinstance(each, str) and isinstance(name, str) else None
