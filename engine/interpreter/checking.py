"""The author's rules over a whole answer, held against it when its values are in order; a false one makes a wrong answer."""

from collections.abc import Mapping, Sequence

from engine.errors import AnswerRefused
from engine.interpreter.walk import Walk
from engine.model.nodes import Ask, Asking, Check, Choice, Form
from engine.model.problems import Problem
from engine.model.values import Json


def demand_checks(walk: Walk, node: Asking, values: Mapping[str, Json], place: str | None) -> None:
    """Raises AnswerRefused with every check that is false; `place` is where the answer stands, None: each under its name in `/values`."""
    problems: list[Problem] = []
    match node:
        case Choice() | Ask(check=[]) | Form(check=[]):
            return
        case Ask():
            name, value = next(iter(values.items()))
            checks = node.check if value is not None else []
            wrong = _false(walk, checks, {"value": value})
            problems = [Problem(place or f"/values/{name}", "check", text) for _, text in wrong]
        case Form():
            checks = [check for check in node.check if check.field is None or values.get(check.field) is not None]
            wrong = _false(walk, checks, {"values": dict(values)})
            problems = [Problem(place or "/".join(["/values", *([field] if field else [])]), "check", text) for field, text in wrong]
    if problems:
        raise AnswerRefused(problems)


def _false(walk: Walk, checks: Sequence[Check], roots: Mapping[str, Json]) -> list[tuple[str | None, str]]:
    """The field and the text of each check that is false."""
    if not checks:
        return []
    with walk.seeing(roots):
        return [(check.field, walk.text(check.text)) for check in checks if not walk.holds(check.that)]
