"""The JSON Schemas of a flow's inputs must be ones that can be checked against."""

from typing import Any, Final

import jsonschema_rs

from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import Outline
from engine.loading.tree import Pairs, plain

_REFERENCES: Final = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_DEFINITION: Final = "#/$defs/"


def check_schemas(outline: Outline, findings: Findings) -> None:
    """Reports an input whose schema is not JSON Schema 2020-12, or refers to something outside of it."""
    for name, entry in outline.entries("inputs").items():
        if isinstance(entry.value, Pairs) and (fault := _fault(plain(entry.value))):
            findings.add("value.wrong", entry.value.start, f"the schema of {shown(name)} is not one: {fault}")


def _fault(schema: dict[str, Any]) -> str | None:
    try:
        jsonschema_rs.meta.validate(schema)
        # With the same patterns as when it is used: the default ones know more, and are not linear in time.
        jsonschema_rs.Draft202012Validator(schema, pattern_options=jsonschema_rs.RegexOptions(), retriever=_refuse)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as problem:
        return shown(str(problem).partition("\n")[0])
    return _refers_too_far(schema, defining=False)


def _refers_too_far(part: Any, *, defining: bool) -> str | None:
    """What is wrong with its references: a definition that refers on can make a check take time without end, by calling itself twice."""
    match part:
        case dict():
            for key, inner in part.items():
                refers = key in _REFERENCES and isinstance(inner, str)
                if refers and (defining or key != "$ref" or not inner.startswith(_DEFINITION)):
                    return f"{shown(key)} may name a definition as {shown(_DEFINITION + 'NAME')}, and not stand inside of one"
                if fault := _refers_too_far(inner, defining=defining or key == "$defs"):
                    return fault
            return None
        case list():
            return next((fault for inner in part if (fault := _refers_too_far(inner, defining=defining))), None)
        case _:
            return None


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is never fetched")
