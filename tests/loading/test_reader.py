"""YAML is read as 1.2, and every part knows its place."""

from typing import Any

import pytest

from engine.loading import Source, Tree, read_yaml
from engine.loading.tree import plain


def tree(text: str | bytes) -> Tree:
    return read_yaml(Source("file.yaml", text))


def value(text: str) -> Any:
    read = tree(text)
    assert read.diagnostics == ()
    assert read.root is not None
    return plain(read.root)


def codes(text: str | bytes) -> list[str]:
    return [one.code for one in tree(text).diagnostics]


@pytest.mark.parametrize(
    "text", ["yes", "no", "on", "off", "Yes", "NO", "y", "n", "tRue", "nUll", "none", "2026-01-05", "2026-01-05T09:00:00Z"]
)
def test_what_yaml_1_1_took_for_more_is_text(text: str) -> None:
    assert value(f"[{text}]") == [text]


@pytest.mark.parametrize("text", ["12:30", "1_000", "0b11", "0x", "0o8", "1e", "1.2.3", "+", ".", "--1", "1,5", "0x-1", "٣"])
def test_what_only_looks_like_a_number_is_text(text: str) -> None:
    assert value(f"a: {text}\n") == {"a": text}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("0o17", 15),
        ("0xFf", 255),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("18446744073709551615", 18446744073709551615),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("!!str 5", "5"),
        ("!!int 5", 5),
        ("!!float 5", 5.0),
        ("!!bool true", True),
        ("! 5", "5"),
        ('"5"', "5"),
        ("'true'", "true"),
        ('"a\\u00fc\\n"', "aü\n"),
    ],
)
def test_a_scalar_means_what_the_core_schema_says(text: str, meant: object) -> None:
    (read,) = value(f"[{text}]")
    assert (read, type(read)) == (meant, type(meant))


@pytest.mark.parametrize(
    "text",
    ["1e999", "-1e999", ".inf", "-.INF", ".nan", "1e36", "9" * 5000, "0x" + "f" * 5000, "18446744073709551616", "-9223372036854775809"],
)
def test_a_number_that_cannot_be_kept_exactly_is_refused(text: str) -> None:
    assert codes(f"a: {text}") == ["yaml.number"]


@pytest.mark.parametrize(
    "text",
    [
        "!!int abc",
        "!!bool 5",
        "!!null x",
        "!!timestamp 2026-01-01",
        "!!binary aGk=",
        "!mine x",
        "!!set {a}",
        "!!map [a]",
        "!!seq {a: b}",
        "!<tag:x> y",
    ],
)
def test_a_tag_that_is_not_a_core_one_or_does_not_fit_is_refused(text: str) -> None:
    assert codes(f"a: {text}") == ["yaml.tag"]


def test_keys_are_text_whatever_they_look_like() -> None:
    assert value("{5: a, true: b, null: c, 1.50: d, yes: e}") == {"5": "a", "true": "b", "null": "c", "1.50": "d", "yes": "e"}


def test_an_alias_repeats_what_its_anchor_names() -> None:
    assert value("a: &x {b: [1]}\nc: *x\n") == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_aliases_may_not_build_something_deeper_than_a_file_may_be() -> None:
    steps = "".join(f"a{i}: &a{i} {'[' * 30}{f'*a{i - 1}' if i else 'x'}{']' * 30}\n" for i in range(100))
    assert codes(steps) == ["yaml.alias"]


def test_the_first_of_two_equal_keys_counts_and_the_second_is_reported() -> None:
    read = tree("a: 1\nb: {c: 1, c: 2}\na: 2\n")
    assert read.root is not None
    assert plain(read.root) == {"a": 1, "b": {"c": 1}}
    assert [(one.line, one.column) for one in read.diagnostics] == [(2, 11), (3, 1)]


def test_64_levels_are_deep_enough_in_either_style() -> None:
    assert codes("[" * 64 + "]" * 64) == []
    assert codes("[" * 65 + "]" * 65) == ["yaml.depth"]
    block = "".join("  " * depth + "a:\n" for depth in range(70))
    assert codes(block) == ["yaml.depth"]
    assert codes("- " * 70 + "x") == ["yaml.depth"]


def test_a_place_counts_characters_and_knows_every_line_end() -> None:
    read = tree("ü: 1\r\nb: x\rc: [ä, {d: 1}]\n")
    assert read.place("ü") == (1, 1)
    assert read.place("b") == (2, 1)
    assert read.place("c") == (3, 1)
    assert read.place("c", 0) == (3, 5)
    assert read.place("c", 1, "d") == (3, 9)
    assert read.place("c", 1, "missing", "deeper") == (3, 8)


def test_characters_that_only_yaml_1_1_takes_for_line_ends_do_not_move_the_lines_below() -> None:
    assert tree('a: "x\u2028y"\nb: 1\n').place("b") == (2, 1)


def test_half_a_surrogate_pair_is_refused_at_its_place() -> None:
    read = tree("a: b\nc: \ud800")
    assert [(one.line, one.column, one.code) for one in read.diagnostics] == [(2, 4, "yaml.syntax")]


def test_reading_the_same_text_twice_gives_the_same_tree() -> None:
    text = "a: &x [1, {b: *x}]\nc: !!int no\nc: 2\n"
    assert tree(text).root == tree(text).root
    assert tree(text).diagnostics == tree(text).diagnostics
