"""The JSON Schema that editors get takes every valid flow and refuses broken ones."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from engine.loading import Source, flow_schema, load_flow, read_yaml
from engine.loading.tree import plain

HERE = Path(__file__).parent
VALIDATOR = jsonschema_rs.Draft202012Validator(flow_schema())
STRUCTURAL = ["key_missing", "key_missing_flow", "key_missing_nodes", "key_unknown", "type_wrong", "type_wrong_list", "type_wrong_scalars", "flow_empty", "name_bad", "name_reserved", "key_unknown_made", "key_conflict", "key_missing_one_of", "type_wrong_made", "command_duplicate", "type_wrong_outside", "key_missing_outside", "target_missing_outside", "key_conflict_requests", "value_wrong_events", "node_unavailable", "node_unknown", "target_missing"]  # fmt: skip  # noqa: E501 - one list


def content(path: Path) -> Any:
    root = read_yaml(Source(path.name, path.read_text(encoding="utf-8"))).root
    assert root is not None
    return plain(root)


def test_it_is_json_schema_2020_12() -> None:
    jsonschema_rs.meta.validate(flow_schema())
    assert flow_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_takes_a_flow_with_every_key() -> None:
    assert list(VALIDATOR.iter_errors(content(HERE / "valid" / "everything.yaml"))) == []


@pytest.mark.parametrize(
    "path", sorted((HERE / "neighbours").glob("*.yaml")) + sorted((HERE / "broken").glob("*.yaml")), ids=lambda path: path.stem
)
def test_it_takes_every_flow_that_loads(path: Path) -> None:
    loaded = load_flow(Source(path.name, path.read_text(encoding="utf-8")))
    if loaded.flow is not None:
        assert VALIDATOR.is_valid(content(path))
    else:
        assert any(one.severity == "error" for one in loaded.diagnostics)


@pytest.mark.parametrize("name", STRUCTURAL)
def test_it_refuses_what_the_types_refuse(name: str) -> None:
    assert not VALIDATOR.is_valid(content(HERE / "broken" / f"{name}.yaml"))


def test_each_node_type_is_one_of_several_with_its_own_word() -> None:
    schema = flow_schema()
    kinds = [one["$ref"].rpartition("/")[2] for one in schema["properties"]["nodes"]["additionalProperties"]["anyOf"]]
    words = {schema["$defs"][kind]["properties"]["type"]["const"] for kind in kinds}
    assert {"message", "ask", "split", "call", "jump", "wait", "end"} <= words
    assert len(words) == len(kinds)


def test_every_type_and_every_key_has_a_description() -> None:
    schema = flow_schema()
    assert all(definition["description"] and "```" not in definition["description"] for definition in schema["$defs"].values())
    silent = {key for one in (schema, *schema["$defs"].values()) for key, said in one["properties"].items() if "description" not in said}
    assert silent == set()
    assert schema["$defs"]["Message"]["properties"]["progress"]["description"].startswith("How far the customer has come")
    assert schema["properties"]["start"]["description"] == "Left out: the first node."


def test_a_key_that_is_null_counts_as_absent_where_one_of_several_must_be_there() -> None:
    flow = {"flow": "a", "nodes": {"b": {"type": "wait", "for": None, "until": "2030-01-01", "next": "end"}}}
    assert VALIDATOR.is_valid(flow)
    flow["nodes"]["b"]["until"] = None  # type: ignore[index]
    assert not VALIDATOR.is_valid(flow)
