"""`baton test`."""

import json
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Baton
from tests.support.pace import pace
from tests.support.server import environment

TESTS = """\
flow: greeting
tests:
  - name: greets by name
    steps: [{trigger: hi}, {bot: Who are you?}, {user: Ada}, {bot: "Hello, Ada."}, {status: completed}]
  - name: is rude
    steps: [{trigger: hi}, {bot: What?}]
"""


@pytest.fixture
def tests(flows: Path) -> Path:
    (flows / "greeting.test.yaml").write_text(TESTS)
    return flows


def test_failures_are_told_readably_with_a_summary(baton: Baton, tests: Path) -> None:
    result = baton("test")
    assert result.exit_code == 1
    assert "flows/greeting.test.yaml:6: failed: is rude" in result.stdout
    assert "- What?" in result.stdout
    assert "+ Who are you?" in result.stdout
    assert result.stdout.endswith("1 passed, 1 failed.\n")


def test_a_word_chooses_among_the_tests(baton: Baton, tests: Path) -> None:
    result = baton("test", "flows", "-k", "NAME")
    assert (result.exit_code, result.stdout) == (0, "1 passed, 0 failed.\n")
    assert baton("test", "-k", "nothing like it").exit_code == 1


def test_chaos_goes_unnoticed_with_any_seed_and_a_failure_stays_what_it_is(baton: Baton, tests: Path) -> None:
    calm = baton("test").stdout
    assert baton("test", "--chaos").stdout == calm
    assert baton("test", "--chaos", "--seed", "7").stdout == calm
    assert baton("test", "--chaos", "--seed", "x").exit_code == 2


def test_a_junit_report_is_written(baton: Baton, tests: Path) -> None:
    baton("test", tests / "greeting.test.yaml", "--junit", "report.xml")
    report = ET.parse("report.xml").getroot()  # noqa: S314 - it was written a line above
    assert (report.get("tests"), report.get("failures")) == ("2", "1")


@pytest.mark.parametrize("name", ["greeting.yaml", "greeting.test.yaml"])
def test_a_broken_file_is_told_and_exits_with_1(name: str, baton: Baton, tests: Path) -> None:
    (tests / "greeting.test.yaml").write_text(TESTS.partition("  - name: is rude")[0])
    assert baton("test").exit_code == 0
    with (tests / name).open("a") as file:
        file.write("surprise: true\n")
    result = baton("test")
    assert result.exit_code == 1
    assert f"{name}:" in result.stdout
    assert "1 file broken" in result.stdout


def test_a_flow_in_the_place_of_its_tests_is_wrong_use_that_says_where_they_are(baton: Baton, tests: Path) -> None:
    result = baton("test", "flows/greeting.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("Error: flows/greeting.yaml is a flow; its tests are in flows/greeting.test.yaml.\n")
    (tests / "greeting.test.yaml").rename("other.yaml")
    assert "its tests belong into flows/greeting.test.yaml, which is not there." in baton("test", "flows/greeting.yaml").stderr
    assert "is a flow" not in baton("test", "other.yaml").stdout


def test_a_broken_file_is_an_error_of_the_report(baton: Baton, tests: Path) -> None:
    with (tests / "greeting.test.yaml").open("a") as file:
        file.write("surprise: true\n")
    assert baton("test", "--junit", "report.xml").exit_code == 1
    report = ET.parse("report.xml").getroot()  # noqa: S314 - it was written a line above
    assert (report.get("tests"), report.get("errors")) == ("1", "1")
    error = report.find("testsuite/testcase/error")
    assert error is not None
    assert error.get("type") == "key.unknown"
    assert "greeting.test.yaml:" in str(error.text)


def test_the_tests_of_a_flow_that_has_errors_say_that_it_has_and_not_that_it_is_missing(baton: Baton, tests: Path) -> None:
    with (tests / "greeting.yaml").open("a") as file:
        file.write("surprise: true\n")
    assert "the flow `greeting` has errors" in baton("test").stdout
    assert "there is no flow" not in baton("test").stdout


def test_the_tests_of_one_file_are_not_kept_up_by_errors_of_flows_that_they_have_nothing_to_do_with(baton: Baton, tests: Path) -> None:
    (tests / "greeting.test.yaml").write_text(TESTS.partition("  - name: is rude")[0])
    (tests / "half_done.yaml").write_text("flow: half_done\nnodes: {hello: {type: message, text: Hi}}\n")
    assert baton("test", tests / "greeting.test.yaml").exit_code == 0
    assert "half_done.yaml:2:9: error target.missing" in baton("test").stdout
    greeting = (tests / "greeting.yaml").read_text()
    (tests / "greeting.yaml").write_text(greeting.replace("next: end", "next: more") + "  more: {type: jump, flow: half_done}\n")
    assert "half_done.yaml:2:9: error target.missing" in baton("test", tests / "greeting.test.yaml").stdout


def test_flows_of_a_named_folder_may_call_those_of_the_folders_in_it(baton: Baton, tests: Path) -> None:
    (tests / "shared").mkdir()
    (tests / "shared" / "farewell.yaml").write_text("flow: farewell\nnodes: {bye: {type: message, text: Bye!, next: end}}\n")
    greeting = (tests / "greeting.yaml").read_text()
    (tests / "greeting.yaml").write_text(greeting.replace("next: end", "next: more") + "  more: {type: jump, flow: farewell}\n")
    (tests / "greeting.test.yaml").write_text(TESTS.partition("  - name: is rude")[0].replace("{status", "{bot: Bye!}, {status"))
    assert baton("test", "flows").stdout == "1 passed, 0 failed.\n"
    (tests / "shared" / "farewell.yaml").write_text("flow: farewell\nnodes: {bye: {type: message, text: Bye!}}\n")
    assert "farewell.yaml:2:9: error target.missing" in baton("test", "flows").stdout


def test_folders_with_flows_of_the_same_name_stand_each_for_itself(baton: Baton, tests: Path) -> None:
    (tests / "greeting.test.yaml").write_text(TESTS.partition("  - name: is rude")[0])
    copy = tests.parent / "copies"
    copy.mkdir()
    for one in ("greeting.yaml", "greeting.test.yaml"):
        (copy / one).write_text((tests / one).read_text())
    assert baton("test", ".").stdout == "2 passed, 0 failed.\n"


def test_a_folder_without_tests_is_a_finding_and_no_folder_wrong_use(baton: Baton, flows: Path) -> None:
    assert baton("test").exit_code == 1
    (flows / "greeting.yaml").unlink()
    flows.rmdir()
    assert baton("test").exit_code == 2


COVERED = """\
flow: greeting
tests:
  - name: nobody answers
    steps: [{trigger: hi}, {bot: Who are you?}]
"""


def test_what_no_test_has_reached_is_told_with_file_and_line(baton: Baton, flows: Path) -> None:
    (flows / "greeting.test.yaml").write_text(COVERED)
    result = baton("test", "--coverage")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            "flows/greeting.yaml: 1 of 2 nodes (50%), 0 of 2 branches (0%)",
            "flows/greeting.yaml:7: not reached: name next",
            "flows/greeting.yaml:8: not reached: bye",
            "flows/greeting.yaml:8: not reached: bye next",
            "1 passed, 0 failed.",
        ],
    )


def test_a_folder_answers_for_all_its_flows_a_file_for_what_it_tests(baton: Baton, tests: Path) -> None:
    (tests / "other.yaml").write_text("flow: other\nnodes:\n  a: {type: call, flow: greeting, next: end}\n")
    assert "flows/other.yaml: 0 of 1 nodes (0%)" in baton("test", "flows", "--coverage").stdout
    assert "other.yaml" not in baton("test", tests / "greeting.test.yaml", "--coverage").stdout
    (tests / "other.test.yaml").write_text("flow: other\ntests:\n  - name: calls\n    steps: [{trigger: hi}, {bot: any}]\n")
    told = baton("test", "flows/other.test.yaml", "--coverage").stdout
    assert "flows/other.yaml: 1 of 1 nodes (100%), 0 of 1 branches (0%)\n" in told
    assert "flows/greeting.yaml: 1 of 2 nodes (50%), 0 of 2 branches (0%)\n" in told


def test_results_and_coverage_can_be_read_by_a_program(baton: Baton, tests: Path) -> None:
    (tests / "greeting.test.yaml").write_text(TESTS + "        bott: any\n")
    (tests / "more.test.yaml").write_text(TESTS)
    result = baton("test", "--json", "--coverage")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [(test["name"], test["line"], test["passed"]) for test in told["tests"]] == [("greets by name", 3, True), ("is rude", 5, False)]
    assert told["tests"][0]["failure"] is None
    assert told["tests"][1]["failure"]["difference"][0] == "- What?"
    assert {problem["file"] for problem in told["problems"]} == {"flows/greeting.test.yaml"}
    assert told["coverage"] == [
        {
            "flow": "greeting",
            "file": "flows/greeting.yaml",
            "nodes": {"reached": 2, "total": 2},
            "branches": {"reached": 2, "total": 2},
            "missed": [],
        }
    ]
    assert "coverage" not in json.loads(baton("test", "--json").stdout)


def test_a_thousand_tests_take_less_than_ten_seconds(flows: Path, folder: Path) -> None:
    steps = "[{trigger: hi}, {bot: Who are you?}, {user: Ada}, {bot: 'Hello, Ada.'}, {status: completed}, {path: [name, bye, end]}]"
    names = "".join(f"  - name: test {number}\n    steps: {steps}\n" for number in range(1000))
    (flows / "greeting.test.yaml").write_text(f"flow: greeting\ntests:\n{names}")
    began = time.monotonic()
    command = [sys.executable, "-m", "api.cli", "test"]
    result = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=120)
    assert (result.returncode, result.stdout, result.stderr) == (0, "1000 passed, 0 failed.\n", "")
    assert time.monotonic() - began < 10 * pace()
