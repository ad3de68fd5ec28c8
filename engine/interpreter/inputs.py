"""What a trigger, a call or a jump passes in, matched to the inputs that the flow declares."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs
import msgspec

from engine.model.flow import Flow
from engine.model.problems import Problem, pointer_step
from engine.model.values import Json

_encoder: Final = msgspec.json.Encoder(order="deterministic")
_TEXTS: Final = {
    "type": "This has the wrong type.",
    "enum": "This is none of the allowed values.",
    "const": "This is not the one allowed value.",
    "required": "A required key is missing.",
    "additionalProperties": "There is a key that is not known.",
    "unevaluatedProperties": "There is a key that is not known.",
    "minLength": "This is too short.",
    "maxLength": "This is too long.",
    "pattern": "This does not have the right form.",
    "format": "This does not have the right form.",
    "minimum": "This is too small.",
    "exclusiveMinimum": "This is too small.",
    "maximum": "This is too large.",
    "exclusiveMaximum": "This is too large.",
    "multipleOf": "This is not one of the steps.",
    "minItems": "There are too few of these.",
    "maxItems": "There are too many of these.",
    "uniqueItems": "These are not all different.",
    "contains": "What must be among these is missing.",
    "minProperties": "There are too few keys.",
    "maxProperties": "There are too many keys.",
}
"""What is said of each failing keyword; the library's own messages quote the value, which is the customer's."""
_OTHER: Final = "This does not fit what the flow asks for."
_TOO_LARGE: Final = "This is too large."


_ALL_TOLD: Final = 2**18
"""Bytes of a schema times bytes of a value up to which all is told that does not fit: beyond, it could be millions of things."""
_HELD: Final = 2**26
"""The same up to which a value is held against its schema at all: beyond, others would wait for it."""


def matched_inputs(flow: Flow, given: Mapping[str, Json], place: str = "") -> tuple[dict[str, Json], dict[str, Json], tuple[Problem, ...]]:
    """The flow's inputs (absent: the default, else null), the rest of what is given, and what is unfit, as pointers below the place."""
    inputs: dict[str, Json] = {}
    problems: list[Problem] = []
    for name, schema in flow.inputs.items():
        if given.get(name) is None:
            inputs[name] = schema.get("default")
            continue
        inputs[name] = given[name]
        problems += [Problem(_pointer(place, name, path), "input", told) for path, told in _faults(_encoder.encode(schema), given[name])]
    rest = {name: value for name, value in given.items() if name not in flow.inputs}
    return inputs, rest, tuple(problems)


def _faults(schema: bytes, value: Json) -> list[tuple[list[str | int], str]]:
    """Where the value does not fit the schema, and why."""
    work = len(schema) * len(_encoder.encode(value))
    if work > _HELD:
        return [([], _TOO_LARGE)]
    if work <= _ALL_TOLD:
        return [(fault.instance_path, _told(fault.schema_path)) for fault in _validator(schema).iter_errors(value)]
    try:
        _validator(schema).validate(value)
    except jsonschema_rs.ValidationError as fault:
        return [(fault.instance_path, _told(fault.schema_path))]
    return []


@lru_cache(maxsize=1024)
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    """The compiled schema; patterns are linear in time, and nothing is fetched."""
    decoded: Any = msgspec.json.decode(schema)
    return jsonschema_rs.Draft202012Validator(decoded, pattern_options=jsonschema_rs.RegexOptions(), retriever=_refuse)


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is never fetched")


def _told(schema_path: Sequence[str | int]) -> str:
    return _TEXTS.get(str(schema_path[-1]), _OTHER) if schema_path else _OTHER


def _pointer(place: str, name: str, path: list[str | int]) -> str:
    return "/".join([place, name, *(pointer_step(str(part)) for part in path)])
