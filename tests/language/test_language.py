"""The language, told in conversations: each flow here shows one part of it, and its tests say what happens."""

import asyncio
from functools import cache
from pathlib import Path

import pytest

from engine.loading import Source, load_flows
from engine.model.flow import Flow
from engine.testing.conversations import describe, load_tests, perform_tests
from tests.support.chaos import everyday_chaos

FOLDER = Path(__file__).parent
TEST_FILES = sorted(FOLDER.glob("*.test.yaml"))


@cache
def flows() -> dict[str, Flow]:
    sources = [Source(path.name, path.read_bytes()) for path in sorted(FOLDER.glob("*.yaml")) if path not in TEST_FILES]
    loaded = load_flows(sources)
    assert [str(problem) for one in loaded for problem in one.diagnostics if problem.severity == "error"] == []
    return {one.flow.flow: one.flow for one in loaded if one.flow is not None}


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
def test_the_language_does_what_its_conversations_say(path: Path) -> None:
    test_file, problems = load_tests(Source(path.name, path.read_bytes()))
    assert test_file is not None, "\n".join(map(str, problems))
    results = asyncio.run(perform_tests(test_file, flows(), chaos=everyday_chaos(path)))
    assert results
    assert "\n\n".join(describe(result) for result in results if not result.passed) == ""
