"""Small changes to a flow, each made on a copy."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.generated.places import Path, inside
from tests.generated.questions import Written
from tests.generated.writing import spelt

Change = Callable[[Written], str]
"""From a flow to the text of the changed one."""


def put(path: Path, value: Any) -> Change:
    """Another value in that place."""

    def change(document: Written) -> str:
        changed = deepcopy(document)
        inside(changed, path[:-1])[path[-1]] = deepcopy(value)
        return spelt(changed)

    return change


def drop(path: Path) -> Change:
    """Nothing in that place."""

    def change(document: Written) -> str:
        changed = deepcopy(document)
        del inside(changed, path[:-1])[path[-1]]
        return spelt(changed)

    return change


def rename(path: Path, name: str) -> Change:
    """The same under another key, at the same place."""

    def change(document: Written) -> str:
        changed = deepcopy(document)
        owner = inside(changed, path[:-1])
        entries = [(name if key == path[-1] else key, value) for key, value in owner.items()]
        owner.clear()
        owner.update(entries)
        return spelt(changed)

    return change


def repeat(path: Path) -> Change:
    """The list's item once more, at its end."""

    def change(document: Written) -> str:
        changed = deepcopy(document)
        owner = inside(changed, path[:-1])
        owner.append(deepcopy(owner[path[-1]]))
        return spelt(changed)

    return change


def cut(path: Path, place: int) -> Change:
    """The node's line without its last character, or without the colon behind its name."""

    def change(document: Written) -> str:
        lines = spelt(document).splitlines()
        lead = f'  "{path[-1]}":'
        at = next(number for number, line in enumerate(lines) if line.startswith(lead))
        lines[at] = lines[at][:-1] if place else lines[at].replace(lead, lead[:-1], 1)
        return "\n".join(lines) + "\n"

    return change


def repeat_line(path: Path) -> Change:
    """The node, or the key of the file, once more: a file has a line for each."""

    def change(document: Written) -> str:
        lines = spelt(document).splitlines()
        lead = ("  " if len(path) > 1 else "") + f'"{path[-1]}":'
        at = next(number for number, line in enumerate(lines) if line.startswith(lead))
        return "\n".join([*lines[: at + 1], *lines[at:]]) + "\n"

    return change
