"""Conversations that go as their tests say, those that do not, and what is printed of them."""

import pytest

from engine.runtime.replies import TurnReply
from engine.testing.conversations import Failed, TestResult, describe, run_tests
from engine.testing.conversations.scene import Scene
from tests.testing.places import BAD, FLOWS, GOOD, read_flow, read_tests, text_of

SAYS_NOW = """
flow: clock
timezone: Europe/Berlin
intent: {}
nodes:
  say: {type: message, text: "{{ now | date('yyyy-MM-dd HH:mm') }} {{ run.locale }} {{ conversation.plan }} {{ trigger.text }}", next: end}
"""


def only_result(flow: str, steps: str, given: str = "{}") -> TestResult:
    """The result of one test of the flow."""
    loaded = read_flow(flow)
    indented = "\n".join(f"      {line}" for line in steps.strip().splitlines())
    test_file = read_tests(f"flow: {loaded.flow}\ntests:\n  - name: it\n    given: {given}\n    steps:\n{indented}\n")
    return run_tests(test_file, {loaded.flow: loaded})[0]


def failure(result: TestResult) -> Failed:
    assert isinstance(result.outcome, Failed), describe(result)
    return result.outcome


def test_conversations_that_go_as_their_tests_say_pass() -> None:
    assert [describe(result) for result in run_tests(GOOD, FLOWS) if not result.passed] == []


def test_every_conversation_that_goes_otherwise_fails() -> None:
    assert [result.name for result in run_tests(BAD, FLOWS) if result.passed] == []


def test_what_is_printed_of_a_failure_shows_what_was_said_against_what_was_expected() -> None:
    printed = "\n\n".join(describe(result) for result in run_tests(BAD, FLOWS)) + "\n"
    assert printed == text_of("failures.txt")


BREAKS = """
flow: breaks
intent: {}
nodes:
  try_it: {type: http, method: GET, url: "https://shop.example/", on_error: count, next: count}
  count: {type: set, values: {many: "{{ trigger.text | FILTER }}"}, next: done}
  done: {type: end, status: failed, code: CODE}
"""
STUBBED = """
flow: breaks
tests:
  - name: it
    stubs: {try_it: [{error: timeout}]}
    steps: [{trigger: x}, {status: completed}]
"""


@pytest.mark.parametrize(
    ("word", "code", "why"),
    [
        ("number", "no.stock", "expression.type at count: A number is needed here, not a text."),
        ("upper", "no.stock", "no.stock"),
        ("upper", "http.timeout", "http.timeout at try_it: The test says so."),
    ],
    ids=["a node that fails", "an end that says so", "an end that passes on what failed"],
)
def test_a_run_that_fails_tells_its_code_and_the_node_and_the_message_where_they_are_known(word: str, code: str, why: str) -> None:
    flow = read_flow(BREAKS.replace("FILTER", word).replace("CODE", code))
    result = run_tests(read_tests(STUBBED), {"breaks": flow})[0]
    assert failure(result).transcript[-1].what == f"(failed: {why})"


def test_results_are_the_same_every_time_but_for_the_seconds() -> None:
    first, second = ([(result.outcome, result.visits) for result in run_tests(file, FLOWS)] for file in (BAD, BAD))
    assert first == second


def test_a_word_picks_the_tests_whose_names_hold_it() -> None:
    assert [result.name for result in run_tests(GOOD, FLOWS, only="Known ORDER")] == ["a known order shows its card"]


def test_a_flow_that_is_not_there_fails_every_test_of_the_file_with_a_hint() -> None:
    failed = failure(run_tests(GOOD, {"parcels": FLOWS["parcel"]})[0])
    assert (failed.message, failed.line) == ("there is no flow `parcel` (did you mean `parcels`?)", GOOD.line)


def test_the_conversation_begins_at_the_moment_in_the_language_and_with_the_variables_given() -> None:
    given = "{now: 2026-07-01T10:00:00Z, locale: de-AT, variables: {plan: pro}}"
    assert only_result(SAYS_NOW, "- trigger: hallo\n- bot: 2026-07-01 12:00 de-AT pro hallo", given).passed


def test_a_test_begins_on_a_monday_morning_unless_it_says_otherwise() -> None:
    assert only_result(SAYS_NOW, "- trigger: hi\n- bot: '2026-01-05 10:00 en  hi'").passed


def test_each_deadline_acts_at_its_own_moment() -> None:
    flow = SAYS_NOW.replace("next: end", "next: wait").replace("clock", "ticking") + (
        "  wait: {type: ask, prompt: Well?, timeout: {after: 10m, next: say}, next: end}\n"
    )
    steps = "\n".join(
        ["- trigger: a", "- bot: any", "- advance: 25m"]
        + [line for minute in (10, 20) for line in (f"- bot: '2026-01-05 10:{minute} en  a'", "- bot: Well?")]
        + ["- status: waiting_input", "- path: [say, wait, say, wait, say, wait]"]
    )
    assert only_result(flow, steps).passed


REMINDED = """
flow: patient
intent: {}
nodes:
  ask:
    type: ask
    prompt: Well?
    remind: [{after: 1m, text: Still there?}, {after: 3m, text: Hello?}]
    timeout: {after: 5m, next: bye}
    next: end
  bye: {type: message, text: Bye., next: again}
  again: {type: message, text: See you., next: end}
"""


@pytest.mark.parametrize(
    ("named", "passes"),
    [
        (["Still there?", "Hello?", "Bye.", "See you."], True),
        (["any"], True),
        (["Still there?", "any"], True),
        (["any", "Hello?", "any", "See you."], False),
        (["any", "any", "Bye.", "See you."], True),
        (["any", "Hello?", "Bye.", "any"], True),
        (["any", "Hello?"], False),
        (["any", "Bye.", "any"], False),
    ],
)
def test_the_turns_that_come_while_time_goes_by_are_named_one_by_one_and_any_covers_the_rest_of_one(named: list[str], passes: bool) -> None:
    steps = ["- trigger: a", "- bot: Well?", "- advance: 5m", *(f"- bot: {text}" for text in named), "- status: completed"]
    assert only_result(REMINDED, "\n".join(steps)).passed is passes


def test_what_a_flow_calls_is_played_with_it_and_the_variables_are_those_of_the_tested_flow() -> None:
    ask = "{type: ask, prompt: Well?, next: end}"
    shop = "{pay: {type: call, flow: till, next: away}, away: {type: jump, flow: hall}}"
    till = f"{{rest: {{type: wait, for: 1m, next: ask}}, ask: {ask}}}"
    written = [("shop", 1, shop), ("till", 2, till), ("hall", 3, f"{{ask: {ask}}}")]
    flows = {name: read_flow(f"flow: {name}\nvariables: {{n: {n}}}\nnodes: {nodes}") for name, n, nodes in written}
    tests = read_tests("""
flow: shop
tests:
  - name: it
    steps:
      - trigger: hi
      - expect: {kind: timer, node: rest, fields: [], options: [], attempts_left: null}
      - status: waiting_time
      - path: [pay, till/rest]
      - advance: 1m
      - bot: Well?
      - vars: {n: 1}
      - user: "yes"
      - bot: Well?
      - path: [till/ask, till/end, away, hall/ask]
      - vars: {n: 3}
      - user: "yes"
      - path: [hall/end]
""")
    assert [describe(result) for result in run_tests(tests, flows) if not result.passed] == []


def test_a_run_that_a_new_trigger_replaces_is_seen_to_end() -> None:
    flow = "flow: one\nintent: {}\non_trigger: replace\nnodes:\n  ask: {type: ask, prompt: Well?, next: end}"
    steps = "- trigger: a\n- bot: Well?\n- trigger: b\n- bot: Well?\n- run: 1\n- end_reason: replaced\n- expect: {kind: text}"
    failed = failure(only_result(flow, steps))
    assert failed.message == "nothing is expected: the run is aborted"
    assert "(aborted: replaced)" in [line.what for line in failed.transcript]


def test_what_breaks_on_one_conversation_is_told_and_the_others_are_played(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(scene: Scene, text: str) -> TurnReply:
        raise ZeroDivisionError(text)

    monkeypatch.setattr(Scene, "trigger", broken)
    assert {failure(result).message for result in run_tests(GOOD, FLOWS)} >= {"the engine broke: ZeroDivisionError: where is my parcel"}


def test_a_subflow_that_nobody_can_trigger_can_be_tested() -> None:
    flow = "flow: greeting\nnodes:\n  say: {type: message, text: Hello., next: end}\n"
    assert only_result(flow, "- trigger: hi\n- bot: Hello.\n- path: [say, end]").passed


def test_a_last_line_break_that_differs_is_seen() -> None:
    flow = 'flow: greeting\nnodes:\n  say: {type: message, text: "Hello.\\n", next: end}\n'
    failed = failure(only_result(flow, "- trigger: hi\n- bot: Hello."))
    assert [line for line in failed.difference if line[0] in "+-"] == ['- "Hello."', '+ "Hello.\\n"']


@pytest.mark.parametrize("text", ["{{ 7*7 }}", "any", "naïve 🦊"])
def test_what_a_person_types_comes_back_as_it_was_typed(text: str) -> None:
    flow = "flow: echo\nnodes:\n  ask: {type: ask, prompt: Well?, next: say}\n  say: {type: message, text: '{{ vars.ask }}', next: end}\n"
    steps = f"- trigger: hi\n- bot: any\n- user: '{text}'\n- bot: {{block: message, payload: {{text: '{text}'}}}}"
    assert only_result(flow, steps).passed


def test_a_long_conversation_is_cut_to_its_end() -> None:
    flow = "flow: echo\nnodes:\n  ask: {type: ask, prompt: Well?, next: ask}\n"
    steps = "\n".join(["- trigger: hi", "- bot: any", *["- user: more", "- bot: any"] * 40, "- status: failed"])
    printed = describe(only_result(flow, steps)).splitlines()
    assert printed[4:6] == ["  the conversation so far:", "    ..."]
    assert len(printed) == 36


def test_variables_that_no_conversation_can_hold_fail_the_test_before_its_first_step() -> None:
    failed = failure(only_result(SAYS_NOW, "- trigger: hi", f"{{variables: {{plan: {'x' * 17_000}}}}}"))
    assert failed.message.startswith("the conversation could not be opened")
    assert failed.step is None
