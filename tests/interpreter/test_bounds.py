"""A run that outgrows what may be stored of it, or a turn that shows too much, fails, and can still be looked at."""

import gc
import time

import pytest

from engine.interpreter import advance, compile_flow, decode_run
from engine.loading import Source, load_flow
from engine.model.events import Started
from engine.model.run import FlowRef, Run, Trigger
from engine.model.values import Limits
from engine.testing.shelf import Shelf
from tests.support.pace import pace

NOON = 1_767_603_600_000
LARGE = """
flow: large
variables: {page: "a page of text, of which one is too much"}
nodes:
  say: {type: message, text: "Read {{ vars.page }}.", next: ask}
  ask: {type: ask, prompt: And?, next: end}
"""


def test_a_run_too_large_for_its_first_turn_stands_somewhere_in_its_flow() -> None:
    flow = load_flow(Source("large.yaml", LARGE)).flow
    assert flow is not None
    book = Shelf(compile_flow(FlowRef("large", 1), flow))
    run = Run(id="run", locale="en", seed="seed", trigger=Trigger("large"))
    step = advance(book, run, Started(at=NOON, flow="large", version=1), Limits(state_bytes=200))
    assert (step.run.status, step.run.end_code) == ("failed", "limit.state")
    assert decode_run(step.state).frame.ref == FlowRef("large", 1)
    assert step.run.frame.variables == {}


ROUNDS = """
flow: rounds
variables: {{many: [{hundred}]}}
nodes:
  say: {said}
  more: {{type: switch, cases: [{{when: run.visits.say > 45, next: end}}], else: say}}
"""
MADE = "{type: block, block: card, next: more, payload: {x: {each: vars.many, do: {each: vars.many, do: PART}}}}"
SHOWN = "{type: block, block: card, next: more, payload: {x: PART}}"
NINE_THOUSAND = f"[{', '.join('1' * 9_000)}]"


@pytest.mark.parametrize(
    "said",
    [
        MADE.replace("PART", "{each: vars.many, do: {}}"),
        MADE.replace("PART", "{each: vars.many, do: []}"),
        MADE.replace("PART", f"[{', '.join(['{}'] * 99)}]"),
        MADE.replace("PART", f"{{{'k' * 200}: 1}}"),
        f"{{type: message, next: more, text: {'x' * 100_000}}}",
        SHOWN.replace("PART", NINE_THOUSAND),
        f"{{type: set, next: more, values: {{many: {NINE_THOUSAND}}}}}",
    ],
    ids=["empty mappings", "empty lists", "lists of them", "long keys", "a text in a loop", "a payload in a loop", "a value in a loop"],
)
def test_what_is_written_counts_each_time_that_it_is_shown_or_kept(said: str) -> None:
    slow = pace()
    flow = load_flow(Source("rounds.yaml", ROUNDS.format(said=said, hundred=", ".join(["1"] * 100)))).flow
    assert flow is not None
    book = Shelf(compile_flow(FlowRef("rounds", 1), flow))
    gc.collect()  # else a collection of all that the tests before have left may come due meanwhile
    began = time.process_time()
    step = advance(book, Run(id="run", locale="en", seed="seed", trigger=Trigger("rounds")), Started(at=NOON, flow="rounds", version=1))
    assert time.process_time() - began < 0.4 * slow  # a quarter of a second where nobody else works
    assert (step.run.status, step.run.end_code) == ("failed", "expression.budget")
