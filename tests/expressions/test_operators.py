"""Arithmetic, comparison and logic."""

from typing import Any

import pytest

from engine.errors import ExpressionError
from engine.expressions import Budget, Scope, compile_expression

VALUES: dict[str, Any] = {
    "a": 7,
    "t": "tea",
    "l": [1, 2, 3],
    "m": {"k": 1},
    "none": None,
    "yes": True,
    "day": "2026-01-05",
    "noon": "2026-01-05T12:00:00+01:00",
    "eleven": "2026-01-05T11:00:00Z",
    "local": "2026-01-05T12:00:00",
}


def value(source: str) -> Any:
    return compile_expression(source).value(Scope({"vars": VALUES}, Budget(), timezone="Europe/Berlin"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("vars.a / 2", 3.5),
        ("4 / 2", 2.0),
        ("vars.a // 2", 3),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("+vars.a", 7),
        ("--vars.a", 7),
        ("1_000", 1000),
        ("0x10", 16),
        ("1e3", 1000.0),
        ("'a' + 'b'", "ab"),
        ("[1] + vars.l", [1, 1, 2, 3]),
        ("'a' 'b'", "ab"),
        ("1 ~ 'x' ~ null ~ true ~ 2.0 ~ [1]", "1xtrue2[1]"),
        ("1 if false else 2", 2),
        ("1 if vars.none", None),
        ("'x' if vars.a > 5 else 'y'", "x"),
        ("vars.none or 'd'", "d"),
        ("vars.l and 'full'", "full"),
        ("0 or '' or [] or {} or false", False),
        ("not vars.l", False),
        ("false and vars.t + 1", False),
        ("true or vars.t + 1", True),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("3 < 2 < vars.t", False),
        ("1 == 1.0", True),
        ("1 == true", False),
        ("0 == false", False),
        ("[1, true] == [1.0, true]", True),
        ("[1] == [true]", False),
        ("{'a': [1]} == {'a': [1]}", True),
        ("vars.t == 1", False),
        ("vars.t != null", True),
        ("null == none", True),
        ("2 in vars.l", True),
        ("true in vars.l", False),
        ("5 not in vars.l", True),
        ("'k' in vars.m", True),
        ("'ea' in vars.t", True),
        ("'b' > 'a'", True),
        ("'10' < '9'", True),
        ("True", True),
        ("None", None),
        (r"'\u00e9\n\\'", "é\n\\"),
        (r"'\ud83d\ude00'", "😀"),
        (r"'\d+'", r"\d+"),
        ("'it' \"'s\"", "it's"),
    ],
)
def test_an_expression_gives(source: str, expected: object) -> None:
    result = value(source)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("vars.noon == vars.eleven", True),
        ("vars.noon != vars.eleven", False),
        ("vars.noon == vars.local", True),
        ("vars.noon <= vars.eleven", True),
        ("vars.day < vars.noon", True),
        ("vars.day == '2026-01-05T00:00:00'", True),
        ("'2026-01-05T00:00:00Z' > '2026-01-05T00:30:00+01:00'", True),
        ("'2026-01-05T12:00Z' == '2026-01-05T12:00:00.000+00:00'", True),
        ("'09:00' < '14:30'", True),
        ("'14:30' == '14:30:00'", True),
        ("'2026-01-05' == '14:30'", False),
        ("'2026-02-30' == '2026-02-30'", True),
        ("'2026-02-30' < '2026-03-01'", True),
        ("'0001-01-01' < '9999-12-31T23:59:59-12:00'", True),
    ],
)
def test_iso_texts_compare_as_moments(source: str, *, expected: bool) -> None:
    assert value(source) is expected


@pytest.mark.parametrize(
    "source",
    [
        "vars.t + 1",
        "1 + vars.t",
        "vars.none + 1",
        "vars.yes + 1",
        "-vars.t",
        "+vars.yes",
        "vars.l + 1",
        "vars.m + vars.m",
        "vars.t - vars.t",
        "vars.t < 1",
        "vars.yes < 2",
        "vars.none < 1",
        "vars.l < vars.l",
        "1 in vars.t",
        "1 in vars.m",
        "1 in 1",
        "1 in vars.none",
    ],
)
def test_kinds_that_do_not_go_together_are_a_type_error(source: str) -> None:
    with pytest.raises(ExpressionError) as failed:
        value(source)
    assert failed.value.code == "expression.type"


def test_numbers_stay_under_ten_to_the_36th() -> None:
    assert value("999999999999999999999999999999999999 + 0") == 10**36 - 1
    for source in ("999999999999999999999999999999999999 + 1", "1e35 * 11", "-1e35 * 11"):
        with pytest.raises(ExpressionError) as stopped:
            value(source)
        assert stopped.value.code == "expression.budget"


def test_integers_stay_exact() -> None:
    assert value("12345678901234567890 * 1000000000000000") == 12345678901234567890 * 10**15


def test_reading_changes_no_value() -> None:
    before = [*VALUES["l"]]
    value("vars.l + [4]")
    value("vars.l|sort(reverse=true)")
    value("vars.l|reverse")
    assert VALUES["l"] == before
