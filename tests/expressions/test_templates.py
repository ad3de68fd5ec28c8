"""What a template is, what it gives, and what it says when it cannot."""

from typing import Any

import pytest

from engine.errors import ExpressionError
from engine.expressions import FILTERS, ROOTS, TESTS, Budget, Reference, Scope, Template, compile_expression, compile_template

VALUES: dict[str, Any] = {
    "name": "Ada",
    "empty": None,
    "count": 3,
    "order": {"items": [{"price": 2.5, "name": "tea"}, {"price": 4, "name": "pot"}], "keys": "a key", "0": "zero"},
}


def scope(**more: Any) -> Scope:
    return Scope({"vars": VALUES | more, "now": "2026-01-05T09:00:00+01:00"}, Budget())


def refusal(source: str, *, bare: bool = False) -> ExpressionError:
    with pytest.raises(ExpressionError) as refused:
        (compile_expression if bare else compile_template)(source)
    return refused.value


def render_often(template: Template, seen: Scope) -> None:
    for _ in range(10):
        template.render(seen)


def failure(source: str) -> ExpressionError:
    template = compile_template(source)
    with pytest.raises(ExpressionError) as failed:
        template.value(scope())
    return failed.value


@pytest.mark.parametrize(
    "text", ["", "Hello.", "a { b } c", "}} %} #}", "{# no comment #}", "{ { x } }", "100 %}", "line\nline\n", "# x\n## y"]
)
def test_a_text_without_braces_is_just_text(text: str) -> None:
    template = compile_template(text)
    assert (template.constant, template.is_text, template.references) == (True, True, ())
    assert template.value(scope()) == template.render(scope()) == text


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ vars.count }}", 3),
        ("{{vars.count}}", 3),
        ("{{ vars.order }}", VALUES["order"]),
        ("{{ vars.empty }}", None),
        ("{{ [1, 2.5, true, null, 'a', {'b': []}] }}", [1, 2.5, True, None, "a", {"b": []}]),
        ("{{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
        ("{{ {'a': {'b': 1}}}}", {"a": {"b": 1}}),
        ("{{ '}}' }}", "}}"),
        ("{{ '{{ 1 }}' }}", "{{ 1 }}"),
        ("{{ '{% x %}' }}", "{% x %}"),
        ("{{\n  vars.count\n}}", 3),
    ],
)
def test_a_template_that_is_one_expression_keeps_its_native_type(source: str, value: object) -> None:
    template = compile_template(source)
    assert (template.constant, template.is_text) == (False, False)
    assert template.value(scope()) == value


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi {{ vars.name }}!", "Hi Ada!"),
        (" {{ vars.count }}", " 3"),
        ("{{ vars.count }}\n", "3\n"),
        ("{{ vars.count }}{{ vars.count }}", "33"),
        ("{{ vars.empty }}.", "."),
        ("{{ 1 == 1 }}, {{ 1 == 2 }}", "true, false"),
        ("{{ 4 / 2 }} and {{ 5 / 2 }} and {{ -0.0 }}", "2 and 2.5 and 0"),
        ("{{ 0.1 + 0.2 }} {{ 1e20 }}", "0.30000000000000004 100000000000000000000"),
        ("{{ 1000000 * 1000000000 / 1 }} {{ -1 / 20000 }}", "1000000000000000 -0.00005"),
        ("{{ 1e16 ~ '' }} {{ 1e23 }} {{ 1.5e-7 }}", "10000000000000000 100000000000000000000000 0.00000015"),
        ("{{ -9.999999999999999e35 }}!", "-" + "9" * 16 + "0" * 20 + "!"),
        ("{{ -1.2345678901234567e-24 }} {{ 1e-40 }} {{ 1e-41 }}", f"-0.{'0' * 23}12345678901234567 0.{'0' * 39}1 1e-41"),
        ("{{ vars.order.items }}!", '[{"price":2.5,"name":"tea"},{"price":4,"name":"pot"}]!'),
        ("{# kept #} {{ vars.name }} }}", "{# kept #} Ada }}"),
    ],
)
def test_any_other_template_is_text(source: str, text: str) -> None:
    template = compile_template(source)
    assert template.is_text
    assert template.value(scope()) == template.render(scope()) == text


@pytest.mark.parametrize("source", ["vars.count > 2", "{{ vars.count > 2 }}", "  {{vars.count > 2}}\n", " vars.count > 2 "])
def test_a_bare_expression_may_stand_in_braces_and_is_native(source: str) -> None:
    expression = compile_expression(source)
    assert not expression.is_text
    assert expression.value(scope()) is True


@pytest.mark.parametrize("source", ["{{ 1 }} {{ 2 }}", "x {{ 1 }}", "{{ 1 }} x", "", "{% if x %}", "1 }} {{ 2"])
def test_a_bare_expression_is_exactly_one(source: str) -> None:
    assert refusal(source, bare=True).code in {"expression.syntax", "expression.forbidden"}


def test_a_mapping_may_be_a_bare_expression() -> None:
    assert compile_expression("{'a': {'b': 1}}").value(scope()) == {"a": {"b": 1}}


def test_a_dot_reads_keys_and_positions_whatever_python_calls_them() -> None:
    assert compile_template("{{ vars.order.items[1].name }}").value(scope()) == "pot"
    assert compile_template("{{ vars.order.items.0.name }}").value(scope()) == "tea"
    assert compile_template("{{ vars.order.keys }}").value(scope()) == "a key"
    assert compile_template("{{ vars.order['0'] }}").value(scope()) == "zero"
    assert compile_template("{{ vars.order.items[-1]['na' ~ 'me'] }}").value(scope()) == "pot"


@pytest.mark.parametrize(
    "source",
    ["{{ vars.order.gone }}", "{{ vars.gone.further.on }}", "{{ vars.order.items[2] }}", "{{ vars.name.length }}", "{{ vars.empty.x }}"],
)
def test_a_missing_part_prints_as_nothing_with_a_warning_and_is_an_error_as_a_value(source: str) -> None:
    seen = scope()
    assert compile_template(f"[{source}]").render(seen) == "[]"
    assert len(seen.warnings) == 1
    assert failure(source).code == failure(f"[{source}]").code == "expression.undefined"


def test_a_warning_names_the_part() -> None:
    seen = scope()
    compile_template("{{ vars.order.address.street }}").render(seen)
    assert seen.warnings == ["vars.order.address is not there."]


def test_null_prints_as_nothing_without_a_warning() -> None:
    seen = scope()
    assert compile_template("[{{ vars.empty }}]").render(seen) == "[]"
    assert seen.warnings == []


def test_warnings_are_bounded() -> None:
    seen = scope()
    template = compile_template("{{ vars.gone }}" * 50)
    for _ in range(10):
        template.render(seen)
    assert len(seen.warnings) == 100


def test_only_default_and_defined_take_a_missing_part() -> None:
    assert compile_template("{{ vars.order.gone|default('none') }}").value(scope()) == "none"
    assert compile_template("{{ vars.order.gone is defined }}").value(scope()) is False
    assert compile_template("{{ vars.empty is defined }}").value(scope()) is True
    for source in (
        "vars.gone is none",
        "vars.gone == null",
        "not vars.gone",
        "vars.gone ~ ''",
        "[vars.gone]",
        "vars.gone or 1",
        "vars.gone|length",
    ):
        assert failure(f"{{{{ {source} }}}}").code == "expression.undefined"


def test_escape_touches_the_values_and_not_the_text_around_them() -> None:
    seen = Scope({"vars": {"user": "*bold*"}}, Budget(), escape=lambda text: text.replace("*", r"\*"))
    assert compile_template("*Hi* {{ vars.user }}").render(seen) == r"*Hi* \*bold\*"
    assert compile_template("{{ vars.user }}").render(seen) == r"\*bold\*"
    assert compile_template("{{ vars.user }}").value(seen) == "*bold*"


def test_references_tell_what_is_read_and_where() -> None:
    source = "Hi {{ vars.order.items[0].price + vars['count'] }} {{ nodes[vars.name].value }}"
    assert compile_template(source).references == (
        Reference("vars", ("order", "items", 0, "price"), source.index("vars.order")),
        Reference("vars", ("count",), source.index("vars['count']")),
        Reference("nodes", (), source.index("nodes")),
        Reference("vars", ("name",), source.index("vars.name")),
    )


def test_references_in_a_bare_expression_count_from_its_start() -> None:
    assert compile_expression("  {{ vars.a }}").references == (Reference("vars", ("a",), 5),)
    assert compile_expression("  vars.a").references == (Reference("vars", ("a",), 2),)


@pytest.mark.parametrize(
    ("source", "code", "place"),
    [
        ("Hi {{ varz.name }}", "expression.unknown", "varz"),
        ("Hi {{ vars.name|uper }}", "expression.unknown", "uper"),
        ("{{ vars.name is matchin('a') }}", "expression.unknown", "is"),
        ("{{ vars.name|replace('a', neww='b') }}", "expression.unknown", "'b'"),
        ("a {{ vars.f(1) }}", "expression.forbidden", "(1)"),
        ("a {{ 1 + 2 ** 3 }}", "expression.forbidden", "2 **"),
        ("a {% if %}", "expression.forbidden", "{%"),
        ("a {{ vars.name", "expression.syntax", "{{"),
        ("a {{ 'x }}", "expression.syntax", "'x"),
        ("a {{ 1 2 }}", "expression.syntax", "2"),
        ("a {{ vars.name is matching('(') }}", "expression.syntax", "'('"),
        ("a {{ $ }}", "expression.syntax", "$"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(source: str, code: str, place: str) -> None:
    error = refusal(source)
    assert error.code == code
    assert error.offset is not None
    assert source[error.offset :].startswith(place)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("{{ var.x }}", "vars"),
        ("{{ conversaton.x }}", "conversation"),
        ("{{ vars.x|lenght }}", "length"),
        ("{{ vars.x is contains('a') }}", "containing"),
        ("{{ vars.x|sort(reversed=true) }}", "reverse"),
    ],
)
def test_an_unknown_name_is_met_with_the_nearest_known_one(source: str, hint: str) -> None:
    assert refusal(source).hint == f"did you mean `{hint}`?"


def test_a_dash_in_a_name_is_a_subtraction_of_something_unknown() -> None:
    assert "`number`" in str(refusal("{{ nodes.ask-number }}"))


def test_an_error_of_evaluation_tells_the_expression_it_came_from() -> None:
    error = failure("one {{ vars.name }} two {{ vars.name + 1 }}")
    assert (error.code, error.offset) == ("expression.type", len("one {{ vars.name }} two {{"))


def test_further_roots_are_known_only_where_they_are_allowed() -> None:
    assert refusal("{{ item.name }}").code == "expression.unknown"
    template = compile_template("{{ index }}: {{ item.name }}", frozenset({"item", "index"}))
    assert template.value(scope().extended({"item": {"name": "tea"}, "index": 1})) == "1: tea"
    assert compile_expression("value > 2", frozenset({"value"})).value(scope().extended({"value": 3})) is True


def test_an_allowed_root_that_the_scope_lacks_is_missing() -> None:
    assert compile_template("{{ trigger.text is defined }}").value(scope()) is False


def test_an_extended_scope_shares_budget_and_warnings() -> None:
    seen = scope()
    inner = seen.extended({"item": 1})
    compile_template("{{ vars.gone }}{{ vars.order.items|length }}").render(inner)
    assert inner.budget is seen.budget
    assert len(seen.warnings) == 1


CONTRACT = {
    "roots": "vars, nodes, trigger, conversation, inputs, run, callbacks, now",
    "filters": "default, lower, upper, capitalize, title, trim, replace, truncate, split, join, length, first, last, reverse, sort, "
    "unique, sum, min, max, abs, round, int, float, string, list, keys, values, map, select, reject, tojson, date, add, money, number",
    "tests": "defined, none, string, number, matching, containing, even, odd",
}


def test_the_names_are_those_of_the_contract() -> None:
    written = {sort: frozenset(names.split(", ")) for sort, names in CONTRACT.items()}
    assert written == {"roots": ROOTS, "filters": FILTERS, "tests": TESTS}


def test_a_long_text_is_quoted_whole_and_counts_for_the_turn_alone() -> None:
    seen = scope(answer="a" * 50_000)
    template = compile_template("{{ vars.answer }} Anything else?")
    assert len(template.render(seen)) == 50_000 + len(" Anything else?")
    with pytest.raises(ExpressionError) as stopped:
        render_often(template, seen)
    assert stopped.value.code == "expression.budget"
    assert seen.budget.characters <= 262_144 + 50_100


def test_a_text_without_braces_may_be_as_long_as_it_likes() -> None:
    assert compile_template("a" * 100_000).render(scope()) == "a" * 100_000


def test_a_template_is_frozen_and_may_be_a_key() -> None:
    template = compile_template("{{ vars.name }}")
    with pytest.raises(AttributeError):
        template.source = "other"  # type: ignore[misc]
    assert {template: 1}[template] == 1
