"""The JSON Schemas of a flow's inputs must be ones that can be checked against; their defaults, and what a call passes, must fit them."""

import json
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs
from msgspec import Struct

from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import Outline, is_torn
from engine.loading.tree import Pairs, plain

MOST_WORK: Final = 50_000_000
"""Characters of values times those of their schemas that one file may cost; past it values are checked in the run alone."""

_REFERENCES: Final = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_DEFINITION: Final = "#/$defs/"
_UNEVALUATED: Final = frozenset({"unevaluatedProperties", "unevaluatedItems"})
_LOOKED_INTO: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "contains"})
"""Keywords whose schemas are tried once more to learn what is left unevaluated."""


class Schema(Struct, frozen=True, eq=False):
    """A schema ready for use: `fault` says why it is none."""

    size: int
    fault: str | None
    validator: jsonschema_rs.Draft202012Validator | None


def check_schemas(outline: Outline, findings: Findings) -> None:
    """Reports an input whose schema is not JSON Schema 2020-12, or refers to something outside of it, or refuses its own default."""
    work = MOST_WORK
    for name, entry in outline.entries("inputs").items():
        if not isinstance(entry.value, Pairs):
            continue
        schema = schema_of(plain(entry.value))
        if schema.fault:
            findings.add("value.wrong", entry.value.start, f"the schema of {shown(name)} is not one: {schema.fault}")
            continue
        default = entry.value.get("default")
        value = None if default is None or is_torn(entry.value) else plain(default)
        if default is None or value is None:  # null stands for none
            continue
        work -= cost(schema, value)
        if work > 0 and (fault := unfit(schema, value)) is not None:
            findings.add("value.wrong", default.start, f"the default of {shown(name)} does not fit its own schema: {fault}")


def cost(schema: Schema, value: Any) -> int:
    """What it takes, at most, to hold the value against the schema."""
    return schema.size * (len(value) if isinstance(value, str) else len(json.dumps(value)))


def schema_of(written: dict[str, Any]) -> Schema:
    """The schema, made once however often it is written."""
    return _schema(json.dumps(written, separators=(",", ":")))


def unfit(schema: Schema, value: Any) -> str | None:
    """What keeps the value from fitting the schema; None where it fits, or that cannot be told."""
    try:
        if schema.validator is not None:
            schema.validator.validate(value)
    except jsonschema_rs.ValidationError as fault:
        return shown(fault.message)
    except ValueError:
        return None
    return None


@lru_cache(maxsize=1024)
def _schema(text: str) -> Schema:
    written: dict[str, Any] = json.loads(text)
    try:
        jsonschema_rs.meta.validate(written)
        # With the same patterns as when it is used: the default ones know more, and are not linear in time.
        made = jsonschema_rs.Draft202012Validator(written, pattern_options=jsonschema_rs.RegexOptions(), retriever=_refuse)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as problem:
        return Schema(len(text), shown(str(problem).partition("\n")[0]), None)
    fault = _refers_too_far(written, defining=False) or _tries_too_often(written, tried=False)
    return Schema(len(text), fault, made if fault is None else None)


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


def _tries_too_often(part: Any, *, tried: bool) -> str | None:
    """What is wrong with what it leaves unevaluated: each that stands inside of another's parts more than doubles the time of a check."""
    match part:
        case dict():
            found = next((key for key in part if key in _UNEVALUATED), None)
            if tried and found is not None:
                return f"{shown(found)} may not stand inside of a part of a schema that has it too"
            inner = ((tried or (found is not None and key in _LOOKED_INTO), value) for key, value in part.items())
            return next((fault for again, value in inner if (fault := _tries_too_often(value, tried=again))), None)
        case list():
            return next((fault for inner in part if (fault := _tries_too_often(inner, tried=tried))), None)
        case _:
            return None


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is never fetched")
