"""What `advance` guarantees, whatever the flow: bounds, failures, calls, and refusals that change nothing."""

import json
from typing import Any

import pytest

from engine.errors import AnswerRefused, EventRefused
from engine.interpreter import CompiledFlow, advance, compile_flow, decode_run, encode_run
from engine.loading import Source, load_flow
from engine.model.effects import Await, Emit, Finish, Step
from engine.model.events import Answered, Cancelled, Event, Returned, Started, TimedOut
from engine.model.flow import Flow
from engine.model.nodes import Http, Message, Node
from engine.model.run import FlowRef, HttpRequest, Invoke, Run, Trigger
from engine.model.values import Limits
from engine.testing.shelf import Shelf

NOON = 1_767_603_600_000


def compiled(nodes: str, **keys: Any) -> CompiledFlow:
    text = json.dumps({"flow": "tried", "intent": {}, **keys})[:-1] + f', "nodes": {{{nodes}\n}}}}'
    loaded = load_flow(Source("tried.yaml", text))
    assert loaded.flow is not None, [str(problem) for problem in loaded.diagnostics]
    return compile_flow(FlowRef("tried", 1), loaded.flow)


def fresh(locale: str = "en") -> Run:
    return Run(id="run", locale=locale, seed="seed", trigger=Trigger("tried", "hello"))


def after(script: CompiledFlow, *events: Event, limits: Limits | None = None, run: Run | None = None) -> Step:
    run = run or fresh()
    steps = []
    for event in events:
        steps.append(advance(Shelf(script), run, event, limits or Limits()))
        run = steps[-1].run
    return steps[-1]


def started(**inputs: Any) -> Started:
    return Started(at=NOON, flow="tried", version=1, inputs=inputs)


def said(step: Step) -> list[str]:
    return [effect.block.payload["text"] for effect in step.effects if isinstance(effect, Emit)]


ASK = """
  name: {type: ask, prompt: "Your name?", next: hello},
  hello: {type: message, text: "Hello {{ vars.name }}", next: end}
"""


def test_a_flow_says_asks_and_waits() -> None:
    step = after(compiled(ASK), started())
    assert said(step) == ["Your name?"]
    assert step.run.status == "waiting_input"
    assert [type(effect) for effect in step.effects] == [Emit, Await]


def test_an_answer_takes_the_run_to_its_end() -> None:
    step = after(compiled(ASK), started(), Answered(at=NOON, text=" Ada "))
    assert said(step) == ["Hello Ada"]
    assert (step.run.status, step.run.end_reason, step.run.progress) == ("completed", "completed", 100)
    assert step.effects[-1] == Finish("completed", "completed")


def test_an_answer_may_bring_more_context_than_the_trigger_did() -> None:
    script = compiled(
        'name: {type: ask, prompt: "Your name?", next: page}, page: {type: message, text: "{{ trigger.context.page }}", next: end}'
    )
    step = after(script, started(), Answered(at=NOON, text="Ada", context={"page": "/orders"}))
    assert said(step) == ["/orders"]
    assert step.run.trigger.context == {"page": "/orders"}


def test_what_a_person_types_is_never_evaluated() -> None:
    step = after(compiled(ASK), started(), Answered(at=NOON, text="{{ 7*7 }}"))
    assert said(step) == ["Hello {{ 7*7 }}"]


def test_a_refused_answer_leaves_the_run_as_it_was() -> None:
    script = compiled("age: {type: ask, prompt: Age?, input: integer, next: end}")
    waiting = after(script, started()).run
    before = encode_run(waiting)
    with pytest.raises(AnswerRefused):
        after(script, Answered(at=NOON, text="old"), run=waiting)
    assert encode_run(waiting) == before


@pytest.mark.parametrize(
    "event",
    [
        TimedOut(at=NOON + 1),
        Started(at=NOON, flow="tried", version=1),
        Returned(at=NOON, step=0, result={}),
    ],
    ids=["a deadline before its time", "a second start", "a result nobody asked for"],
)
def test_an_event_out_of_place_is_refused(event: Event) -> None:
    script = compiled(ASK)
    waiting = after(script, started()).run
    with pytest.raises(EventRefused):
        after(script, event, run=waiting)


def test_nothing_moves_a_run_that_has_ended() -> None:
    script = compiled(ASK)
    ended = after(script, started(), Cancelled(at=NOON)).run
    assert (ended.status, ended.end_reason) == ("aborted", "cancelled")
    with pytest.raises(EventRefused):
        after(script, Answered(at=NOON, text="Ada"), run=ended)


def test_the_deadline_comes_from_the_flow_where_the_node_names_none() -> None:
    step = after(compiled(ASK, expires_after="2h"), started())
    assert step.run.pause is not None
    assert step.run.pause.deadline == NOON + 2 * 3_600_000


def test_a_deadline_without_a_branch_expires_the_run() -> None:
    script = compiled(ASK, expires_after="10s")
    step = after(script, started(), TimedOut(at=NOON + 10_000))
    assert (step.run.status, step.run.end_reason) == ("aborted", "expired")


def test_wrong_answers_use_up_attempts_but_neither_deadline_nor_visits() -> None:
    script = compiled(
        "n: {type: ask, prompt: Number?, input: number, attempts: 2, retry: Digits please, on_exhausted: sorry, next: end},"
        'sorry: {type: message, text: "Not {{ nodes.n.last }} after {{ nodes.n.attempts }}", next: end}'
    )
    first = after(script, started())
    second = after(script, Answered(at=NOON + 5000, text="x"), run=first.run)
    assert said(second) == ["Digits please", "Number?"]
    assert first.run.pause is not None
    assert second.run.pause is not None
    assert second.run.pause.deadline == first.run.pause.deadline
    assert second.run.pause.expectation.attempts_left == 1
    assert second.run.frame.visits == {"n": 1}
    last = after(script, Answered(at=NOON + 6000, text="y"), run=second.run)
    assert said(last) == ["Not y after 2"]
    assert last.run.frame.variables["n"] is None


def test_names_that_the_wait_lacks_cost_no_attempt() -> None:
    script = compiled("n: {type: ask, prompt: Number?, input: number, attempts: 1, on_exhausted: end, next: end}")
    waiting = after(script, started()).run
    with pytest.raises(AnswerRefused):
        after(script, Answered(at=NOON, values={"m": 1}), run=waiting)


LOOP = """
  ask: {type: ask, prompt: Again?, next: count},
  count: {type: set, values: {n: "{{ vars.n + 1 }}"}, next: more},
  more: {type: switch, cases: [{when: vars.n < 1000, next: count}], else: ask}
"""


@pytest.mark.parametrize(
    ("limits", "code"),
    [(Limits(steps=7), "limit.steps"), (Limits(turns=1), "limit.turns"), (Limits(state_bytes=200), "limit.state")],
)
def test_a_passed_bound_fails_the_whole_run_with_its_code(limits: Limits, code: str) -> None:
    script = compiled(LOOP, variables={"n": 0})
    run = after(script, started()).run
    step = after(script, Answered(at=NOON, text="yes"), limits=limits, run=run)
    assert (step.run.status, step.run.end_code) == ("failed", code)
    assert step.effects[-1] == Finish("failed", "failed", code)


def test_the_stored_state_is_never_larger_than_its_bound() -> None:
    script = compiled(
        'grow: {type: set, values: {x: "{{ vars.x ~ vars.x }}"}, next: ask}, ask: {type: ask, prompt: "?", next: grow}',
        variables={"x": "x" * 600},
    )
    run = after(script, started()).run
    for _ in range(20):
        step = after(script, Answered(at=NOON, text="more"), run=run)
        assert len(step.state) <= Limits().state_bytes
        run = step.run
        if run.ended:
            break
    assert run.end_code in {"limit.state", "expression.budget"}


def test_conversation_variables_have_a_bound() -> None:
    script = compiled('keep: {type: set, values: {conversation.x: "{{ inputs.x }}"}, next: end}', inputs={"x": {"type": "string"}})
    assert after(script, started(x="x" * 100)).remembered == {"x": "x" * 100}
    step = after(script, started(x="x" * 17_000))
    assert step.run.end_code == "limit.conversation"


def test_a_missing_part_is_empty_in_a_text_and_a_failure_elsewhere() -> None:
    text = compiled('say: {type: message, text: "[{{ vars.order.eta }}]", next: end}', variables={"order": {}})
    step = after(text, started())
    assert said(step) == ["[]"]
    assert [warning.code for visit in step.trace for warning in visit.warnings] == ["expression.missing"]
    value = compiled('put: {type: set, values: {eta: "{{ vars.order.eta }}"}, next: end}', variables={"order": {}})
    assert after(value, started()).run.end_code == "expression.undefined"


def test_an_author_may_end_a_flow_as_failed() -> None:
    step = after(compiled("no: {type: end, status: failed, code: no_stock}"), started())
    assert (step.run.status, step.run.end_reason, step.run.end_code) == ("failed", "failed", "no_stock")


def test_the_result_is_the_outputs_with_the_end_nodes_result_over_them() -> None:
    step = after(compiled("done: {type: end, result: {b: 3}}", outputs={"a": 1, "b": 2}), started())
    assert step.run.result == {"a": 1, "b": 3}


def test_texts_come_in_the_runs_language_or_the_nearest_there_is() -> None:
    script = compiled("hi: {type: message, text: {en: Hello, de: Hallo}, next: end}")
    spoken = {locale: said(after(script, started(), run=fresh(locale)))[0] for locale in ("de-AT", "de", "fr", "en-GB")}
    assert spoken == {"de-AT": "Hallo", "de": "Hallo", "fr": "Hello", "en-GB": "Hello"}


def test_a_script_comes_before_the_language_alone_and_case_makes_no_difference_in_its_name() -> None:
    script = compiled("hi: {type: message, text: {en: Hello, zh: 你好, zh-Hant: 您好, de-AT: Servus}, next: end}")
    spoken = {locale: said(after(script, started(), run=fresh(locale)))[0] for locale in ("zh-Hant-TW", "zh-CN", "de-at", "EN")}
    assert spoken == {"zh-Hant-TW": "您好", "zh-CN": "你好", "de-at": "Servus", "EN": "Hello"}


def test_values_in_markdown_mean_themselves() -> None:
    script = compiled('hi: {type: message, format: markdown, text: "**{{ trigger.text }}**", next: end}')
    run = Run(id="run", locale="en", seed="s", trigger=Trigger("tried", "*[x](y)"))
    assert said(after(script, started(), run=run)) == ["**\\*\\[x\\]\\(y\\)**"]


CALLS = compile_flow(
    FlowRef("tried", 1),
    Flow(
        flow="tried",
        nodes={
            "look": Http(method="GET", url="https://shop.example/{{ vars.answer }}", save="answer", next="tell", on_error="sorry"),
            "tell": Message(text="{{ vars.answer.status }}", next="end"),
            "sorry": Message(text="{{ vars.error.code }} at {{ vars.error.node }}", next="end"),
        },
    ),
)


def test_a_call_leaves_the_run_running_until_its_result_returns() -> None:
    asked = after(CALLS, started())
    assert asked.run.status == "running"
    assert asked.effects == (Invoke(0, "look", HttpRequest("GET", "https://shop.example/"), repeatable=True),)
    told = after(CALLS, Returned(at=NOON, step=0, result={"status": 200}), run=asked.run)
    assert said(told) == ["200"]
    assert told.run.turns == 1


def test_a_call_whose_answer_the_run_cannot_hold_takes_the_branch_for_it() -> None:
    asked = after(CALLS, started())
    told = after(CALLS, Returned(at=NOON, step=0, result={"status": 200, "text": "x" * 140_000}), run=asked.run)
    assert said(told) == ["http.response_size at look"]


def test_a_turn_has_one_moment_however_long_its_calls_take() -> None:
    script = compiled("""
      first: {type: message, text: "{{ now }}", next: look},
      look: {type: http, method: GET, url: "https://shop.example/", next: then},
      then: {type: message, text: "{{ now }}", next: name},
      name: {type: ask, prompt: "{{ now }}", next: then}""")
    asked = after(script, started())
    told = after(script, Returned(at=NOON + 1_500, step=0, result={"status": 200}), run=asked.run)
    later = after(script, Answered(at=NOON + 2_000, text="x"), run=told.run)
    assert {*said(asked), *said(told)} == {"2026-01-05T09:00:00.000+00:00"}
    assert {*said(later)} == {"2026-01-05T09:00:02.000+00:00"}


def test_a_call_that_failed_takes_the_branch_for_it() -> None:
    asked = after(CALLS, started())
    told = after(CALLS, Returned(at=NOON, step=0, code="http.timeout", message="too slow"), run=asked.run)
    assert said(told) == ["http.timeout at look"]


def test_a_failure_without_a_status_is_of_no_class_of_them() -> None:
    look = Http(method="GET", url="https://shop.example/", next="end", on_error={"xx": "wrong", "other": "sorry"})
    nodes: dict[str, Node] = {"look": look, "wrong": Message(text="Wrong.", next="end"), "sorry": Message(text="Sorry.", next="end")}
    script = compile_flow(FlowRef("tried", 1), Flow(flow="tried", nodes=nodes))
    asked = after(script, started())
    assert said(after(script, Returned(at=NOON, step=0, code="http.timeout", message="too slow"), run=asked.run)) == ["Sorry."]


def test_a_wait_until_a_moment_ends_at_its_very_millisecond() -> None:
    moment = "2038-05-13T11:15:53.357"  # as seconds it is a float that lies a little below
    pause = after(compiled(f"a: {{type: wait, until: '{moment}Z', next: end}}"), started()).run.pause
    assert pause is not None
    assert pause.due % 1_000 == 357


def test_a_stored_run_comes_back_as_it_was() -> None:
    script = compiled(ASK)
    run = after(script, started()).run
    assert decode_run(encode_run(run)) == run
    assert encode_run(decode_run(encode_run(run))) == encode_run(run)


def test_progress_is_that_of_the_last_node_that_names_one() -> None:
    script = compiled("a: {type: message, text: A, progress: 40, next: b}, b: {type: ask, prompt: B, next: end}")
    assert after(script, started()).run.progress == 40
