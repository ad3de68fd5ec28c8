"""Flows that call each other: what is wrong between them is reported in the files that are checked, whatever else is known."""

from engine.loading import Source, load_flow, load_flows
from engine.model.flow import Flow

ASKS = (
    "flow: asks\ninputs: {size: {type: integer}}\nnodes:\n  size: {type: ask, prompt: Size?, timeout: {after: 1h, next: end}, next: end}\n"
)
SLOW = "flow: slow\nnodes:\n  size: {type: ask, prompt: Size?, next: end}\n"
CALLS = "flow: calls\nnodes:\n  a: {type: call, flow: OTHER, next: end}\n"
PING = "flow: ping\nnodes:\n  say: {type: message, text: Hi, next: on}\n  on: {type: jump, flow: pong}\n"
PONG = "flow: pong\nnodes:\n  on: {type: call, flow: ping, next: end}\n"


def calling(name: str) -> str:
    return CALLS.replace("OTHER", name)


def together(*texts: str, published: tuple[str, ...] = ()) -> list[list[str]]:
    """What is reported of each file, as `line:column code`."""
    sources = [Source(f"{number}.yaml", text) for number, text in enumerate(texts)]
    loaded = load_flows(sources, {flow.flow: flow for flow in map(alone, published)})
    return [[f"{found.line}:{found.column} {found.code}" for found in one.diagnostics] for one in loaded]


def alone(text: str) -> Flow:
    flow = load_flow(Source("published.yaml", text)).flow
    assert flow is not None
    return flow


def test_a_call_finds_its_flow_among_the_files_before_and_after_it_and_among_the_published_ones() -> None:
    assert together(calling("asks"), ASKS) == [[], []]
    assert together(ASKS, calling("asks")) == [[], []]
    assert together(calling("asks"), published=(ASKS,)) == [[]]
    assert together(calling("asks")) == [["3:25 flow.unknown"]]


def test_a_file_that_is_loaded_without_knowing_its_neighbours_may_call_any_flow() -> None:
    assert load_flow(Source("a.yaml", calling("asks"))).diagnostics == ()
    assert [found.code for found in load_flow(Source("a.yaml", calling("asks")), {}).diagnostics] == ["flow.unknown"]


def test_a_misspelt_flow_gets_the_nearest_name_as_a_hint() -> None:
    [first, _] = load_flows([Source("a.yaml", calling("ask")), Source("b.yaml", ASKS)])
    assert [found.hint for found in first.diagnostics] == ["did you mean `asks`?"]


def test_a_flow_that_is_broken_exists_all_the_same() -> None:
    assert together(calling("asks"), ASKS.replace("next: end}\n", "next: nowhere}\n")) == [[], ["4:75 target.unknown"]]
    assert together(calling("asks"), "flow: asks\nnodes: 5\n")[0] == []


def test_a_file_counts_instead_of_the_published_flow_of_the_same_id() -> None:
    passing = "flow: calls\nnodes:\n  a: {type: call, flow: asks, inputs: {size: 5}, next: end}\n"
    other = ASKS.replace("size: {type: integer}", "length: {type: integer}")
    assert together(passing, ASKS, published=(other,)) == [[], []]
    assert together(passing, other, published=(ASKS,)) == [["3:40 input.unknown"], []]


def test_a_question_without_a_timeout_is_warned_of_in_the_file_that_is_called_and_only_when_another_flow_calls_it() -> None:
    assert together(SLOW) == [[]]
    assert together(SLOW, calling("slow")) == [["3:3 wait.no_timeout"], []]
    assert together(SLOW, published=(calling("slow"),)) == [["3:3 wait.no_timeout"]]
    assert together(calling("slow"), published=(SLOW,)) == [[]]
    assert together(SLOW + "  again: {type: call, flow: slow, next: end}\n") == [["4:3 node.unreachable"]]
    assert together(SLOW, "flow: jumps\nnodes:\n  a: {type: jump, flow: slow}\n") == [[], []]


def test_it_is_warned_of_also_where_a_call_says_what_comes_when_nobody_answers() -> None:
    patient = calling("slow").replace("next: end", "on_expired: end, next: end")
    assert together(SLOW, patient) == [["3:3 wait.no_timeout"], []]
    assert together(SLOW, published=(patient,)) == [["3:3 wait.no_timeout"]]


def test_a_wait_for_time_needs_no_timeout_since_it_ends_by_itself() -> None:
    assert together("flow: slow\nnodes:\n  a: {type: wait, for: 1h, next: end}\n", calling("slow")) == [[], []]


def test_a_task_and_a_wait_for_events_keep_a_caller_waiting_like_a_question_unless_a_moment_ends_them() -> None:
    def slow(node: str) -> str:
        return f"flow: slow\nnodes:\n  n: {{{node}, next: end}}\n"

    for node in ("type: task, queue: q", "type: wait, event: e", "type: wait, any: [{event: e}, {event: f}]"):
        assert together(slow(node), calling("slow")) == [["3:3 wait.no_timeout"], []]
        assert together(slow(node + ", timeout: {after: 1h, next: end}"), calling("slow")) == [[], []]
    assert together(slow("type: wait, any: [{event: e}, {for: 1h}]"), calling("slow")) == [[], []]


def test_the_failure_of_a_request_is_a_way_that_a_cycle_across_flows_may_take() -> None:
    def asks(on_error: str) -> str:
        node = f"{{type: http, method: GET, url: 'https://shop.example/', on_error: {on_error}, next: end}}"
        return f"flow: asks\nnodes:\n  a: {node}\n  b: {{type: jump, flow: back}}\n"

    back = "flow: back\nnodes:\n  a: {type: jump, flow: asks}\n"
    assert together(back, published=(asks("b"),)) == [["3:3 cycle.condition"]]
    assert together(back, asks("{5xx: b, other: end}")) == [["3:3 cycle.condition"], ["3:3 cycle.condition"]]


def test_a_cycle_across_flows_is_reported_in_each_file_that_has_a_part_in_it() -> None:
    assert together(PING, PONG) == [["3:3 cycle.no_wait"], ["3:3 cycle.no_wait"]]
    assert together(PING, published=(PONG,)) == [["3:3 cycle.no_wait"]]
    assert together(ASKS, published=(PING, PONG)) == [[]]


def test_a_message_names_the_nodes_of_other_flows_with_their_flow() -> None:
    [_, pong] = load_flows([Source("ping.yaml", PING), Source("pong.yaml", PONG)])
    assert [found.message for found in pong.diagnostics] == ["nothing waits in the cycle on -> ping/say -> ping/on, and nothing leaves it"]


def test_a_wait_anywhere_on_the_way_makes_it_no_cycle() -> None:
    waiting = PONG.replace("on: {type: call", "ask: {type: ask, prompt: Hm?, timeout: {after: 1h, next: end}, next: on}\n  on: {type: call")
    assert together(PING, waiting) == [[], []]
    assert together(PING, PONG.replace("flow: ping", "flow: asks"), ASKS) == [[], [], []]


def test_a_call_between_the_nodes_of_a_cycle_is_a_wait_only_if_every_way_through_its_flow_waits() -> None:
    around = "flow: around\nnodes:\n  a: {type: call, flow: asks, next: b}\n  b: {type: message, text: Hi, next: a}\n"
    sometimes = ASKS.replace(
        "nodes:\n", "start: judge\nnodes:\n  judge: {type: switch, cases: [{when: inputs.size, next: size}], else: end}\n"
    )
    never = "flow: asks\nnodes:\n  a: {type: message, text: Hi, next: end}\n"
    assert together(around, ASKS) == [[], []]
    assert together(around, sometimes) == [["3:3 cycle.condition"], []]
    assert together(around, never) == [["3:3 cycle.no_wait"], []]
    assert load_flow(Source("a.yaml", around)).diagnostics == ()


def test_a_branch_without_weight_and_a_moment_that_is_written_out_end_no_cycle_across_flows() -> None:
    split = "{type: split, branches: [{weight: 1, next: on}, {weight: 0, next: end}]}"
    chance = PING.replace("  on:", f"  maybe: {split}\n  on:").replace("next: on}\n", "next: maybe}\n", 1)
    once = PONG.replace("on: {type: call", "on: {type: wait, until: 2090-01-01, next: call}\n  call: {type: call")
    assert together(chance, PONG) == [["3:3 cycle.no_wait"], ["3:3 cycle.no_wait"]]
    assert together(PING, once) == [["3:3 cycle.no_wait"], ["3:3 cycle.no_wait"]]
    assert together(PING, published=(once,)) == [["3:3 cycle.no_wait"]]
    [first, _] = load_flows([Source("once.yaml", once), Source("ping.yaml", PING)])
    assert [found.hint for found in first.diagnostics] == ["a moment that is written out is waited for once"]


def test_two_files_of_the_same_id_are_each_looked_at() -> None:
    assert together(PING.replace("pong", "ping"), PING.replace("pong", "ping")) == [
        ["3:3 cycle.no_wait"],
        ["1:7 flow.duplicate"],
    ]
