"""Results as JUnit XML, for machines that show them."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from engine.model.problems import Diagnostic
from engine.testing.conversations.results import Failed, Passed, TestResult, told

_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold."""


def junit_xml(results: Sequence[TestResult], broken: Sequence[Diagnostic] = ()) -> str:
    """One document: a suite for each file, a case for each test, and an error for each problem of a file that cannot be used."""
    suites: defaultdict[str, tuple[list[TestResult], list[Diagnostic]]] = defaultdict(lambda: ([], []))
    for result in results:
        suites[result.file][0].append(result)
    for problem in broken:
        suites[problem.file][1].append(problem)
    root = ET.Element("testsuites", _counts("baton", results, len(broken)))
    for file, (of_file, problems) in suites.items():
        suite = ET.SubElement(root, "testsuite", _counts(file, of_file, len(problems)))
        for result in of_file:
            _add(suite, result)
        for problem in problems:
            _add_broken(suite, problem)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(name: str, results: Sequence[TestResult], broken: int) -> dict[str, str]:
    return {
        "name": _printable(name),
        "tests": str(len(results) + broken),
        "failures": str(sum(not result.passed for result in results)),
        "errors": str(broken),
        "skipped": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _add(suite: ET.Element, result: TestResult) -> None:
    known = {"classname": result.flow, "name": result.name, "file": result.file, "line": str(result.line), "time": f"{result.seconds:.3f}"}
    case = ET.SubElement(suite, "testcase", {key: _printable(value) for key, value in known.items()})
    match result.outcome:
        case Failed() as failed:
            failure = ET.SubElement(case, "failure", {"message": _printable(failed.message), "type": failed.key or "test"})
            failure.text = _printable("\n".join([f"{result.file}:{failed.line}", *told(failed)]))
        case Passed():
            pass


def _add_broken(suite: ET.Element, problem: Diagnostic) -> None:
    known = {"classname": "check", "name": problem.code, "file": problem.file, "line": str(problem.line), "time": "0.000"}
    case = ET.SubElement(suite, "testcase", {key: _printable(value) for key, value in known.items()})
    ET.SubElement(case, "error", {"message": _printable(problem.message), "type": problem.code}).text = _printable(str(problem))


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
