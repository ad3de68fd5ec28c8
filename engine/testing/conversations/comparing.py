"""Compares what a run did with what its test expects; a mismatch says what is different."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches, ndiff
from typing import Any, assert_never

from engine.expressions.patterns import compile_pattern, finds
from engine.model.effects import Visit
from engine.model.values import END, Json
from engine.runtime.replies import ReplyBlock
from engine.testing.conversations.script import Anything, Containing, Matching, Said, Shown, Wanted


class Mismatch(Exception):
    """Something went otherwise than the test says; `difference` shows it line by line."""

    def __init__(self, message: str, difference: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.difference = tuple(difference)


def differing(expected: str, said: str) -> list[str]:
    """The lines of both, aligned: `- ` expected, `+ ` said, `? ` points at what differs inside a line."""
    if expected.splitlines() == said.splitlines():
        expected, said = compact(expected), compact(said)
    return [line.rstrip() for line in ndiff(expected.splitlines(), said.splitlines())]


def opposed(expected: str, said: str) -> list[str]:
    """Two short texts, one under the other."""
    return [f"- {expected}", f"+ {said}"]


def compact(value: Json) -> str:
    """The value on one line, as JSON."""
    return json.dumps(value, ensure_ascii=False, default=str)


def same(left: Json, right: Json) -> bool:
    """Whether two values are equal as JSON: 1 is 1.0, and true is neither."""
    match left, right:
        case dict(), dict():
            return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
        case list() | tuple(), list() | tuple():
            return len(left) == len(right) and all(map(same, left, right))
        case _:
            return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def demand_values(expected: Mapping[str, Json], found: Mapping[str, Json], message: str) -> None:
    """The keys named must have the values given; others may be there."""
    lines: list[str] = []
    for name, value in expected.items():
        equal = name in found and same(value, found[name])
        lines.append(f"{'  ' if equal else '- '}{name}: {compact(value)}")
        lines += [f"+ {name}: {compact(found[name])}"] if name in found and not equal else []
    if any(not line.startswith(" ") for line in lines):
        raise Mismatch(f"{message}{_absent(expected, found)}", lines)


def demand_equal(expected: Json, found: Json, message: str) -> None:
    """Two values must be equal."""
    if not same(expected, found):
        raise Mismatch(message, opposed(compact(expected), compact(found)))


def demand_each(expected: Sequence[Json], found: Sequence[Json], message: str) -> None:
    """The values must be equal one by one, and as many."""
    lines: list[str] = []
    for number in range(max(len(expected), len(found))):
        wanted, came = [compact(value) for value in expected[number : number + 1]], [compact(value) for value in found[number : number + 1]]
        equal = wanted and came and same(expected[number], found[number])
        lines += [f"  {line}" for line in wanted] if equal else [f"- {line}" for line in wanted] + [f"+ {line}" for line in came]
    if any(not line.startswith(" ") for line in lines):
        raise Mismatch(message, lines)


def demand_path(expected: Sequence[str], visits: Sequence[Visit], flow: str) -> None:
    """The nodes named must be those visited, in order."""
    found = walked(visits, flow)
    if list(expected) != found:
        raise Mismatch("the run went another way", [line for line in ndiff(expected, found) if not line.startswith("?")])


def walked(visits: Sequence[Visit], flow: str) -> list[str]:
    """The nodes visited, another flow's as flow/node, and `end` where a flow ended without a node; a wait that is left is no new visit."""
    nodes: list[str] = []
    for visit in visits:
        place = "" if visit.flow == flow else f"{visit.flow}/"
        nodes += [] if visit.continued else [f"{place}{visit.node}"]
        nodes += [f"{place}{END}"] if visit.target == END else []
    return nodes


def demand_block(wanted: Wanted, block: ReplyBlock) -> None:
    """The block must be what is wanted."""
    match wanted:
        case Said(text):
            if words(block) != text:
                raise Mismatch("something else was said", differing(text, drawn(block)))
        case Containing(part):
            if part not in (words(block) or ""):
                raise Mismatch("what was said does not contain it", (f"- ... {part} ...", *_said(block)))
        case Matching(pattern):
            if not finds(compile_pattern(pattern), words(block) or ""):
                raise Mismatch("what was said does not match", (f"- /{pattern}/", *_said(block)))
        case Shown(kind, payload):
            demand_equal(kind, block.type, "another kind of block was shown")
            demand_values(payload, block.payload, f"the {kind} shows something else")
        case Anything():
            pass
        case _:
            assert_never(wanted)


def words(block: ReplyBlock) -> str | None:
    """The text of a message or the title of a form; None for other blocks."""
    key = {"message": "text", "form": "title"}.get(block.type)
    found: Any = None if key is None else block.payload.get(key)
    return found if isinstance(found, str) else None


def drawn(block: ReplyBlock) -> str:
    """The block as a transcript shows it."""
    said = words(block)
    return f"[{block.type}] {compact(block.payload)}" if said is None else said


def wanted_text(wanted: Wanted) -> str:
    """What a test wants of a block, on one line."""
    match wanted:
        case Said(text):
            return text
        case Containing(part):
            return f"... {part} ..."
        case Matching(pattern):
            return f"/{pattern}/"
        case Shown(kind, payload):
            return f"[{kind}] {compact(payload)}"
        case Anything():
            return "anything"
        case _:
            assert_never(wanted)


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint in brackets with the nearest known name; nothing where none is near."""
    near = get_close_matches(name, sorted(known), 1)
    return f" (did you mean `{near[0]}`?)" if near else ""


def _absent(expected: Mapping[str, Json], found: Mapping[str, Json]) -> str:
    """Says which name there is none of, and what may have been meant."""
    absent = next((name for name in expected if name not in found), None)
    return "" if absent is None else f": there is no `{absent}`{nearest(absent, list(found))}"


def _said(block: ReplyBlock) -> list[str]:
    return [f"+ {line}" for line in drawn(block).splitlines() or [""]]
