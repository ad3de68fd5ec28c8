"""The JSON Schemas of a flow's inputs must be ones that can be checked against."""

from typing import Any

import jsonschema_rs

from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import Outline
from engine.loading.tree import Pairs, plain


def check_schemas(outline: Outline, findings: Findings) -> None:
    """Reports an input whose schema is not JSON Schema 2020-12, or refers to something outside of it."""
    for name, entry in outline.entries("inputs").items():
        if isinstance(entry.value, Pairs) and (fault := _fault(plain(entry.value))):
            findings.add("value.wrong", entry.value.start, f"the schema of {shown(name)} is not one: {fault}")


def _fault(schema: dict[str, Any]) -> str | None:
    try:
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.Draft202012Validator(schema, retriever=_refuse)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as problem:
        return shown(str(problem).partition("\n")[0])
    return None


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is never fetched")
