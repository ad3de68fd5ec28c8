"""Requests in a test are answered by its stubs: nothing leaves, nobody waits, and whatever is missing or left over fails the test."""

import socket
from typing import Any, NoReturn

import msgspec
import pytest

from engine.model.run import Run
from engine.runtime.store.rows import RunRow
from engine.testing.conversations import Failed, TestResult, covered, describe, missed, perform_tests, run_tests
from engine.testing.conversations.memories import LivingRuns, SeededRuns
from tests.testing.places import read_flow, read_tests

SHOP = """
flow: shop
intent: {}
nodes:
  ask: {type: ask, prompt: Which?, timeout: {after: 5m, next: look}, next: look}
  look:
    type: http
    method: GET
    url: "https://shop.example/{{ vars.ask | default('none', true) }}"
    headers: {X-Who: "{{ vars.ask }}"}
    retries: 3
    save: answer
    on_error: {404: none, 4xx: odd, http.dns: lost, other: sorry}
    next: told
  told: {type: emit, event: order.seen, data: {order: "{{ vars.ask }}"}, next: say}
  say: {type: message, text: "{{ vars.answer.text }} {{ now | date('HH:mm:ss') }}", next: end}
  none: {type: message, text: None., next: end}
  odd: {type: message, text: Odd., next: end}
  lost: {type: message, text: Lost., next: end}
  sorry: {type: message, text: "{{ vars.error.code }} {{ vars.error.status }}", next: end}
"""
FLOW = read_flow(SHOP)
BEGIN = "- trigger: hi\n- bot: Which?\n- user: A-1"


def played(stubs: str, steps: str, flow: str = SHOP) -> TestResult:
    """The result of one test of the flow; its steps begin in line 6."""
    loaded = read_flow(flow)
    indented = "\n".join(f"    {line}" for line in steps.splitlines())
    test_file = read_tests(f"flow: {loaded.flow}\ntests:\n  - name: it\n    stubs: {stubs}\n    steps:\n{indented}\n")
    return run_tests(test_file, {loaded.flow: loaded})[0]


def failure(result: TestResult) -> Failed:
    assert isinstance(result.outcome, Failed), describe(result)
    return result.outcome


def changes(failed: Failed) -> list[str]:
    return [line for line in failed.difference if line[0] in "+-"]


def test_a_request_without_a_stub_fails_the_test_at_the_step_that_led_to_it() -> None:
    failed = failure(played("{}", BEGIN))
    assert (failed.message, failed.line, failed.key) == ("`look` sends a request, and there is no stub for it", 8, "user")
    assert failed.difference == ("+ GET https://shop.example/A-1",)


def test_a_stub_with_a_name_that_is_nearly_right_is_hinted_at() -> None:
    assert failure(played("{loook: [{}]}", BEGIN)).message.endswith("there is no stub for it (did you mean `loook`?)")


def test_a_request_for_which_too_few_stubs_are_left_says_how_many_were_used() -> None:
    failed = failure(played("{look: [{status: 500}, {status: 500}]}", BEGIN))
    assert failed.message == "`look` sends a request, and its stubs are used up, 2 of 2"


def test_stubs_that_are_left_over_fail_the_test() -> None:
    assert failure(played("{look: [{}, {}]}", f"{BEGIN}\n- bot: any")).message == "1 stub for `look` left over"


@pytest.mark.parametrize("stub", ["{result: 1}", "{usage: {prompt_tokens: 1}}", "{error: {code: broken}}"])
def test_a_stub_that_is_no_answer_to_a_request_fails_the_test(stub: str) -> None:
    assert failure(played(f"{{look: [{stub}]}}", BEGIN)).message.startswith("a stub for `look` is no answer to a request: write `status`")


def test_tries_come_at_once_whatever_the_answers_ask_for_and_no_clock_moves() -> None:
    busy = "{status: 503, headers: {Retry-After: '30'}}"
    result = played(
        f"{{look: [{busy}, {busy}, {busy}, {{text: fine}}]}}", f"{BEGIN}\n- bot: fine 09:00:00\n- sent: [{{}}, {{}}, {{}}, {{}}]"
    )
    assert describe(result).endswith("passed: it")
    assert result.seconds < 20


def test_no_name_is_looked_up_and_no_connection_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("the network was reached for")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert played("{look: [{text: fine}]}", f"{BEGIN}\n- bot: any").passed


def test_a_request_that_a_deadline_leads_to_is_answered_before_the_next_step() -> None:
    steps = ["trigger: hi", "bot: Which?", "advance: 10m", "bot: fine 09:05:00", "sent: [{node: look}]", "status: completed"]
    assert describe(played("{look: [{text: fine}]}", "\n".join(f"- {step}" for step in steps))).endswith("passed: it")


def test_a_request_that_may_not_leave_takes_no_stub() -> None:
    steps = "- trigger: hi\n- bot: Which?\n- user: {ask: \"a\\nb\"}\n- bot: 'http.blocked '\n- sent: []"
    assert describe(played("{}", steps)).endswith("passed: it")


def test_an_answer_is_read_like_one_from_the_network() -> None:
    kind = "Content-Type: application/json; charset=latin-1"
    body = 'text: \'{"name": "Ådå"}\''
    saved = f"{{status: 200, headers: {{{kind.lower()}}}, json: {{name: Ådå}}, {body}, retries: 0}}"
    stub = f"{{status: 200, headers: {{{kind}, Set-Cookie: a=b}}, {body}}}"
    assert describe(played(f"{{look: [{stub}]}}", f"{BEGIN}\n- bot: any\n- vars: {{answer: {saved}}}")).endswith("passed: it")


def test_an_answer_that_is_too_large_is_the_failure_that_it_would_be() -> None:
    result = played(f"{{look: [{{text: {'x' * 262_145}}}]}}", f"{BEGIN}\n- bot: http.response_size 200")
    assert describe(result).endswith("passed: it")


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ("[]", ['+ {"node": "look", "method": "GET", "url": "https://shop.example/A-1"}']),
        ("[{method: POST}]", ['- {"method": "POST"}', '+ {"method": "GET"}']),
        ("[{node: look}, {node: look}]", ['- {"node": "look"}']),
        ("[{headers: {x-WHO: me}}]", ['- {"headers": {"x-who": "me"}}', '+ {"headers": {"x-who": "A-1"}}']),
        ("[{json: {a: 1}}]", ['- {"json": {"a": 1}}', '+ {"json": null}']),
    ],
)
def test_requests_other_than_those_named_are_shown_against_them(expected: str, shown: list[str]) -> None:
    failed = failure(played("{look: [{}]}", f"{BEGIN}\n- bot: any\n- sent: {expected}"))
    assert (failed.message, changes(failed)) == ("other requests were sent", shown)


@pytest.mark.parametrize(
    ("expected", "shown"),
    [
        ("[]", ['+ {"event": "order.seen", "data": {"order": "A-1"}}']),
        ("[{event: order.lost}]", ['- {"event": "order.lost"}', '+ {"event": "order.seen"}']),
        (
            "[{event: order.seen, data: {}}]",
            ['- {"event": "order.seen", "data": {}}', '+ {"event": "order.seen", "data": {"order": "A-1"}}'],
        ),
    ],
)
def test_events_other_than_those_named_are_shown_against_them(expected: str, shown: list[str]) -> None:
    failed = failure(played("{look: [{}]}", f"{BEGIN}\n- bot: any\n- emitted: {expected}"))
    assert (failed.message, changes(failed)) == ("other events were sent to webhooks", shown)


def test_each_run_has_requests_and_events_of_its_own() -> None:
    second = f"{BEGIN.replace('A-1', 'B-2')}\n- bot: any\n- sent: [{{url: https://shop.example/B-2}}]\n- emitted: [{{event: order.seen}}]"
    first = "- run: 1\n- sent: [{url: https://shop.example/A-1}]\n- emitted: [{event: order.seen, data: {order: A-1}}]"
    assert describe(played("{look: [{}, {}]}", f"{BEGIN}\n- bot: any\n{second}\n{first}")).endswith("passed: it")


class Swapping(SeededRuns):
    """Asks for something else whenever a run that waits is loaded."""

    def recall(self, row: RunRow) -> Run:
        run = super().recall(row)
        return run if run.pending is None else msgspec.structs.replace(run, frames=(*run.frames[:-1], _renamed(run)))


def _renamed(run: Run) -> Any:
    return msgspec.structs.replace(run.frame, variables={**run.frame.variables, "ask": "other"})


async def test_what_changes_while_a_call_is_under_way_is_seen_by_playing_the_test_in_both_ways() -> None:
    test = read_tests("flow: shop\ntests: [{name: it, stubs: {look: [{}]}, steps: [{trigger: a}, {bot: any}, {user: A-1}, {bot: any}]}]")
    (result,) = await perform_tests(test, {"shop": FLOW}, modes=(LivingRuns, SeededRuns))
    assert result.passed
    steps = "[{trigger: a}, {bot: any}, {user: A-1}, {bot: any}, {vars: {ask: A-1}}]"
    test = read_tests(f"flow: shop\ntests: [{{name: it, stubs: {{look: [{{}}]}}, steps: {steps}}}]")
    (result,) = await perform_tests(test, {"shop": FLOW}, modes=(LivingRuns, Swapping))
    assert failure(result).message == "the conversation goes another way when its runs are stored and loaded between turns"


@pytest.mark.parametrize(
    ("stub", "branch"),
    [
        ("{status: 404}", "error:404"),
        ("{status: 410}", "error:4xx"),
        ("{status: 304}", "next"),
        ("{error: blocked}", "error:other"),
    ],
)
def test_a_failure_covers_the_branch_of_the_key_that_it_took(stub: str, branch: str) -> None:
    result = played(f"{{look: [{stub}]}}", f"{BEGIN}\n- bot: any")
    branches = {"error:404", "error:4xx", "error:http.dns", "error:other", "next"}
    assert {edge for node, edge in covered(FLOW, result.visits) if node == "look"} & branches == {branch}
    assert {edge for node, edge in missed(FLOW, result.visits) if node == "look"} == branches - {branch}
