"""The flows that come with Baton: each is sound, goes as its conversation tests say, and has every branch reached by its own."""

import asyncio
import re
from functools import cache
from pathlib import Path

import pytest

from engine.loading import Loaded, Source, load_flows
from engine.model.flow import Flow
from engine.testing.conversations import TestResult, describe, load_tests, missed, perform_tests, run_tests
from tests.support.chaos import everyday_chaos

FOLDER = Path(__file__).resolve().parents[2] / "flows"
TEST_FILES = sorted(FOLDER.glob("*.test.yaml"))


@cache
def loaded_flows() -> tuple[Loaded, ...]:
    paths = [path for path in sorted(FOLDER.glob("*.yaml")) if path not in TEST_FILES]
    return tuple(load_flows([Source(path.name, path.read_bytes()) for path in paths]))


@cache
def flows() -> dict[str, Flow]:
    return {loaded.flow.flow: loaded.flow for loaded in loaded_flows() if loaded.flow is not None}


@cache
def results(path: Path) -> tuple[TestResult, ...]:
    test_file, problems = load_tests(Source(path.name, path.read_bytes()))
    assert test_file is not None, "\n".join(map(str, problems))
    return tuple(run_tests(test_file, flows()))


def test_every_flow_is_sound() -> None:
    assert [str(problem) for loaded in loaded_flows() for problem in loaded.diagnostics] == []
    assert flows()


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_a_flow_goes_as_its_conversation_tests_say(path: Path) -> None:
    assert results(path)
    assert "\n\n".join(describe(result) for result in results(path) if not result.passed) == ""


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_a_flow_goes_the_same_way_under_chaos(path: Path) -> None:
    test_file, _ = load_tests(Source(path.name, path.read_bytes()))
    assert test_file is not None
    results = asyncio.run(perform_tests(test_file, flows(), chaos=everyday_chaos(path)))
    assert "\n\n".join(describe(result) for result in results if not result.passed) == ""


def test_the_tests_of_a_flow_reach_every_branch_of_it_whatever_those_of_others_reach() -> None:
    own = {name: results(FOLDER / f"{name}.test.yaml") for name in flows()}
    reached = {name: [visit for result in own[name] for visit in result.visits] for name in flows()}
    assert {name: branches for name, flow in flows().items() if (branches := missed(flow, reached[name]))} == {}


def test_every_flow_has_the_name_of_its_file_and_stands_in_the_table_of_the_page() -> None:
    files = [path.stem for path in sorted(FOLDER.glob("*.yaml")) if path not in TEST_FILES]
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [loaded.flow.flow for loaded in loaded_flows() if loaded.flow is not None] == files
    assert sorted(re.findall(r"\[`(\w+)\.yaml`\]\(\1\.yaml\)", page)) == files
