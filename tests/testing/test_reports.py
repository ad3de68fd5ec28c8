"""What machines get: JUnit XML, and the branches that tests have reached."""

from xml.etree import ElementTree as ET

import msgspec

from engine.model.effects import Visit
from engine.testing.conversations import Failed, branches_of, covered, junit_xml, missed, run_tests
from engine.testing.conversations.results import Line
from tests.testing.places import BAD, FLOWS, GOOD, PARCEL, read_flow


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
