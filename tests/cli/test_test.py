"""`baton test`."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Baton

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


def test_a_folder_without_tests_is_a_finding_and_no_folder_wrong_use(baton: Baton, flows: Path) -> None:
    assert baton("test").exit_code == 1
    (flows / "greeting.yaml").unlink()
    flows.rmdir()
    assert baton("test").exit_code == 2
