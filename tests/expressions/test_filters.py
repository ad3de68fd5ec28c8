"""Each filter and test, by example."""

from typing import Any

import pytest

from engine.errors import ExpressionError
from engine.expressions import FILTERS, TESTS, Budget, Scope, compile_expression

ROWS = [
    {"name": "tea", "price": 4, "in": {"stock": True}, "tags": ["hot"]},
    {"name": "pot", "price": 25.5, "in": {"stock": False}, "tags": []},
    {"name": "cup", "price": 4},
]
VALUES: dict[str, Any] = {
    "rows": ROWS,
    "text": "  The quick  brown fox ",
    "none": None,
    "yes": True,
    "l": [3, 1, 2],
    "m": {"b": 1, "a": 2},
    "empty": [],
    "day": "2026-01-05",
}


def value(source: str, locale: str = "en") -> Any:
    roots = {"vars": VALUES, "now": "2026-03-28T12:00:00+01:00"}
    return compile_expression(source).value(Scope(roots, Budget(), locale=locale, timezone="Europe/Berlin"))


RESULTS: list[tuple[str, Any]] = [
    ("vars.gone|default('d')", "d"),
    ("vars.none|default('d')", "d"),
    ("vars.gone|default", ""),
    ("0|default('d')", 0),
    ("''|default('d')", ""),
    ("''|default('d', true)", "d"),
    ("'ÄBC'|lower", "äbc"),
    ("'straße'|upper", "STRASSE"),
    ("'heLLO'|capitalize", "Hello"),
    ('"don\'t stop-me (now)"|title', "Don't Stop-Me (Now)"),
    ("vars.text|trim", "The quick  brown fox"),
    ("'xxaxx'|trim('x')", "a"),
    ("vars.none|upper", ""),
    ("12|upper", "12"),
    ("vars.yes|upper", "TRUE"),
    ("'aaa'|replace('a', 'bb')", "bbbbbb"),
    ("'aaa'|replace('a', 'b', 2)", "bba"),
    ("'aaa'|replace('a', new='')", ""),
    ("'one two three'|truncate(9)", "one..."),
    ("'one two three'|truncate(9, true)", "one tw..."),
    ("'one two three'|truncate(9, end='…')", "one two…"),
    ("'one'|truncate(3)", "one"),
    ("vars.text|split", ["The", "quick", "brown", "fox"]),
    ("'a,b,,c'|split(',')", ["a", "b", "", "c"]),
    ("'a,b,c'|split(',', 1)", ["a", "b,c"]),
    ("vars.none|split", []),
    ("[1, null, 'a', true]|join('-')", "1--a-true"),
    ("vars.rows|join(', ', 'name')", "tea, pot, cup"),
    ("'abc'|length", 3),
    ("vars.l|length", 3),
    ("vars.m|length", 2),
    ("vars.l|first", 3),
    ("vars.l|last", 2),
    ("vars.empty|first", None),
    ("'abc'|last", "c"),
    ("vars.l|reverse", [2, 1, 3]),
    ("'abc'|reverse", "cba"),
    ("vars.l|sort", [1, 2, 3]),
    ("vars.l|sort(reverse=true)", [3, 2, 1]),
    ("['b', 'B', 'a']|sort", ["B", "a", "b"]),
    ("vars.rows|sort('name')|map('name')", ["cup", "pot", "tea"]),
    ("vars.rows|sort('price')|map('name')", ["tea", "cup", "pot"]),
    ("vars.empty|sort", []),
    ("['2026-01-05T12:00:00+05:00', '2026-01-05T08:00:00Z']|sort|first", "2026-01-05T12:00:00+05:00"),
    ("[1, 1.0, true, 'a', 'a', null, null, [1], [1], {'a': 1}]|unique", [1, True, "a", None, [1], {"a": 1}]),
    ("vars.rows|unique('price')|map('name')", ["tea", "pot"]),
    ("vars.l|sum", 6),
    ("vars.empty|sum", 0),
    ("vars.rows|sum('price')", 33.5),
    ("vars.l|sum(start=10)", 16),
    ("vars.l|min", 1),
    ("vars.l|max", 3),
    ("vars.empty|max", None),
    ("(vars.rows|max('price')).name", "pot"),
    ("(-3)|abs", 3),
    ("2.5|round", 3),
    ("(-2.5)|round", -3),
    ("2.675|round(2)", 2.68),
    ("2.1|round(method='ceil')", 3),
    ("2.9|round(0, 'floor')", 2),
    ("1234|round(-2)", 1200),
    ("5|round(2)", 5),
    ("' 42 '|int", 42),
    ("'3.9'|int", 3),
    ("(-3.9)|int", -3),
    ("true|int", 1),
    ("'x'|int(0)", 0),
    ("vars.none|int(7)", 7),
    ("'2.5'|float", 2.5),
    ("3|float", 3.0),
    ("'x'|float(default=null)", None),
    ("12|string", "12"),
    ("vars.none|string", ""),
    ("vars.m|list", ["b", "a"]),
    ("'ab'|list", ["a", "b"]),
    ("vars.m|keys", ["b", "a"]),
    ("vars.m|values", [1, 2]),
    ("vars.rows|map('name')", ["tea", "pot", "cup"]),
    ("vars.rows|map(attribute='in.stock', default=null)", [True, False, None]),
    ("vars.rows|map('tags.0', default='')", ["hot", "", ""]),
    ("vars.rows|select('in.stock')|map('name')", ["tea"]),
    ("vars.rows|reject('in.stock')|map('name')", ["pot", "cup"]),
    ("vars.rows|select('price', 4)|map('name')", ["tea", "cup"]),
    ("vars.rows|reject('price', 4)|map('name')", ["pot"]),
    ("{'a': [1, null, 'é\"']}|tojson", '{"a":[1,null,"é\\""]}'),
    ("vars.day|date", "Jan 5, 2026"),
    ("vars.day|date('long')", "January 5, 2026"),
    ("vars.day|date('EEEE, d MMM')", "Monday, 5 Jan"),
    ("vars.day|date('HH:mm')", "00:00"),
    ("now|date('yyyy-MM-dd HH:mm')", "2026-03-28 12:00"),
    ("'2026-03-28T23:30:00Z'|date('yyyy-MM-dd HH:mm')", "2026-03-29 00:30"),
    ("'14:30'|date('HH:mm')", "14:30"),
    ("'14:30'|date('short')", "2:30\u202fPM"),
    ("'14:30'|date('long')", "2:30:00\u202fPM"),
    ("'14:30:05'|date('full')", "2:30:05\u202fPM"),
    ("'14:30'|date(\"HH:mm 'z'\")", "14:30 z"),
    ("'100%'|replace('%', '')|int", 100),
    ("now|date('%d')", "%28"),
    ("vars.day|add('3d')", "2026-01-08"),
    ("vars.day|add('-1w')", "2025-12-29"),
    ("vars.day|add('90m')", "2026-01-05T01:30:00+01:00"),
    ("now|add('1d')", "2026-03-29T12:00:00+01:00"),
    ("'2026-03-28T12:00:00'|add('1d')", "2026-03-29T13:00:00"),  # the clocks went forward: 24 hours later it is one
    ("'23:30'|add('1h')", "00:30:00"),
    ("'2026-01-05T12:00:00Z'|add('30s')", "2026-01-05T12:00:30+00:00"),
    ("1234.5|money('USD')", "$1,234.50"),
    ("1234.5|money('JPY')", "¥1,235"),
    ("0.125|money('EUR')", "€0.13"),
    ("1234567.891|number", "1,234,567.891"),
    ("1234.5|number(2)", "1,234.50"),
    ("2.5|number(0)", "3"),
    ("99999999999999999999999999999999999|number(2)", "99,999,999,999,999,999,999,999,999,999,999,999.00"),
    ("'a' is string", True),
    ("1 is string", False),
    ("1.5 is number", True),
    ("true is number", False),
    ("vars.none is none", True),
    ("0 is none", False),
    ("vars.gone is not defined", True),
    ("'A-1234' is matching('^[A-Z]-[0-9]+$')", True),
    (r"'order A-1' is matching '[A-Z]-\d'", True),
    ("'x' is matching('^a')", False),
    ("vars.none is matching('a')", False),
    ("'abc' is containing('b')", True),
    ("'abc' is containing 'x'", False),
    ("vars.l is containing(2)", True),
    ("vars.none is containing('a')", False),
    ("4 is even", True),
    ("4.0 is even", True),
    ("3 is odd", True),
    ("3 is not odd", False),
    ("(-3) is odd", True),
]


@pytest.mark.parametrize(("source", "expected"), RESULTS, ids=[source for source, _ in RESULTS])
def test_an_expression_gives(source: str, expected: object) -> None:
    result = value(source)
    assert result == expected
    assert type(result) is type(expected)


def test_every_filter_and_test_has_its_example() -> None:
    sources = " ".join(source for source, _ in RESULTS)
    assert {name for name in FILTERS if f"|{name}" not in sources} == set()
    assert {name for name in TESTS if f"is {name}" not in sources and f"is not {name}" not in sources} == set()


@pytest.mark.parametrize(
    ("source", "locale", "expected"),
    [
        ("1234.5|money('EUR')", "de", "1.234,50\xa0€"),
        ("1234.5|money('EUR')", "de-AT", "€\xa01.234,50"),
        ("1234.5|number(1)", "de_DE", "1.234,5"),
        ("1234.5|number(1)", "xx-YY", "1,234.5"),
        ("1234567.5|number(2)", "hi", "12,34,567.50"),
        ("1234567|number(0)", "en-IN", "12,34,567"),
        ("vars.day|date('long')", "de", "5. Januar 2026"),
        ("vars.day|date('long')", "fr", "5 janvier 2026"),
        ("vars.day|date('long')", "../../etc/passwd", "January 5, 2026"),
        ("vars.day|date('EEEE')", "de-XX", "Montag"),
        ("'14:30'|date('full')", "de", "14:30:00"),
        ("now|date('short')", "de", "28.03.26, 12:00"),
    ],
)
def test_numbers_money_and_dates_are_written_as_the_language_does(source: str, locale: str, expected: str) -> None:
    assert value(source, locale) == expected


def test_an_unknown_time_zone_is_utc() -> None:
    for name in ("Mars/Base", "", "../../etc/passwd", "\x00"):
        seen = Scope({"now": "2026-01-05T09:00:00+01:00"}, Budget(), timezone=name)
        assert compile_expression("now|date('HH:mm')").value(seen) == "08:00"


@pytest.mark.parametrize(
    "source",
    [
        "vars.l|upper",
        "vars.m|trim",
        "'abc'|sum",
        "1|length",
        "vars.none|length",
        "1|first",
        "vars.m|reverse",
        "[1, 'a']|sort",
        "[true]|sum",
        "['a']|sum",
        "vars.l|keys",
        "1|list",
        "'a'|abs",
        "true|round",
        "1|round('2')",
        "'a'|replace(1, 2)",
        "vars.l|join(1)",
        "vars.l|map(1)",
        "'1'|money('EUR')",
        "1|money(1)",
        "1|number(1.5)",
        "1|add('1d')",
        "vars.day|add(1)",
        "vars.day|date(1)",
        "1 is matching('a')",
        "'a' is matching(1)",
        "1 is containing(1)",
        "'a' is even",
        "1.5 is odd",
    ],
)
def test_a_value_of_the_wrong_kind_is_a_type_error(source: str) -> None:
    with pytest.raises(ExpressionError) as failed:
        value(source)
    assert failed.value.code == "expression.type"


@pytest.mark.parametrize(
    "source",
    ["'x'|int", "vars.none|float", "''|int", "1|money('EURO')", "1|round(16)", "1|round(1, 'up')", "'soon'|date", "vars.day|add('soon')"],
)
def test_a_value_that_cannot_be_used_is_a_value_error(source: str) -> None:
    with pytest.raises(ExpressionError) as failed:
        value(source)
    assert failed.value.code == "expression.value"
