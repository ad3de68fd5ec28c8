"""What flows/README.md says is what the program does: every example, every table and every code."""

import json
import re
from pathlib import Path

import pytest

from engine.errors import ExpressionError
from engine.expressions import FILTERS, ROOTS, TESTS, Budget, Scope, compile_expression
from engine.loading import CODES, Source, flow_schema, load_flow
from engine.loading.absent import LATER_TYPES
from engine.loading.lint.failures import CODES_OF_REQUESTS
from engine.loading.lint.rules import RULES
from engine.model.flow import Flow
from engine.testing.conversations import describe, load_tests, run_tests
from engine.testing.conversations.written import WrittenStep

FOLDER = Path(__file__).resolve().parents[2] / "flows"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
FLOWS = [example for example in EXAMPLES if "\ntests:" not in example]
CONVERSATIONS = [example for example in EXAMPLES if "\ntests:" in example]


def section(title: str) -> str:
    """The text below a heading, up to the next one of whatever depth."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"the page has no heading {title}"
    return found[1]


def table(title: str) -> list[list[str]]:
    """The rows of the section's table; a bar inside a cell is written with a backslash."""
    rows = [line for line in section(title).splitlines() if line.startswith(("| ", "|-"))]
    cells = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return cells[2:]


def code_spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def names(cell: str) -> list[str]:
    """The names in code, without what stands behind them."""
    return [re.split(r"[^a-z0-9_.]", span)[0] for span in code_spans(cell)]


def wrapped(example: str) -> str:
    """An example that is only nodes, or lacks its first line, as a whole file."""
    if example.startswith("flow:"):
        return example
    if "\nnodes:" in example:
        return f"flow: example\n{example}"
    return "flow: example\nnodes:\n" + "".join(f"  {line}\n" for line in example.splitlines())


def loaded(example: str) -> Flow:
    result = load_flow(Source("example.yaml", wrapped(example).encode()))
    assert [str(problem) for problem in result.diagnostics] == []
    assert result.flow is not None
    return result.flow


@pytest.mark.parametrize("example", FLOWS, ids=lambda example: example.splitlines()[0])
def test_every_example_is_a_flow_without_errors_and_warnings(example: str) -> None:
    assert loaded(example).nodes


@pytest.mark.parametrize("example", CONVERSATIONS, ids=lambda example: example.splitlines()[0])
def test_every_conversation_goes_as_the_page_says(example: str) -> None:
    flows = {flow.flow: flow for flow in map(loaded, FLOWS)}
    test_file, problems = load_tests(Source("example.test.yaml", example.encode()))
    assert test_file is not None, problems
    results = run_tests(test_file, flows)
    assert len(results) == example.count("- name:")
    assert [describe(result) for result in results if not result.passed] == []


def test_a_misspelt_node_is_reported_as_the_page_shows() -> None:
    broken = FLOWS[0].replace("next: berlin}", "next: berlni}")
    [problem] = load_flow(Source("flows/opening_hours.yaml", broken.encode())).diagnostics
    assert f"    {problem}\n" in PAGE


def test_the_table_of_codes_is_the_programs() -> None:
    assert table("Codes of a check") == [[f"`{name}`", code.severity, code.meaning] for name, code in CODES.items()]


def test_every_code_that_a_run_can_fail_with_is_listed() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (FOLDER.parent / "engine" / "interpreter").rglob("*.py"))
    raised = set(re.findall(r'(?:NodeFailed|LimitPassed)\(\s*"([a-z]+\.[a-z_]+)"', sources)) | {"limit.state", "end.failed"}
    evaluated = {f"expression.{kind}" for kind in ("undefined", "type", "value", "budget")}
    assert {name for codes, _ in table("Codes of a run") for name in code_spans(codes)} == raised | evaluated | CODES_OF_REQUESTS


def test_every_filter_test_and_root_is_listed() -> None:
    assert sorted(name for filters, _ in table("Filters") for name in names(filters)) == sorted(FILTERS)
    assert sorted(name for tests, _ in table("Tests") for name in names(tests)) == sorted(TESTS)
    assert {name.split(".")[0] for [root, _] in table("Expressions") for name in names(root)} == ROOTS


def test_every_input_type_is_listed_with_its_rules() -> None:
    found = {kind: set(code_spans(rules)) - {"text"} for kinds, _, rules in table("Inputs and rules") for kind in code_spans(kinds)}
    plain = RULES["text"]
    assert found == {kind: rules if kind in {"text", "textarea"} or not rules >= plain else rules - plain for kind, rules in RULES.items()}


def test_every_key_of_a_file_is_listed() -> None:
    listed = {name for keys, _ in table("The file") for name in code_spans(keys)}
    assert listed == set(flow_schema()["properties"])


def test_every_node_type_is_shown_or_named_as_coming_later() -> None:
    types = {str(node.__struct_config__.tag) for flow in map(loaded, FLOWS) for node in flow.nodes.values()}
    assert {"message", "block", "ask", "choice", "form", "switch", "set", "http", "task", "emit", "wait", "end"} <= types
    assert set(code_spans(section("The file"))) >= LATER_TYPES


def test_every_step_of_a_conversation_test_is_listed() -> None:
    steps = [name for step, _ in table("Conversation tests") for name in names(step)]
    assert set(steps) == set(WrittenStep.__struct_fields__)


@pytest.mark.parametrize("row", table("What may surprise"), ids=lambda row: row[0])
def test_an_expression_gives_what_the_page_says(row: list[str]) -> None:
    [expression], [expected] = code_spans(row[0]), code_spans(row[1])
    roots = {"trigger": {"context": {}}, "now": "2026-01-05T10:00:00.000+01:00"}
    scope = Scope(roots, Budget(), locale="en", timezone="Europe/Berlin")
    if expected.startswith("expression."):
        with pytest.raises(ExpressionError) as raised:
            compile_expression(expression).value(scope)
        assert raised.value.code == expected
    else:
        found = compile_expression(expression).value(scope)
        assert json.dumps(found, ensure_ascii=False).replace("\u202f", " ") == expected
