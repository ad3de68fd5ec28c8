"""Any Struct can be read from a positioned tree, with all that is wrong at its place."""

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from engine.loading import Source, Vocabulary, decode, read_yaml
from engine.model.values import Duration, Name


class Say(Struct, frozen=True, tag_field="kind", tag="say", forbid_unknown_fields=True):
    text: str


class Wait(Struct, frozen=True, tag_field="kind", tag="wait", forbid_unknown_fields=True):
    span: Duration


class Contains(Struct, frozen=True, forbid_unknown_fields=True):
    contains: str


class Test(Struct, frozen=True, forbid_unknown_fields=True):
    __test__ = False

    name: str
    steps: list[Say | Wait] = []
    id: Name | None = None
    count: Annotated[int, Meta(ge=1, le=3)] = 1
    ratio: float = 0.5
    level: Literal["low", "high", "none"] = "low"
    says: str | Contains | None = None
    day: date | None = None
    pair: tuple[int, ...] = ()
    anything: Any = None
    loose: dict[str, list[bool]] = {}


def read(text: str, words: Vocabulary | None = None) -> tuple[Test | None, list[str]]:
    tree = read_yaml(Source("t.yaml", text))
    value, found = decode(tree, Test) if words is None else decode(tree, Test, words)
    return value, [f"{one.line}:{one.column} {one.code}" for one in found]


def test_a_tree_that_fits_becomes_the_value() -> None:
    value, found = read(
        "name: x\nsteps: [{kind: say, text: Hi}, {kind: wait, span: 5m}]\nid: a_1\ncount: 3\nratio: 2\n"
        "level: none\nsays: {contains: Hi}\nday: null\npair: [1, 2]\nanything: [{a: null}]\nloose: {a: [true]}\n"
    )
    assert found == []
    assert value == Test(
        "x",
        steps=[Say("Hi"), Wait("5m")],
        id="a_1",
        count=3,
        ratio=2.0,
        level="none",
        says=Contains("Hi"),
        pair=(1, 2),
        anything=[{"a": None}],
        loose={"a": [True]},
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps: []\n", ["1:1 key.missing"]),
        ("name: 5\n", ["1:7 type.wrong"]),
        ("name: x\nnam: y\n", ["2:1 key.unknown"]),
        ("name: x\nid: Bad\n", ["2:5 name.bad"]),
        ("name: x\nid: 'a\n\n  '\n", ["2:5 name.bad"]),
        ("name: x\ncount: 4\n", ["2:8 value.wrong"]),
        ("name: x\ncount: 1.0\n", ["2:8 type.wrong"]),
        ("name: x\ncount: true\n", ["2:8 type.wrong"]),
        ("name: x\nratio: '1'\n", ["2:8 type.wrong"]),
        ("name: x\nlevel: hgh\n", ["2:8 value.wrong"]),
        ("name: x\nlevel: 5\n", ["2:8 type.wrong"]),
        ("name: x\nsays: [a]\n", ["2:7 type.wrong"]),
        ("name: x\nsays: {contain: a}\n", ["2:1 key.missing", "2:8 key.unknown"]),
        ("name: x\npair: [1, x, 2, y]\n", ["2:11 type.wrong", "2:17 type.wrong"]),
        ("name: x\nloose: {a: [true, no]}\n", ["2:19 type.wrong"]),
        ("name: x\nsteps: {}\n", ["2:8 type.wrong"]),
        ("name: x\nsteps: [{kind: sya, text: Hi}]\n", ["2:16 value.wrong"]),
        ("name: x\nsteps: [{text: Hi}]\n", ["2:9 key.missing"]),
        ("name: x\nsteps: [{kind: wait, span: 5}]\n", ["2:28 type.wrong"]),
        ("name: x\nsteps: [{kind: wait, span: 5x}]\n", ["2:28 duration.bad"]),
        ("name: [\n", ["2:1 yaml.syntax"]),
        ("count: 0\nname: {a: b}\nzzz: 1\nzzz: 2\n", ["1:8 value.wrong", "2:7 type.wrong", "3:1 key.unknown", "4:1 yaml.duplicate_key"]),
    ],
)
def test_whatever_does_not_fit_is_reported_all_of_it_at_its_place(text: str, expected: list[str]) -> None:
    value, found = read(text)
    assert value is None
    assert sorted(found) == sorted(expected)


def test_the_words_of_a_language_pick_the_code() -> None:
    words = Vocabulary(
        later_tags=frozenset({"sing"}),
        later_keys={Test: frozenset({"seed"})},
        missing={"name": "target.missing"},
        unknown_tag="node.unknown",
    )
    _, found = read("seed: 5\nsteps: [{kind: sing}, {kind: shout}]\n", words)
    assert found == ["1:1 key.unavailable", "1:1 target.missing", "2:16 node.unavailable", "2:30 node.unknown"]


def test_a_value_is_not_made_from_a_tree_that_was_read_with_problems() -> None:
    value, found = read("name: x\nanything: {<<: 1}\n")
    assert value is None
    assert found == ["2:12 yaml.merge_key"]
