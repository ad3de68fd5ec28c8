"""What comes from outside is a step of a test: events, results of tasks, callbacks; what comes late does nothing."""

import pytest

from engine.testing.conversations import Failed, TestResult, describe, run_tests
from tests.testing.places import read_flow, read_tests

PAYING = """
flow: paying
intent: {}
on_event: {name: order.made, match: {shop: main}}
nodes:
  begin: {type: http, method: POST, url: "https://bank.example/", json: {tell: "{{ callbacks.paid }}"}, on_error: end, next: paid}
  paid:
    type: wait
    any:
      - {name: told, event: order.paid, match: {id: A-1}}
      - {name: late, for: 15m}
    routes: {late: late}
    save: came
    next: thanks
  thanks: {type: message, text: "{{ vars.came.data.status }} {{ trigger.data.id if trigger.data else '' }}", next: again}
  again: {type: choice, prompt: Again?, options: [{value: yes, next: begin}, {value: no, next: end}]}
  late: {type: message, text: Late., next: end}
"""
CHECKING = """
flow: checking
intent: {}
nodes:
  look:
    type: task
    queue: documents
    save: verdict
    on_error: {unreadable: again, other: sorry}
    timeout: {after: 10m, next: sorry}
    next: told
  again: {type: message, text: "Again: {{ vars.error.message }}", next: look}
  told: {type: message, text: "{{ vars.verdict.ok }}", next: ask}
  ask: {type: ask, prompt: More?, next: end}
  sorry: {type: message, text: "Sorry.", next: end}
"""


def played(flow: str, steps: str, stubs: str = "{}") -> TestResult:
    """The result of one test of the flow; its steps begin in line 6."""
    loaded = read_flow(flow)
    indented = "\n".join(f"    {line}" for line in steps.strip().splitlines())
    test_file = read_tests(f"flow: {loaded.flow}\ntests:\n  - name: it\n    stubs: {stubs}\n    steps:\n{indented}\n")
    return run_tests(test_file, {loaded.flow: loaded})[0]


def failure(result: TestResult) -> Failed:
    assert isinstance(result.outcome, Failed), describe(result)
    return result.outcome


CALLED = "{begin: [{status: 201}]}"
TWICE = "{begin: [{status: 201}, {status: 201}]}"
GOOD = [
    (PAYING, CALLED, "- trigger: hi\n- event: {name: order.paid, data: {id: A-1, status: ok}}\n- bot: 'ok '\n- bot: Again?"),
    (PAYING, CALLED, "- trigger: hi\n- event: {name: order.paid, data: {id: A-2}}\n- event: {name: else}\n- status: waiting_time"),
    (PAYING, CALLED, "- trigger: hi\n- callback: {node: paid, body: {status: card}}\n- bot: 'card '\n- bot: Again?"),
    (PAYING, CALLED, "- event: {name: order.made, data: {shop: other}}\n- trigger: hi\n- expect: {kind: event, node: paid}"),
    (
        PAYING,
        CALLED,
        """
- event: {name: order.made, data: {shop: main, id: A-7}}
- status: waiting_time
- callback: {node: paid, body: {status: card}}
- bot: card A-7
- bot: Again?
- user: "no"
- status: completed
""",
    ),
    (
        PAYING,
        TWICE,
        """
- event: {name: order.made, data: {shop: main, id: A-7}}
- event: {name: order.made, data: {shop: main, id: A-8}}
- callback: {node: paid, body: {status: second}}
- bot: second A-8
- bot: Again?
- run: 1
- callback: {node: paid, body: {status: first}}
- bot: first A-7
- bot: Again?
""",
    ),
    (
        PAYING,
        TWICE,
        """
- trigger: hi
- callback: {node: paid, body: {status: card}}
- bot: any
- callback: {node: paid, body: {status: card}}
- callback: {node: paid, body: {status: cash}}
- status: waiting_input
- user: "yes"
- status: waiting_time
- callback: {node: paid, body: {status: gold}}
- bot: 'gold '
- bot: Again?
- user: "no"
- callback: {node: paid}
- event: {name: order.paid, data: {id: A-1}}
- status: completed
""",
    ),
    (
        PAYING,
        TWICE,
        """
- trigger: hi
- callback: {node: paid, body: {status: card}}
- bot: any
- event: {name: order.paid, data: {id: A-1, status: early}}
- status: waiting_input
- user: "yes"
- bot: 'early '
- bot: Again?
""",
    ),
    (CHECKING, "{}", "- trigger: hi\n- task: {node: look, result: {ok: true}}\n- bot: 'true'\n- bot: More?"),
    (
        CHECKING,
        "{}",
        """
- trigger: hi
- task: {node: look, error: {code: unreadable, message: blurred}}
- bot: "Again: blurred"
- expect: {kind: task, node: look}
- task: {node: look, result: {ok: false}}
- bot: "false"
- bot: More?
- task: {node: look, result: {ok: true}}
- status: waiting_input
""",
    ),
    (CHECKING, "{}", "- trigger: hi\n- advance: 10m\n- bot: Sorry.\n- task: {node: look, result: {ok: true}}\n- status: completed"),
    (CHECKING, "{look: [{result: {ok: 1}}]}", "- trigger: hi\n- bot: '1'\n- bot: More?\n- path: [look, told, ask]"),
    (
        CHECKING,
        "{look: [{error: {code: unreadable, message: dark}}, {error: {code: lost}}]}",
        "- trigger: hi\n- bot: 'Again: dark'\n- bot: Sorry.\n- status: completed",
    ),
]


@pytest.mark.parametrize(("flow", "stubs", "steps"), GOOD)
def test_what_comes_from_outside_moves_the_runs_that_wait_for_it(flow: str, stubs: str, steps: str) -> None:
    result = played(flow, steps, stubs)
    assert result.passed, describe(result)


BAD = [
    (PAYING, CALLED, "- trigger: hi\n- callback: {node: pait}", "there is no wait `pait` (did you mean `paid`?)"),
    (PAYING, "{}", "- callback: {node: paid}", "no run has been started: a test begins with `trigger`"),
    (PAYING, CALLED, "- trigger: hi\n- task: {node: begin}", "there is no task `begin`"),
    (CHECKING, "{}", "- trigger: hi\n- callback: {node: look}", "there is no wait `look`"),
    (CHECKING, "{look: [{status: 200}]}", "- trigger: hi", "a stub for `look` is no end of a task: write `result`, or an `error` with"),
    (CHECKING, "{look: [{error: timeout}]}", "- trigger: hi", "a stub for `look` is no end of a task: write `result`, or an `error` with"),
    (CHECKING, "{look: [{result: 1}, {result: 2}]}", "- trigger: hi\n- bot: any", "1 stub for `look` left over"),
    (PAYING, CALLED, "- trigger: hi\n- event: {name: order.paid, data: {id: A-1}}\n- trigger: hi", "more was said than the test names"),
]


@pytest.mark.parametrize(("flow", "stubs", "steps", "message"), BAD)
def test_a_step_that_nothing_could_come_of_fails_the_test(flow: str, stubs: str, steps: str, message: str) -> None:
    assert failure(played(flow, steps, stubs)).message.startswith(message)


def test_an_address_that_nobody_was_given_cannot_be_called() -> None:
    flow = PAYING.replace("begin: {type: http", "other: {type: ask, prompt: Who?, next: begin}\n  begin: {type: http")
    told = failure(played(flow, "- trigger: hi\n- bot: Who?\n- callback: {node: paid}")).message
    assert told == "nobody knows the address of `paid`: `callbacks.paid` has not left the run yet"


def test_a_task_that_was_never_put_into_its_queue_cannot_be_done() -> None:
    flow = CHECKING.replace("  look:\n", "  first: {type: ask, prompt: Who?, next: look}\n  look:\n")
    told = failure(played(flow, "- trigger: hi\n- bot: Who?\n- task: {node: look, result: {}}")).message
    assert told == "`look` has put no task into its queue: the run is waiting_input"
