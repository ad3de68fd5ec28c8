"""What holds for every text, value and expression that can be thought of."""

import json
import math
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import nodes

from engine.errors import ExpressionError
from engine.expressions import FILTERS, TESTS, Budget, Scope, compile_expression, compile_template
from engine.expressions.tokens import parse_expression

COMPILING = {"expression.syntax", "expression.forbidden", "expression.unknown"}
EVALUATING = {"expression.undefined", "expression.type", "expression.value", "expression.budget"}

NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,4}", fullmatch=True) | st.sampled_from(
    ["not", "in", "true", "None", "null", "else", "is", "e5"]
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**36) + 1, 10**36 - 1)
    | st.floats(-1e35, 1e35)
    | st.text(max_size=12)
    | st.dates().map(str)
    | st.times().map(str)
    | st.datetimes().map(lambda moment: moment.isoformat())
    | st.sampled_from(["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "-1s", "999999999w", "12", " 3.5 ", "1e99", "a.b"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4) | st.sampled_from("ab"), inner, max_size=3),
    max_leaves=8,
)
wild = scalars | st.floats() | st.integers() | st.text(st.characters(), max_size=5) | st.just("\ud800")

tokens = st.sampled_from(
    [
        *(
            "vars",
            "vars.a",
            "vars.b",
            ".a",
            "['a']",
            "[0]",
            "now",
            "nobody",
            "null",
            "true",
            "1",
            "0",
            "2.5",
            "''",
            "'a'",
            "1e35",
            "'2026-01-05'",
        ),
        *("+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "and", "or", "not", "in", "not in", "if", "else"),
        *(
            "is",
            "is not",
            "|",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "'",
            '"',
            "\\",
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "=",
            "*a",
            "**a",
            "\n",
            "é",
            "\x00",
        ),
        *(f"|{name}" for name in sorted(FILTERS)),
        *(f"is {name}" for name in sorted(TESTS)),
    ]
)
sources = st.lists(tokens, max_size=14).map(" ".join) | st.lists(tokens, max_size=14).map("".join) | st.text(max_size=40)


def expressions() -> st.SearchStrategy[str]:
    """Well-formed expressions, deep enough to combine everything with everything."""
    leaves = st.sampled_from(
        ["vars.a", "vars.b", "vars.c", "vars.gone", "now", "null", "true", "0", "-1", "3", "2.5", "1e35", "''", "'a'", "'1d'", "[]", "{}"]
    )
    binary = st.sampled_from(["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not in"])

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        arguments = st.lists(inner, max_size=3).map(lambda given: f"({', '.join(given)})" if given else "")
        return st.one_of(
            st.tuples(inner, binary, inner).map(lambda parts: f"({' '.join(parts)})"),
            st.tuples(inner, st.sampled_from(sorted(FILTERS)), arguments).map(lambda parts: f"({parts[0]}|{parts[1]}{parts[2]})"),
            st.tuples(inner, st.sampled_from(sorted(TESTS)), arguments).map(lambda parts: f"({parts[0]} is {parts[1]}{parts[2]})"),
            st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
            st.tuples(inner, inner).map(lambda parts: f"[{parts[0]}, {{'a': {parts[1]}}}]"),
            st.tuples(inner, inner).map(lambda parts: f"{parts[0]}[{parts[1]}]"),
            inner.map(lambda part: f"(not {part})"),
            inner.map(lambda part: f"(-{part})"),
        )

    return st.recursive(leaves, larger, max_leaves=10)


def scope(**variables: Any) -> Scope:
    return Scope({"vars": variables, "now": "2026-01-05T09:00:00+01:00"}, Budget(), locale="de", timezone="Europe/Berlin")


def finite(value: Any) -> bool:
    match value:
        case float():
            return math.isfinite(value)
        case list():
            return all(map(finite, value))
        case dict():
            return all(map(finite, value.values()))
        case _:
            return True


@settings(deadline=None)
@given(st.text().filter(lambda text: "{{" not in text and "{%" not in text))
@example("{ { }} {# %}")
def test_a_text_without_braces_comes_back_as_it_was_written(text: str) -> None:
    assert compile_template(text).render(scope()) == text


@settings(deadline=None)
@given(st.text())
@example("{{ 7*7 }}")
@example("{% for x in y %}")
@example("{{ vars.a }}{{ vars.__class__ }}")
def test_what_a_person_typed_comes_back_as_typed(typed: str) -> None:
    assert compile_template("{{ vars.a }}").value(scope(a=typed)) == typed
    assert compile_template("<{{ vars.a }}>").render(scope(a=typed)) == f"<{typed}>"
    assert compile_template("{{ vars.a ~ '' }}").value(scope(a=typed)) == typed


@settings(max_examples=400, deadline=None)
@given(sources, values, values)
def test_no_source_does_anything_but_compile_or_be_refused(source: str, a: Any, b: Any) -> None:
    for make in (compile_template, compile_expression):
        try:
            template = make(source)
        except ExpressionError as error:
            assert error.code in COMPILING  # noqa: PT017 - it need not be refused
            assert error.offset is not None  # noqa: PT017 - the same
            assert 0 <= error.offset <= len(source)  # noqa: PT017 - the same
            continue
        try:
            template.value(scope(a=a, b=b))
        except ExpressionError as error:
            assert error.code in EVALUATING  # noqa: PT017 - it need not fail


@settings(max_examples=800, deadline=None)
@given(expressions(), values | wild, values, values)
def test_no_expression_fails_in_another_way_than_an_expression_may(source: str, a: Any, b: Any, c: Any) -> None:
    try:
        template = compile_expression(source)
    except ExpressionError as error:
        assert error.code in COMPILING  # noqa: PT017 - it need not be refused
        return
    for evaluate in (template.value, template.render):
        try:
            result = evaluate(scope(a=a, b=b, c=c))
        except ExpressionError as error:
            assert error.code in EVALUATING  # noqa: PT017 - it need not fail
        else:
            assert not finite([a, b, c]) or finite(result)


@given(st.sampled_from(sorted(FILTERS)), values | wild, st.lists(scalars, max_size=3))
@settings(max_examples=800, deadline=None)
def test_no_filter_fails_in_another_way_for_any_value_and_arguments(name: str, value: Any, arguments: list[Any]) -> None:
    written = ", ".join(f"vars.arguments[{position}]" for position in range(len(arguments)))
    try:
        compile_expression(f"vars.it|{name}({written})").render(scope(it=value, arguments=arguments))
    except ExpressionError as error:
        assert error.code in EVALUATING | {"expression.syntax"}  # noqa: PT017 - too many arguments are a syntax error


@settings(deadline=None)
@given(values)
def test_json_is_a_literal_that_means_itself(value: Any) -> None:
    result = compile_expression(json.dumps(value)).value(scope())
    assert json.dumps(result) == json.dumps(value)


@settings(deadline=None)
@given(values)
def test_every_value_equals_itself_and_prints(value: Any) -> None:
    seen = scope(a=value)
    assert compile_expression("vars.a == vars.a").value(seen) is True
    assert isinstance(compile_template("{{ vars.a }}").render(seen), str)


@given(st.floats(-1e35, 1e35))
def test_a_number_prints_so_that_it_is_read_back(number: float) -> None:
    text = compile_template("{{ vars.a }}").render(scope(a=number))
    assert float(text) == number
    assert not text.endswith(".0")
    assert "e" not in text or abs(number) < 1e-23


@settings(deadline=None)
@given(st.lists(st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9)), st.booleans())
def test_numbers_are_sorted_as_numbers(numbers: list[float], reverse: bool) -> None:
    assert compile_expression("vars.a|sort(reverse=vars.b)").value(scope(a=numbers, b=reverse)) == sorted(numbers, reverse=reverse)


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12).filter(bool))
def test_division_and_remainder_belong_together(a: int, b: int) -> None:
    assert compile_expression("vars.a // vars.b * vars.b + vars.a % vars.b").value(scope(a=a, b=b)) == a


@settings(deadline=None)
@given(st.datetimes(), st.integers(0, 10**6))
def test_what_is_added_can_be_taken_away_again(moment: Any, seconds: int) -> None:
    written = f"{moment.isoformat()}+00:00"
    source = f"vars.a|add('{seconds}s')|add('-{seconds}s') == vars.a"
    try:
        assert compile_expression(source).value(scope(a=written)) is True
    except ExpressionError as error:
        assert error.code == "expression.value"  # noqa: PT017 - past the year 9999


def parts(source: str, shift: int) -> list[tuple[str, str, int]] | str:
    """What the parser makes of it, from the outside in: kinds, names and places; or the code of its refusal."""
    try:
        tree = parse_expression(source)
    except ExpressionError as error:
        return error.code
    found = [tree, *tree.find_all((nodes.Name, nodes.Getattr))]
    return [(type(node).__name__, str(getattr(node, "attr", getattr(node, "name", ""))), node.lineno - shift) for node in found]


@given(st.lists(NAME, min_size=1, max_size=4), st.sampled_from(["", " ", "\n  "]))
def test_a_plain_path_is_read_as_the_parser_reads_it_in_brackets(names: list[str], space: str) -> None:
    path = ".".join(names)
    assert parts(f"{space}{path}{space}", len(space)) == parts(f"({path})", 1)
