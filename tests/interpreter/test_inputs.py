"""What is told of inputs that do not fit: all of it where that is not much, and never so much that others wait for it."""

import time
from typing import Any

from engine.interpreter import matched_inputs
from engine.loading import Source, load_flow
from engine.model.problems import Problem
from engine.model.values import Json
from tests.support.pace import pace

FLOW = "flow: asked\ninputs: {{x: {schema}}}\nnodes: {{hello: {{type: message, text: '{{{{ inputs.x }}}}', next: end}}}}\n"


def unfit(schema: Any, value: Json) -> tuple[Problem, ...]:
    loaded = load_flow(Source("asked.yaml", FLOW.format(schema=schema)))
    assert loaded.flow is not None, loaded.diagnostics
    return matched_inputs(loaded.flow, {"x": value})[2]


def test_all_that_does_not_fit_is_told() -> None:
    found = unfit({"type": "array", "items": {"type": "string"}}, [1, "two", 3])
    assert [(problem.field, problem.message) for problem in found] == [
        ("/x/0", "This has the wrong type."),
        ("/x/2", "This has the wrong type."),
    ]


def test_of_a_large_value_the_first_that_does_not_fit_is_told_at_once() -> None:
    slow = pace()
    began = time.process_time()
    found = unfit({"type": "array", "items": {"allOf": [{"type": "string"}] * 100}}, ["one", *range(4_000)])
    assert time.process_time() - began < 0.25 * slow
    assert [problem.field for problem in found] == ["/x/1"]


def test_a_large_value_that_fits_is_taken() -> None:
    assert unfit({"type": "array", "items": {"type": "integer"}}, list(range(8_000))) == ()


def test_what_would_take_too_long_to_be_checked_is_refused() -> None:
    def seconds() -> float:
        began = time.process_time()
        found = unfit({"type": "array", "items": {"enum": [[number] for number in range(2_000)]}}, [[1_999]] * 8_000)
        took = time.process_time() - began
        assert [(problem.field, problem.message) for problem in found] == [("/x", "This is too large.")]
        return took

    assert any(seconds() < 0.25 * pace() for _ in range(3))  # garbage of other tests may be looked for meanwhile
