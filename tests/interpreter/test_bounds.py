"""A run that outgrows what may be stored of it fails, and can still be looked at."""

from engine.interpreter import advance, compile_flow, decode_run
from engine.loading import Source, load_flow
from engine.model.events import Started
from engine.model.run import FlowRef, Run, Trigger
from engine.model.values import Limits
from engine.testing.shelf import Shelf

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
