"""`baton check`, `baton publish` and `baton schema`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import FLOW, Baton

OTHER = FLOW.replace("greeting", "farewell")
BROKEN = FLOW.replace("next: bye", "next: by")


def test_sound_flows_give_no_line_and_exit_0(baton: Baton, flows: Path) -> None:
    result = baton("check", flows)
    assert (result.exit_code, result.stdout) == (0, "")


def test_a_problem_is_one_line_with_its_place_and_a_hint(baton: Baton, flows: Path) -> None:
    (flows / "greeting.yaml").write_text(BROKEN)
    result = baton("check", "flows")
    assert result.exit_code == 1
    assert "flows/greeting.yaml:7:11: error target.unknown" in result.stdout
    assert "`bye`" in result.stdout


def test_problems_as_json_name_file_line_and_code(baton: Baton, flows: Path) -> None:
    (flows / "greeting.yaml").write_text(BROKEN)
    found = json.loads(baton("check", "flows", "--json").stdout)
    assert {(one["file"], one["line"], one["code"]) for one in found} >= {("flows/greeting.yaml", 7, "target.unknown")}


def test_a_warning_counts_only_when_it_is_strict(baton: Baton, flows: Path) -> None:
    (flows / "greeting.yaml").write_text(FLOW + "variables: {unused: 1}\n")
    assert "warning variable.unread" in baton("check", flows).stdout
    assert baton("check", flows).exit_code == 0
    assert baton("check", flows, "--strict").exit_code == 1


def test_the_other_flows_of_the_folder_are_known_and_not_reported_on(baton: Baton, flows: Path) -> None:
    (flows / "another.yaml").write_text(FLOW)
    (flows / "zzz.yaml").write_text("nodes: [")
    result = baton("check", flows / "another.yaml")
    assert "flow.duplicate" in result.stdout
    assert "zzz.yaml:" not in result.stdout


def test_conversation_tests_are_no_flows(baton: Baton, flows: Path) -> None:
    (flows / "greeting.test.yaml").write_text("flow: greeting\ntests: []\n")
    assert baton("check", flows).exit_code == 0


@pytest.mark.parametrize("command", ["check", "publish", "graph"])
def test_tests_in_the_place_of_a_flow_are_refused_with_the_command_that_runs_them(command: str, baton: Baton, flows: Path) -> None:
    (flows / "greeting.test.yaml").write_text("flow: greeting")
    result = baton(command, "flows/greeting.test.yaml")
    assert result.exit_code in (1, 2)
    told = "flows/greeting.test.yaml holds conversation tests, and no flow: `baton test flows/greeting.test.yaml` runs them."
    assert result.stderr.endswith(f"Error: {told}\n")


def test_a_folder_without_flows_is_a_finding(baton: Baton, folder: Path) -> None:
    (folder / "empty").mkdir()
    assert baton("check", "empty").exit_code == 1


def test_publishing_makes_versions_of_what_changed_and_leaves_the_rest(baton: Baton, flows: Path, tenant: dict[str, Any]) -> None:
    (flows / "farewell.yaml").write_text(OTHER)
    assert baton("publish", flows).stdout == "farewell version 1\ngreeting version 1\n"
    (flows / "farewell.yaml").write_text(OTHER.replace("Hello", "Goodbye"))
    (flows / "greeting.yaml").write_text("# a remark changes nothing\n" + FLOW)
    standings = json.loads(baton("publish", flows, "--json").stdout)
    assert standings == [
        {"flow": "farewell", "version": 2, "changed": True},
        {"flow": "greeting", "version": 1, "changed": False},
    ]


def test_when_one_flow_is_refused_nothing_of_the_call_is_published(baton: Baton, flows: Path, tenant: dict[str, Any]) -> None:
    (flows / "farewell.yaml").write_text(OTHER.replace("next: bye", "next: by"))
    refused = baton("publish", flows)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "flows/farewell.yaml:7:11: error target.unknown" in refused.stderr.replace(f"{flows.parent}/", "")
    assert baton("publish", flows / "greeting.yaml").stdout == "greeting version 1\n"


def test_an_intent_that_a_published_flow_has_is_refused(baton: Baton, flows: Path, tenant: dict[str, Any]) -> None:
    baton("publish", flows)
    other = flows.parent / "farewell.yaml"
    other.write_text(OTHER.replace("intent: {", "intent: {name: greeting, "))
    result = baton("publish", other)
    assert result.exit_code == 1
    assert "intent.duplicate" in result.stderr


def test_the_schema_is_json_and_describes_a_flow(baton: Baton) -> None:
    schema = json.loads(baton("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"flow", "nodes"} <= schema["properties"].keys()
