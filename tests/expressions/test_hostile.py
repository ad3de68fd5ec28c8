"""Each attack, in each place where an expression may stand, is refused or stopped in little time and little memory."""

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ExpressionError
from engine.expressions import Budget, Scope, Template, compile_expression, compile_template
from tests.expressions.attacks import BUDGET, EXPRESSIONS, MEGABYTES, SECONDS, TEMPLATES, UNDEFINED, Treasure, hostile_scope

ROOT = Path(__file__).resolve().parents[2]

Place = Callable[[str, Scope], Any]

PLACES: dict[str, Place] = {
    "alone": lambda attack, scope: compile_template(f"{{{{ {attack} }}}}").value(scope),
    "in a text": lambda attack, scope: compile_template(f"before {{{{ {attack} }}}} after").value(scope),
    "shown to a person": lambda attack, scope: compile_template(f"before {{{{ {attack} }}}} after").render(scope),
    "as a condition": lambda attack, scope: compile_expression(attack).value(scope),
    "as a choice": lambda attack, scope: compile_template(f"{{{{ ({attack}) if true else 1 }}}}").value(scope),
    "in a list": lambda attack, scope: compile_template(f"{{{{ [1, ({attack})] }}}}").value(scope),
    "as an argument": lambda attack, scope: compile_template(f"{{{{ 'x'|replace('x', ({attack})|string) }}}}").value(scope),
}


@pytest.fixture(autouse=True, scope="module")
def only_our_own_garbage() -> Iterator[None]:
    """What the test runner holds in memory is not looked through while an attack is timed."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@contextmanager
def little_time() -> Iterator[None]:
    """Fails when the block takes more processor time than an attack may have."""
    start = time.process_time()
    yield
    spent = time.process_time() - start
    assert spent < SECONDS, f"took {spent:.3f} s"


def outcome(place: Place, attack: str, scope: Scope) -> str | None:
    """The code with which the attack ends; None when it gives a value."""
    with little_time():
        try:
            place(attack, scope)
        except ExpressionError as error:
            return error.code
    return None


def evaluate_often(template: Template, scope: Scope) -> None:
    for _ in range(100):
        template.value(scope)


def ids(attacks: list[tuple[str, str]]) -> list[str]:
    return [ascii(attack if len(attack) <= 40 else f"{attack[:30]}... ({len(attack)})") for attack, _ in attacks]


@pytest.mark.parametrize(("attack", "code"), EXPRESSIONS, ids=ids(EXPRESSIONS))
def test_a_hostile_expression_ends_with_its_code(attack: str, code: str) -> None:
    assert outcome(PLACES["alone"], attack, hostile_scope()) == code


@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_expression_is_stopped_in_every_place(place: str) -> None:
    survivors = []
    for attack, code in EXPRESSIONS:
        scope = hostile_scope()
        ended = outcome(PLACES[place], attack, scope)
        stopped = ended is not None or (code == UNDEFINED and len(scope.warnings) == 1)
        if not stopped:
            survivors.append(attack)
    assert survivors == []


@pytest.mark.parametrize(("attack", "code"), TEMPLATES, ids=ids(TEMPLATES))
def test_a_hostile_template_ends_with_its_code(attack: str, code: str) -> None:
    assert outcome(lambda source, scope: compile_template(source).value(scope), attack, hostile_scope()) == code
    assert outcome(lambda source, scope: compile_template(source).render(scope), attack, hostile_scope()) == code


def test_there_are_at_least_120_attacks_and_no_two_are_the_same() -> None:
    attacks = [attack for attack, _ in EXPRESSIONS + TEMPLATES]
    assert len(attacks) >= 120
    assert len(attacks) == len(set(attacks))


MEASURE = """
import json
from engine.errors import ExpressionError
from engine.expressions import compile_template
from tests.expressions.attacks import EXPRESSIONS, TEMPLATES, hostile_scope
from tests.support.memory import peak_kib as peak

compile_template("{{ now|date('short') }} {{ 1|money('EUR') }}").value(hostile_scope())
before, greedy = peak(), []
for attack, _ in [(f"{{{{ {attack} }}}}", code) for attack, code in EXPRESSIONS] + TEMPLATES:
    scope, start = hostile_scope(), peak()
    try:
        compile_template(attack).render(scope)
    except ExpressionError:
        pass
    greedy.append((peak() - start, attack[:60]))
print(json.dumps({"total": peak() - before, "worst": max(greedy)}))
"""


def test_all_attacks_one_after_another_take_no_more_memory_than_one_may() -> None:
    run = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    assert measured["total"] < MEGABYTES * 1024, measured


def test_a_value_that_doubles_from_node_to_node_is_stopped_before_it_cannot_be_stored() -> None:
    double = compile_template("{{ [vars.it, vars.it] }}")
    values: dict[str, Any] = {"it": ["x"]}
    scope = Scope({"vars": values}, Budget())

    def run() -> None:
        for _ in range(100):
            values["it"] = double.value(scope)

    with little_time(), pytest.raises(ExpressionError) as stopped:
        run()
    assert stopped.value.code == BUDGET


def test_the_turn_has_a_budget_over_all_its_expressions() -> None:
    touch = compile_template("{{ vars.list|sum }}")
    scope = hostile_scope()
    with pytest.raises(ExpressionError) as stopped:
        evaluate_often(touch, scope)
    assert stopped.value.code == BUDGET
    assert scope.budget.items <= 200_000 + 9_000


def test_what_one_expression_spent_does_not_stop_the_next() -> None:
    touch = compile_template("{{ vars.list|sum }}")
    scope = hostile_scope()
    assert touch.value(scope) == touch.value(scope) == sum(range(9_000))


def test_braces_in_a_value_are_never_evaluated() -> None:
    scope = hostile_scope()
    for source in ("{{ vars.braces }}", "{{ vars.braces ~ '' }}", "{{ [vars.braces]|join }}"):
        assert compile_template(source).value(scope) == "{{ vars.one }}"


def test_an_object_that_is_no_json_tells_nothing_even_to_filters() -> None:
    scope = Scope({"vars": {"it": [Treasure()]}}, Budget())
    for source in ("{{ vars.it|map('secret') }}", "{{ vars.it|first|string }}", "{{ vars.it }}!", "{{ vars.it|sort }}"):
        with pytest.raises(ExpressionError):
            compile_template(source).value(scope)


def test_a_million_levels_of_data_are_an_error_and_no_crash() -> None:
    deep: list[Any] = []
    for _ in range(1_000_000):
        deep = [deep]
    scope = Scope({"vars": {"deep": deep}}, Budget())
    for source in ("{{ vars.deep }}!", "{{ vars.deep == vars.deep|list }}", "{{ [vars.deep]|unique }}", "{{ vars.deep|tojson }}"):
        with little_time(), pytest.raises(ExpressionError):
            compile_template(source).value(scope)
    while deep:  # taken apart level by level
        deep = deep[0]
