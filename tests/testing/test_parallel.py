"""Many tests are played on all cores, and it cannot be told from the results."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.testing.conversations import Job, TestFile, TestResult, run_jobs, run_tests
from engine.testing.conversations.parallel import ENOUGH
from tests.support.server import ROOT, environment
from tests.testing.places import BAD, FLOWS, GOOD


def copies(of: TestFile, count: int) -> TestFile:
    """So many tests, each with a name of its own."""
    tests = [msgspec.structs.replace(of.tests[number % len(of.tests)], name=f"test {number}") for number in range(count)]
    return msgspec.structs.replace(of, tests=tuple(tests))


def timeless(results: list[TestResult]) -> list[TestResult]:
    return [msgspec.structs.replace(result, seconds=0.0) for result in results]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_results_are_those_of_one_process_in_the_same_order(workers: int) -> None:
    files = [copies(GOOD, ENOUGH), BAD, copies(BAD, 7)]
    alone = [result for tests in files for result in run_tests(tests, FLOWS)]
    together = [*run_jobs([Job(tests, FLOWS) for tests in files], workers=workers)]
    assert timeless(together) == timeless(alone)


CRASHING = """
import os
import msgspec
from engine.testing.conversations import Job, describe, run_jobs
from engine.testing.conversations.scene import Scene
from tests.testing.places import FLOWS, GOOD
from tests.testing.test_parallel import copies

async def crash(scene):
    if scene._given.seed == "crash":
        os._exit(3)

Scene.open = crash
tests = copies(GOOD, 220)
crashes = {5, 6, 100, 219}
given = lambda test, number: msgspec.structs.replace(test.given, seed="crash" if number in crashes else None)
short = [msgspec.structs.replace(test, steps=(), given=given(test, number)) for number, test in enumerate(tests.tests)]
results = [*run_jobs([Job(msgspec.structs.replace(tests, tests=tuple(short)), FLOWS)], workers=2)]
assert [result.name for result in results] == [test.name for test in short]
print([number for number, result in enumerate(results) if not result.passed])
print(describe(results[5]))
"""


def test_a_process_that_crashes_fails_the_test_that_it_played_and_no_other(tmp_path: Path) -> None:
    script = tmp_path / "crashing.py"
    script.write_text(CRASHING)
    ended = subprocess.run([sys.executable, script], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    numbers, described, reason = ended.stdout.splitlines()
    assert numbers == "[5, 6, 100, 219]"
    assert described.endswith("failed: test 5")
    assert reason == "  the process that played this test ended all of a sudden"
