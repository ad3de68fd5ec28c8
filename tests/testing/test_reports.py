"""What machines get: JUnit XML, and the branches that tests have reached."""

from xml.etree import ElementTree as ET

import msgspec

from engine.loading import Source, load_flows
from engine.model.effects import Visit
from engine.testing.conversations import Failed, Share, branches_of, coverage, covered, junit_xml, missed, run_tests
from engine.testing.conversations.coverage import Spot
from engine.testing.conversations.results import Line
from tests.testing.places import BAD, FLOWS, GOOD, PARCEL, read_flow, read_tests, text_of

SHOP = """
flow: shop
commands:
  - {say: [agent, human], next: bye}
  - {say: [help], reply: Type a size.}
nodes:
  size:
    type: choice
    prompt: Which size?
    options: {each: "[1, 2]", do: {value: "{{ item }}"}}
    remind: [{after: 1m, text: Still there?}, {after: 2m, text: And now?}]
    timeout: {after: 5m, next: bye}
    next: draw
  draw:
    type: split
    branches: [{weight: 1, next: pay}, {weight: 0, next: bye}, {weight: 2, next: pay}]
  pay: {type: call, flow: till, on_expired: bye, on_failed: rest, next: rest}
  rest:
    type: wait
    any: [{name: soon, for: 1m}, {name: late, for: 2m}]
    routes: {soon: bye, late: away}
    next: bye
  away: {type: jump, flow: till}
  bye: {type: wait, for: 1m, timeout: {after: 2m, next: end}, next: end}
"""
TILL = "flow: till\nnodes:\n  say: {type: message, text: Hi., next: ask}\n  ask: {type: ask, prompt: Paid?, input: boolean, next: end}\n"
SHOPPING = read_tests("""
flow: shop
tests:
  - name: pays
    given: {seed: 1}
    steps:
      - trigger: hi
      - bot: any
      - user: help
      - bot: any
      - user: "1"
      - bot: any
      - advance: 2d
  - name: leaves
    steps: [{trigger: hi}, {bot: any}, {user: human}]
""")


def test_a_junit_document_has_a_suite_for_each_file_and_a_case_for_each_test() -> None:
    good, bad = run_tests(GOOD, FLOWS), run_tests(BAD, FLOWS)
    root = ET.fromstring(junit_xml([*good, *bad]))  # noqa: S314 - our own document
    assert (root.get("tests"), root.get("failures")) == (str(len(good) + len(bad)), str(len(bad)))
    assert [suite.get("name") for suite in root] == ["good.test.yaml", "bad.test.yaml"]
    assert [case.get("name") for case in root.iter("testcase")] == [result.name for result in [*good, *bad]]
    assert [len(suite.findall("testcase/failure")) for suite in root] == [0, len(bad)]


def test_a_junit_failure_holds_the_place_and_the_difference() -> None:
    case = ET.fromstring(junit_xml(run_tests(BAD, FLOWS, only="the status")))[0][0]  # noqa: S314 - our own document
    failure = case[0]
    assert (case.get("classname"), failure.get("message"), failure.get("type")) == ("parcel", "the run has another status", "status")
    assert (failure.text or "").splitlines()[:4] == [
        "bad.test.yaml:67",
        "step 3 (status): the run has another status",
        '  - "completed"',
        '  + "waiting_input"',
    ]


def test_characters_that_xml_cannot_hold_do_not_break_the_document() -> None:
    result = run_tests(BAD, FLOWS, only="the status")[0]
    hostile = Failed("\x00<&>", 1, transcript=(Line("user", "]]>\x1b[31m\ud800"),))
    root = ET.fromstring(junit_xml([msgspec.structs.replace(result, outcome=hostile)]))  # noqa: S314 - our own document
    assert root[0][0][0].get("message") == "\ufffd<&>"


def test_the_branches_of_a_flow_are_the_ways_that_its_author_has_written() -> None:
    assert branches_of(PARCEL) == {
        ("hello", "next"),
        ("ask_number", "next"),
        ("ask_number", "invalid"),
        ("ask_number", "exhausted"),
        ("ask_number", "timeout"),
        ("count", "next"),
        ("known", "case:0"),
        ("known", "else"),
        ("card", "next"),
        ("what_now", "option:again"),
        ("what_now", "option:leave"),
        ("delivery", "next"),
        ("sorry", "next"),
        ("failed", "ends"),
        ("too_late", "next"),
        ("done", "ends"),
    }


def test_an_ask_goes_on_at_next_only_where_an_answer_has_no_route() -> None:
    flow = read_flow("""
flow: routes
nodes:
  sure: {type: ask, prompt: Sure?, input: boolean, routes: {"true": size, "false": end}, next: end}
  size: {type: ask, prompt: Size?, input: select, options: [{value: s}, {value: m}, {value: l}], routes: {s: end}, next: maybe}
  maybe: {type: ask, prompt: Sure?, input: boolean, required: false, routes: {"true": end, "false": end}, next: once}
  once: {type: ask, prompt: Name?, attempts: 1, on_exhausted: end, next: end}
""")
    assert branches_of(flow) == {
        ("sure", "route:true"),
        ("sure", "route:false"),
        ("size", "route:s"),
        ("size", "next"),
        ("maybe", "route:true"),
        ("maybe", "route:false"),
        ("maybe", "next"),
        ("once", "next"),
        ("once", "exhausted"),
    }


def test_every_type_of_node_has_its_branches_and_a_command_is_one_of_the_flow() -> None:
    assert branches_of(read_flow(SHOP)) == {
        ("size", "next"),
        ("size", "reminded"),
        ("size", "timeout"),
        ("draw", "branch:0"),
        ("draw", "branch:2"),
        ("pay", "next"),
        ("pay", "expired"),
        ("pay", "error"),
        ("rest", "route:soon"),
        ("rest", "route:late"),
        ("away", "jumps"),
        ("bye", "next"),
        ("bye", "timeout"),
        ("commands", "command:agent"),
        ("commands", "command:help"),
    }


def test_commands_of_a_flow_without_questions_can_never_be_said() -> None:
    flow = read_flow("flow: quiet\ncommands: [{say: [help], reply: Hi.}]\nnodes: {say: {type: message, text: Hi., next: end}}\n")
    assert branches_of(flow) == {("say", "next")}


def test_nodes_and_branches_are_counted_and_placed_in_the_file_subflows_included() -> None:
    sources = [Source("shop.yaml", SHOP), Source("till.yaml", TILL)]
    flows = {one.flow.flow: one.flow for one in load_flows(sources) if one.flow is not None}
    results = run_tests(SHOPPING, flows)
    assert [result.passed for result in results] == [True, True]
    shop, till = (
        coverage(flow, source, [visit for result in results for visit in result.visits])
        for flow, source in zip(flows.values(), sources, strict=True)
    )
    assert (till.nodes, till.branches) == (Share(2, 2), Share(1, 2))
    assert till.missed == (Spot("ask", "next", 4),)
    assert (shop.file, shop.nodes, shop.branches) == ("shop.yaml", Share(4, 6), Share(6, 15))
    assert [(spot.line, spot.node, spot.branch) for spot in shop.missed if spot.branch is None] == [(18, "rest", None), (23, "away", None)]
    assert [(spot.line, spot.node, spot.branch) for spot in shop.missed if spot.branch is not None] == [
        (11, "size", "reminded"),
        (12, "size", "timeout"),
        (16, "draw", "branch:0"),
        (17, "pay", "next"),
        (17, "pay", "error"),
        (21, "rest", "route:soon"),
        (21, "rest", "route:late"),
        (23, "away", "jumps"),
        (24, "bye", "timeout"),
    ]


def test_of_a_flow_that_no_test_has_visited_nothing_is_reached() -> None:
    told = coverage(PARCEL, Source("parcel.yaml", text_of("parcel.yaml")), [])
    assert (told.nodes.reached, told.branches.reached) == (0, 0)
    assert len(told.missed) == told.nodes.total + told.branches.total


def test_tests_that_reach_every_branch_miss_none() -> None:
    assert missed(PARCEL, [visit for result in run_tests(GOOD, FLOWS) for visit in result.visits]) == []


def test_what_no_test_reaches_is_missed_in_the_order_of_the_flow() -> None:
    (result,) = run_tests(GOOD, FLOWS, only="the last wrong number")
    assert missed(PARCEL, result.visits) == [
        ("ask_number", "next"),
        ("ask_number", "timeout"),
        ("count", "next"),
        ("known", "case:0"),
        ("known", "else"),
        ("card", "next"),
        ("what_now", "option:again"),
        ("what_now", "option:leave"),
        ("delivery", "next"),
        ("too_late", "next"),
        ("done", "ends"),
    ]


def test_a_branch_for_failures_is_covered_by_any_failure_and_other_flows_do_not_count() -> None:
    visits = [Visit("parcel", "call", "http", 1, "error:http.timeout", "sorry"), Visit("b", "call", "http", 1, "next", "end")]
    assert covered(PARCEL, visits) == {("call", "error")}
