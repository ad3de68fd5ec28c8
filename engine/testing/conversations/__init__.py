"""Conversation tests: `NAME.test.yaml` files, played on the real executor with a virtual clock and no network.

`load_tests` reads a file, `run_tests` plays it, `run_jobs` plays many on all cores, `describe` and `junit_xml` tell what came of it;
`Chaos` puts tests that pass through disturbances that must go unnoticed; `record_tests` asks the world for the stubs that a file lacks;
`branches_of`, `covered` and `missed` say which ways through a flow the tests have taken, `coverage` counts and places them.
"""

from engine.testing.conversations.chaos import Chaos
from engine.testing.conversations.coverage import Coverage, Share, coverage
from engine.testing.conversations.junit import junit_xml
from engine.testing.conversations.parallel import Job, run_jobs
from engine.testing.conversations.reach import branches_of, covered, missed
from engine.testing.conversations.reading import load_tests
from engine.testing.conversations.recording import Recorded, Recording, World, record_tests
from engine.testing.conversations.results import Failed, Outcome, Passed, TestResult, describe, told
from engine.testing.conversations.running import perform_tests, run_tests
from engine.testing.conversations.script import ConversationTest, Given, Step, TestFile

__all__ = [
    "Chaos",
    "ConversationTest",
    "Coverage",
    "Failed",
    "Given",
    "Job",
    "Outcome",
    "Passed",
    "Recorded",
    "Recording",
    "Share",
    "Step",
    "TestFile",
    "TestResult",
    "World",
    "branches_of",
    "coverage",
    "covered",
    "describe",
    "junit_xml",
    "load_tests",
    "missed",
    "perform_tests",
    "record_tests",
    "run_jobs",
    "run_tests",
    "told",
]
