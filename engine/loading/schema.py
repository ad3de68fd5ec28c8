"""The JSON Schema of flow files, for editors: made from the model's types, so that it cannot say anything else than they do."""

import ast
import inspect
from itertools import pairwise
from typing import Any, Final, get_args

import msgspec

from engine.loading.lint.names import MOST_NODES
from engine.loading.wording import KEYS
from engine.model import inputs
from engine.model.flow import Command, Flow, Icon, Intent, Subscription
from engine.model.nodes import Case, Cause, Check, Node, Reminder, Share, Timeout
from engine.model.values import END, Name

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_NAME: Final[str] = msgspec.json.schema(Name)["pattern"]
_DESCRIBED: Final = (
    Flow,
    Intent,
    Icon,
    Command,
    Subscription,
    Timeout,
    Reminder,
    Case,
    Share,
    Check,
    Cause,
    inputs.Option,
    inputs.Branch,
    inputs.MadeOptions,
    inputs.Validation,
    inputs.FormField,
    inputs.MadeFields,
    inputs.MadeField,
    *get_args(Node),
)
_ONE_OF: Final = {"Command": ("next", "reply"), "Wait": ("for", "until", "event", "any"), "Cause": ("for", "until", "event")}
"""Keys of which exactly one must be there: types cannot say it."""


def flow_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of one flow file: takes every valid flow, and refuses what the types refuse."""
    generated = msgspec.json.schema(Flow)
    definitions: dict[str, Any] = generated["$defs"]
    for cls in _DESCRIBED:
        _describe(definitions[cls.__name__], cls)
    for name, keys in _ONE_OF.items():
        definitions[name]["oneOf"] = [{"required": [key], "properties": {key: {"not": {"type": "null"}}}} for key in keys]
    for cls in get_args(Node):
        definitions[cls.__name__]["properties"]["type"] = {"const": cls.__struct_config__.tag, "description": KEYS["type"]}
    _name_keys(definitions)
    return {"$schema": DIALECT, **definitions.pop("Flow"), "$defs": definitions}


def _name_keys(definitions: dict[str, Any]) -> None:
    """What stands under free keys: names."""
    flow, named = definitions["Flow"]["properties"], {"pattern": _NAME}
    for key in ("inputs", "variables", "outputs"):
        flow[key]["propertyNames"] = named
    flow["nodes"] |= {
        "propertyNames": named | {"not": {"const": END}},
        "minProperties": 1,
        "maxProperties": MOST_NODES,
    }
    definitions["Assign"]["properties"]["values"]["propertyNames"] = {"pattern": _NAME.replace("^", r"^(conversation\.)?")}


def _describe(definition: dict[str, Any], cls: type) -> None:
    """Docstrings as descriptions: the class's first paragraph, and what stands below its keys, else what is said of such keys anywhere.

    What is None in a Struct is left out in a file.
    """
    definition["description"] = inspect.cleandoc(cls.__doc__ or "").partition("\n\n```")[0]
    renamed = dict(zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True))  # type: ignore[attr-defined]
    said = {name: text for one in reversed(cls.__mro__) if one.__module__.startswith("engine.") for name, text in _said_below(one).items()}
    described = {**KEYS, **{renamed[name]: text for name, text in said.items()}}
    for key, schema in definition["properties"].items():
        if key in described:
            schema["description"] = described[key].replace("None: ", "Left out: ")


def _said_below(cls: type) -> dict[str, str]:
    """Field to the docstring below it."""
    body = ast.parse(inspect.getsource(cls)).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    found = {}
    for field, text in pairwise(statements):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as said)):
                found[name] = said
            case _:
                continue
    return found
