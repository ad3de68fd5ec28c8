"""A trigger's context, matched to the inputs that its flow declares."""

from functools import lru_cache
from typing import Any, Final

import jsonschema_rs
import msgspec

from engine.model.flow import Flow
from engine.model.problems import Problem
from engine.model.values import Json

_encoder: Final = msgspec.json.Encoder(order="deterministic")


def matched_inputs(flow: Flow, context: dict[str, Json]) -> tuple[dict[str, Json], dict[str, Json], tuple[Problem, ...]]:
    """The flow's inputs (absent: the default, else null), the rest of the context, and what is unfit, as pointers into the body."""
    inputs: dict[str, Json] = {}
    problems: list[Problem] = []
    for name, schema in flow.inputs.items():
        if context.get(name) is None:
            inputs[name] = schema.get("default")
            continue
        inputs[name] = context[name]
        faults = _validator(_encoder.encode(schema)).iter_errors(context[name])
        problems += [Problem(_pointer(name, fault.instance_path), "input", fault.message) for fault in faults]
    rest = {name: value for name, value in context.items() if name not in flow.inputs}
    return inputs, rest, tuple(problems)


@lru_cache(maxsize=1024)
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    """The compiled schema; patterns are linear in time, and nothing is fetched."""
    decoded: Any = msgspec.json.decode(schema)
    return jsonschema_rs.Draft202012Validator(decoded, pattern_options=jsonschema_rs.RegexOptions())


def _pointer(name: str, path: list[str | int]) -> str:
    return "/".join(["/context", name, *(str(part).replace("~", "~0").replace("/", "~1") for part in path)])
