"""What flows/CODES.md says of every code is what a check does: the wrong example has this problem and no other, the right one has none."""

import re
from pathlib import Path

import pytest

from engine.loading import CODES, Source, load_flows
from engine.testing.conversations import load_tests

PAGE = (Path(__file__).resolve().parents[2] / "flows" / "CODES.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `([a-z_.]+)`\n\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
EXAMPLE = re.compile(r"^```yaml (wrong|right)(?: (\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^# ([a-z_]+\.yaml)\n", re.MULTILINE)
MOST_NODES = 1_000


def example(code: str, kind: str) -> tuple[str, str]:
    """The text of the one example of the kind, and what is special about it."""
    [(note, text)] = [(note, text) for found, note, text in EXAMPLE.findall(SECTIONS[code]) if found == kind]
    return text, note


def whole(text: str, note: str) -> str:
    """An example that is only nodes, or lacks its first line, as a whole file; one of many nodes with all of them."""
    if note == "whole" or text.startswith("flow:"):
        return text
    if re.search("^nodes:", text, re.MULTILINE):
        return f"flow: example\n{text}"
    if note == str(MOST_NODES + 1):
        line = text.splitlines()[-1]
        text = (
            "".join(line.replace("n1", f"n{i + 1}").replace("n0", f"n{i}") + "\n" for i in range(MOST_NODES))
            + f"n{MOST_NODES}: {{type: end}}\n"
        )
    return "flow: example\nnodes:\n" + "".join(f"  {line}\n" for line in text.splitlines())


def codes(text: str, note: str) -> set[str]:
    """What a check of all the example's files reports."""
    if note == "test":
        return {problem.code for problem in load_tests(Source("example.test.yaml", text))[1]}
    named = FILE.split(text)
    files = list(zip(named[1::2], named[2::2], strict=True)) or [("example.yaml", text)]
    encoding = note if note == "latin-1" else "utf-8"
    connections = ("bank", "shop") if note == "connections" else None
    loaded = load_flows([Source(name, whole(content, note).encode(encoding)) for name, content in files], connections=connections)
    return {problem.code for one in loaded for problem in one.diagnostics}


def test_every_code_has_a_section_in_the_order_of_the_table() -> None:
    assert list(SECTIONS) == list(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_said_to_be_as_grave_as_it_is_and_to_mean_what_it_means(code: str) -> None:
    assert SECTIONS[code].startswith(f"{CODES[code].severity.capitalize()}. {CODES[code].meaning}\n")


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_example_of_a_code_has_that_problem_and_no_other(code: str) -> None:
    assert codes(*example(code, "wrong")) == {code}


@pytest.mark.parametrize("code", CODES)
def test_the_right_example_of_a_code_has_no_problem_at_all(code: str) -> None:
    assert codes(*example(code, "right")) == set()
