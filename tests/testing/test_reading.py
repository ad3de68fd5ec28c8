"""Test files are read with a place and a hint for every mistake."""

import pytest

from engine.loading import Source
from engine.testing.conversations import load_tests
from tests.testing.places import GOOD, text_of


def test_every_mistake_of_a_file_is_told_at_once_at_its_place() -> None:
    read, problems = load_tests(Source("broken.test.yaml", text_of("broken.test.yaml")))
    assert read is None
    assert "\n".join(map(str, problems)) + "\n" == text_of("problems.txt")


def test_a_file_keeps_the_line_of_each_test_and_step() -> None:
    lines = text_of("good.test.yaml").splitlines()
    assert GOOD.tests
    for test in GOOD.tests:
        assert lines[test.line - 1] == f"  - name: {test.name}"
        assert all(lines[step.line - 1].startswith(f"      - {step.key}: ") for step in test.steps)


@pytest.mark.parametrize(
    "text", ["", "flow: parcel\n", "[]", "flow: [\n", "flow: parcel\ntests: []\n", "flow: parcel\ntests: [{}]\n", "\x00"]
)
def test_a_file_that_holds_no_tests_says_so_and_gives_none(text: str) -> None:
    read, problems = load_tests(Source("a.test.yaml", text))
    assert read is None
    assert problems


@pytest.mark.parametrize(
    ("now", "at"),
    [
        ("2026-01-05T09:00:00Z", 1_767_603_600_000),
        ("2026-01-05T10:00:00+01:00", 1_767_603_600_000),
        ("2026-01-05T09:00", 1_767_603_600_000),
        ("2026-01-05", 1_767_571_200_000),
    ],
)
def test_the_moment_of_a_test_is_in_utc_unless_it_names_a_zone(now: str, at: int) -> None:
    read, _ = load_tests(Source("a", f"flow: a\ntests: [{{name: a, given: {{now: {now!r}}}, steps: [{{trigger: a}}]}}]"))
    assert read is not None
    assert read.tests[0].given.now == at


@pytest.mark.parametrize("now", ["yesterday", "2026-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31", ""])
def test_a_moment_that_does_not_exist_or_is_out_of_reach_is_refused_at_its_place(now: str) -> None:
    read, problems = load_tests(Source("a", f"flow: a\ntests:\n- {{name: a, steps: [{{trigger: a}}], given: {{now: {now!r}}}}}"))
    assert read is None
    assert [(problem.line, problem.column) for problem in problems] == [(3, 49)]
