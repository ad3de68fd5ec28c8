"""Stubs are put into a test file, and nothing of it is taken out, however it is written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.loading import Source
from engine.testing.conversations import load_tests
from engine.testing.conversations.inserting import CannotInsert, with_stubs
from engine.testing.conversations.stubs import Stub

NEW = {"look": [Stub(status=404, json={"error": "ünknown"}), Stub(error="timeout")], "other/pay": [Stub(status=201, text="a: b # c")]}
LINES = """\
    stubs:
      look:
        - {status: 404, json: {error: "ünknown"}}
        - {error: "timeout"}
      "other/pay":
        - {status: 201, text: "a: b # c"}
"""
STEPS = "    steps: [{trigger: hi}]\n"
HEAD = "# Ä remark\nflow: shop\n\ntests:\n  - name: first  # of two\n"


def stubs_of(text: str, number: int = 0) -> dict[str, list[Stub]]:
    read, problems = load_tests(Source("a.test.yaml", text))
    assert read is not None, (text, problems)
    return read.tests[number].stubs


def is_grown(before: str, after: str) -> bool:
    """Whether all of one text stands in the other, in order."""
    rest = iter(after)
    return all(sign in rest for sign in before)


OLD = [Stub(status=500), Stub(json=[1])]
PLACES = [
    (HEAD + STEPS, {}),
    (HEAD + "    # the steps\n\n    steps:\n      - trigger: hi\n", {}),
    (HEAD + "    stubs: {}\n" + STEPS, {}),
    (HEAD + "    stubs: {a: [{status: 500}]}\n" + STEPS, {"a": OLD[:1]}),
    (HEAD + "    stubs:\n      a: [{status: 500}]  # why\n" + STEPS, {"a": OLD[:1]}),
    (HEAD + "    stubs: {look: []}\n" + STEPS, {"look": []}),
    (HEAD + "    stubs: {look: [{status: 500}, {json: [1]}]}\n" + STEPS, {"look": OLD}),
    (HEAD + "    stubs:\n      look: [{status: 500}, {json: [1]}]\n      a: [{status: 500}]\n" + STEPS, {"look": OLD, "a": OLD[:1]}),
    (
        HEAD + "    stubs:\n      look:\n        - status: 500\n        # then\n        - json: [1]  # one\n\n    # Ü\n" + STEPS,
        {"look": OLD},
    ),
    (HEAD + "    stubs:\n      look:\n      - {status: 500}\n      - json:\n        - 1\n" + STEPS, {"look": OLD}),
    (HEAD + STEPS + "    stubs:\n      look:\n        - status: 500\n        - json: [1]", {"look": OLD}),
    ("flow: shop\ntests: [{name: first, steps: [{trigger: hi}]}]\n", {}),
    ("{flow: shop, tests: [{name: first, stubs: {look: [{status: 500}, {json: [1]}]}, steps: [{trigger: hi}]}]}", {"look": OLD}),
    ("flow: shop\ntests:\n- steps:\n  - trigger: hi\n  name: first\n", {}),
]


@pytest.mark.parametrize(("text", "before"), PLACES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_stubs_stand_behind_those_that_were_there(text: str, before: dict[str, list[Stub]], line_end: str) -> None:
    text = text.replace("\n", line_end)
    after = with_stubs(text, {0: NEW})
    assert stubs_of(after) == {**before, "look": [*before.get("look", []), *NEW["look"]], "other/pay": NEW["other/pay"]}
    assert is_grown(text, after)
    assert after.count("\n") == after.count(line_end)


def test_stubs_are_written_as_a_person_would() -> None:
    assert with_stubs(HEAD + STEPS, {0: NEW}) == HEAD + LINES + STEPS


def test_each_test_gets_its_own() -> None:
    text = HEAD + STEPS + "  - name: second\n" + STEPS
    after = with_stubs(text, {1: NEW, 0: {"look": OLD}})
    assert (stubs_of(after), stubs_of(after, 1)) == ({"look": OLD}, NEW)


def test_a_list_that_ends_with_lines_of_text_is_left_alone() -> None:
    text = HEAD + "    stubs:\n      look:\n        - text: |\n            a\n\n" + STEPS
    with pytest.raises(CannotInsert):
        with_stubs(text, {0: NEW})


@pytest.mark.parametrize("number", [1e36, -1e300, 2**64])
def test_a_number_that_no_file_can_hold_is_not_written(number: float) -> None:
    with pytest.raises(CannotInsert, match="a larger number than a file can hold"):
        with_stubs(HEAD + STEPS, {0: {"look": [Stub(status=202, json={"distances": [number]})]}})


NUMBERS = st.integers(-(2**53), 2**53) | st.floats(-9e35, 9e35)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(json=st.dictionaries(st.text(max_size=8), VALUES, max_size=3) | st.lists(VALUES, max_size=3), text=st.text())
def test_whatever_was_answered_is_read_as_it_was(json: Any, text: str) -> None:
    for stub in (Stub(status=202, json=json), Stub(headers={"x": text}, text=text)):
        assert stubs_of(with_stubs(HEAD + STEPS, {0: {"look": [stub]}})) == {"look": [stub]}
