"""Flows made ready to run: every template of a flow compiled once, when the flow is loaded."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from engine.expressions import Reference, Template, compile_expression, compile_template
from engine.interpreter.lists import made_lists
from engine.model.flow import Flow
from engine.model.inputs import MadeFields
from engine.model.nodes import Ask, Assign, Call, Choice, Form, Http, Node, Switch, Task, Wait
from engine.model.run import FlowRef
from engine.model.values import Json

_OPENING: Final = "{{"
_ANSWERS: Final = frozenset({"value", "values"})
"""Roots that are there while an answer is checked; loading has refused them, and those of lists, in all other places."""


class CompiledFlow(Struct, frozen=True, eq=False):
    """A version of a flow with its templates and bare expressions, found by their source text."""

    ref: FlowRef
    flow: Flow
    templates: Mapping[str, Template]
    expressions: Mapping[str, Template]
    variables: Mapping[str, Json]
    """First values: of every variable that the flow declares, sets or saves anywhere; null until then."""
    nodes: Mapping[str, dict[str, Json]]
    """What `nodes.ID` shows, before it was visited, of each asking node that some expression reads."""
    callbacks: frozenset[str]
    """The event waits whose callback some expression reads."""
    reads_now: bool


class Book(Protocol):
    """The compiled flows of one tenant, as they are while a turn is decided."""

    def __call__(self, ref: FlowRef) -> CompiledFlow:
        """The version that some run stands in."""

    def newest(self, flow: str) -> CompiledFlow | None:
        """The newest published version of a flow, for calls and jumps; None when there is none."""


def compile_flow(ref: FlowRef, flow: Flow) -> CompiledFlow:
    """The flow ready to run; raises ExpressionError where a template does not compile (loading has refused such a flow)."""
    lists = [made for node in flow.nodes.values() for made in made_lists(node)]
    local = _ANSWERS | {name for made in lists for name in (made.name, "index")}
    written = {key: part for key, part in msgspec.to_builtins(flow).items() if key != "inputs"}  # a schema means what it says
    templates = {text: compile_template(text, local) for text in set(_texts(written)) if _OPENING in text}
    bare = {*(made.each for made in lists), *(text for node in flow.nodes.values() for text in _conditions(node))}
    expressions = {text: compile_expression(text, local) for text in bare}
    references = [reference for template in (*templates.values(), *expressions.values()) for reference in template.references]
    read = _parts(references, "nodes")
    return CompiledFlow(
        ref=ref,
        flow=flow,
        templates=templates,
        expressions=expressions,
        variables={**dict.fromkeys(written_variables(flow)), **flow.variables},
        nodes={node_id: _unvisited(node) for node_id, node in flow.nodes.items() if node_id in read},
        callbacks=frozenset(_parts(references, "callbacks") & flow.nodes.keys()),
        reads_now=any(reference.root == "now" for reference in references),
    )


def _parts(references: Iterable[Reference], root: str) -> set[str]:
    return {str(reference.path[0]) for reference in references if reference.root == root and reference.path}


def written_variables(flow: Flow) -> set[str]:
    """Names that the flow sets or saves anywhere, `error` among them, since a failing node writes it."""
    names = {"error"}
    for node_id, node in flow.nodes.items():
        match node:
            case Ask() | Choice():
                names.add(node.save or node_id)
            case Form():
                names.update([node.save] if node.save else _field_names(node))
            case Assign():
                names.update(name for name in node.values if not name.startswith("conversation."))
            case Http() | Task() | Call() | Wait():
                names.update([node.save] if node.save else [])
            case _:
                pass
    return names


def _conditions(node: Node) -> list[str]:
    match node:
        case Switch():
            return [case.when for case in node.cases]
        case Ask() | Form():
            return [check.that for check in node.check]
        case _:
            return []


def _field_names(form: Form) -> list[str]:
    fields = [] if isinstance(form.fields, MadeFields) else form.fields
    return [field.name for field in fields if field.name]


def _unvisited(node: Node) -> dict[str, Json]:
    match node:
        case Ask() | Choice():
            return {"value": None, "last": None, "attempts": 0}
        case Form():
            return {"values": {}, "last": None, "attempts": 0}
        case _:
            return {}


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case _:
            pass
