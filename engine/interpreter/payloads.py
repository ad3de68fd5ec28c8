"""Payloads: whatever the author wrote, with templates evaluated and lists made from data."""

from functools import partial

from engine.interpreter.lists import made_in
from engine.interpreter.walk import Walk
from engine.model.values import Json


def payload(walk: Walk, written: dict[str, Json]) -> dict[str, Json]:
    """The payload of a block or a task; its own keys are names, also where they are `each` and `do`."""
    return {name: _made(walk, value) for name, value in written.items()}


def _made(walk: Walk, written: Json) -> Json:
    """A payload's value, with its templates evaluated and its lists made."""
    made = made_in(written)
    if made is not None:
        return walk.over(made, partial(_made, walk, written["do"]))
    match written:
        case dict():
            walk.count_part(written)
            return {name: _made(walk, inner) for name, inner in written.items()}
        case list():
            walk.count_part(written)
            return [_made(walk, inner) for inner in written]
        case _:
            return walk.value(written)
