"""Writes stubs into a test file: text is put in and none is taken out, so that comments and layout stay as they are."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml
from msgspec import UNSET

from engine.loading.scalars import BadNumber, resolve
from engine.testing.conversations.stubs import Stub

_UNSAFE: Final = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]')
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_RESERVED: Final = frozenset({"true", "false", "null"})
_INDENT: Final = "  "

Made = Mapping[str, Sequence[Stub]]
"""Node to the stubs that are to stand behind those that it has."""


class CannotInsert(Exception):
    """The file is written in a way in which nothing can be put in."""


def with_stubs(text: str, made: Mapping[int, Made]) -> str:
    """The text with the stubs of each test (by its number, from 0) in it; raises CannotInsert."""
    root = yaml.compose(text, Loader=yaml.CSafeLoader)  # it has been read as a test file before: bounded, and well-formed
    tests = _value(root, "tests")
    if not isinstance(tests, yaml.SequenceNode):
        raise CannotInsert("there are no tests")
    line_end = "\r\n" if "\r\n" in text else "\n"
    pieces = [piece for number, stubs in made.items() for piece in _pieces(text, tests.value[number], stubs)]
    for at, piece in sorted(pieces, key=lambda one: one[0], reverse=True):
        text = text[:at] + piece.replace("\n", line_end) + text[at:]
    return text


def _pieces(text: str, test: Any, made: Made) -> list[tuple[int, str]]:
    """What goes in where, for one test."""
    steps, stubs = _key(test, "steps"), _value(test, "stubs")
    if stubs is None:
        at = steps.start_mark
        if test.flow_style:
            return [(at.index, f"stubs: {_inline(made)}, ")]
        margin = " " * at.column
        return [(at.index, f"stubs:\n{_lines(made, margin + _INDENT)}{margin}")]
    if not isinstance(stubs, yaml.MappingNode):
        raise CannotInsert("`stubs` is no mapping")
    known = {key.value: value for key, value in stubs.value}
    pieces = [_behind(text, known[node], found) for node, found in made.items() if node in known]
    fresh = {node: found for node, found in made.items() if node not in known}
    return [*pieces, *([_among(stubs, fresh)] if fresh else [])]


def _among(stubs: yaml.MappingNode, made: Made) -> tuple[int, str]:
    """Other nodes, before the first of the mapping."""
    if stubs.flow_style:
        return stubs.start_mark.index + 1, _inline(made)[1:-1] + (", " if stubs.value else "")
    margin = " " * stubs.start_mark.column
    return stubs.start_mark.index, _lines(made, margin).removeprefix(margin) + margin


def _behind(text: str, stubs: Any, made: Sequence[Stub]) -> tuple[int, str]:
    """More of one node, behind the last of its list."""
    if not isinstance(stubs, yaml.SequenceNode):
        raise CannotInsert("the stubs of a node are no list")
    if stubs.flow_style:
        last = stubs.value[-1].end_mark.index if stubs.value else stubs.start_mark.index + 1
        return last, (", " if stubs.value else "") + ", ".join(map(written, made))
    last = _end_of_line(text, _last(stubs))
    margin = "\n" + " " * stubs.start_mark.column
    return last, "".join(f"{margin}- {written(stub)}" for stub in made)


def _last(node: Any) -> int:
    """Where the node's last letter stands; a block's own end lies behind the comments below it."""
    match node:
        case yaml.MappingNode(flow_style=False, value=[*_, (_, last)]) | yaml.SequenceNode(flow_style=False, value=[*_, last]):
            return _last(last)
        case yaml.ScalarNode(style="|" | ">"):
            raise CannotInsert("the last stub of a node ends with a text of several lines")
        case _:
            return int(node.end_mark.index)


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[end - 1 : end] == "\r" else end


def _lines(made: Made, margin: str) -> str:
    lines: list[str] = []
    for node, stubs in made.items():
        lines += [f"{margin}{_name(node)}:\n", *(f"{margin}{_INDENT}- {written(stub)}\n" for stub in stubs)]
    return "".join(lines)


def _inline(made: Made) -> str:
    return "{" + ", ".join(f"{_name(node)}: [{', '.join(map(written, stubs))}]" for node, stubs in made.items()) + "}"


def _key(node: Any, name: str) -> Any:
    return next(key for key, _ in node.value if key.value == name)


def _value(node: Any, name: str) -> Any:
    return next((value for key, value in node.value if key.value == name), None) if isinstance(node, yaml.MappingNode) else None


def written(stub: Stub) -> str:
    """The stub on one line of YAML."""
    facts: dict[str, Any] = {} if stub.error is not None or stub.status in {None, 200} else {"status": stub.status}
    if stub.headers:
        facts["headers"] = stub.headers
    if stub.json is not UNSET:
        facts["json"] = stub.json
    if stub.text is not None:
        facts["text"] = stub.text
    if stub.error is not None:
        facts["error"] = stub.error
    return _written(facts or {"status": stub.status or 200})


def _written(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{_name(name)}: {_written(inner)}" for name, inner in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_written, value)) + "]"
        case str():
            return '"' + _UNSAFE.sub(_escaped, value) + '"'
        case _:
            return _plain(json.dumps(value))


def _plain(text: str) -> str:
    try:
        resolve(text)
    except BadNumber:
        raise CannotInsert(f"{text} is a larger number than a file can hold") from None
    return text


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    return f"\\{sign}" if sign in '"\\' else f"\\u{ord(sign):04x}"


def _name(name: str) -> str:
    return name if _BARE.fullmatch(name) and name not in _RESERVED else _written(name)
