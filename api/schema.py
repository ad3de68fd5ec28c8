"""JSON Schemas made from wire Structs, and every problem of a value against one of them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import jsonschema_rs
import msgspec

from api.foreign import escaped
from engine.model.problems import Problem

_SHAPE: Final = frozenset({"type", "required"})
_CODES: Final = {
    "type": ("type", "This has the wrong type."),
    "additionalProperties": ("unknown", "There is no such key."),
    "pattern": ("pattern", "This does not have the right form."),
}
_BOUNDS: Final = {
    "minLength": ("length", "Its length must be at least {:,}."),
    "maxLength": ("length", "Its length must be at most {:,}."),
    "minItems": ("length", "There must be at least {:,} of these."),
    "maxItems": ("length", "There must be at most {:,} of these."),
    "minimum": ("range", "This must be at least {:,}."),
    "maximum": ("range", "This must be at most {:,}."),
}
_OTHER: Final = ("invalid", "This is not acceptable.")


def validation_schema(kind: type) -> tuple[dict[str, Any], jsonschema_rs.Draft202012Validator]:
    """The Struct's schema for values without nulls, and its validator: each key has one type, so problems are told where they are."""
    (top,), parts = msgspec.json.schema_components((kind,), ref_template="#/$defs/{name}")
    schema = {**_single(top), "$defs": {name: _single(part) for name, part in parts.items()}}
    return schema, jsonschema_rs.Draft202012Validator(schema, validate_formats=False)


def without_nulls(value: Any, schema: dict[str, Any]) -> Any:
    """The value without the null entries that the wire takes for absent; what is inside of free-form mappings stays."""
    return _stripped(value, schema, schema["$defs"])


def check(validator: jsonschema_rs.Draft202012Validator, value: Any) -> tuple[list[Problem], list[Problem]]:
    """All problems: those of shape, and the others."""
    wrong: list[Problem] = []
    unfit: list[Problem] = []
    for error in validator.iter_errors(value):
        keyword = _keyword(error.schema_path)
        (wrong if keyword in _SHAPE else unfit).extend(_problems(error, keyword))
    return wrong, unfit


def _problems(error: jsonschema_rs.ValidationError, keyword: str) -> Iterator[Problem]:
    at = "".join(f"/{escaped(str(step))}" for step in error.instance_path)
    match error.kind.as_dict():
        case {"property": str(name)} if keyword == "required":
            yield Problem(f"{at}/{escaped(name)}", "required", "This key is required.")
        case {"unexpected": list(names)} if keyword == "additionalProperties":
            yield from (Problem(f"{at}/{escaped(name)}", *_CODES["additionalProperties"]) for name in names)
        case {"limit": int() | float() as limit} if keyword in _BOUNDS:
            code, text = _BOUNDS[keyword]
            yield Problem(at, code, text.format(limit))
        case _:
            yield Problem(at, *_CODES.get(keyword, _OTHER))


def _keyword(schema_path: Sequence[str | int]) -> str:
    return str(schema_path[-1]) if schema_path else ""


def _single(schema: Any) -> Any:
    """The schema with `X or null` made X throughout."""
    match schema:
        case {"anyOf": [one, {"type": "null"}], **_rest}:
            return _single(one)
        case dict():
            return {key: _single(inner) for key, inner in schema.items()}
        case _:
            return schema


def _stripped(value: Any, schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    while "$ref" in schema:
        schema = parts[schema["$ref"].rpartition("/")[2]]
    properties = schema.get("properties")
    if not isinstance(value, dict) or properties is None:
        return value
    required = schema.get("required", ())
    return {
        key: _stripped(inner, properties[key], parts) if key in properties else inner
        for key, inner in value.items()
        if inner is not None or key in required or key not in properties
    }
