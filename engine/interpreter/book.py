"""Flows made ready to run: every template of a flow compiled once, when the flow is loaded."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.expressions import Template, compile_expression, compile_template
from engine.model.flow import Flow
from engine.model.nodes import Ask, Assign, Choice, Form, Http, Node, Switch
from engine.model.run import FlowRef
from engine.model.values import Json

_OPENING: Final = "{{"


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
    reads_now: bool


Book = Callable[[FlowRef], CompiledFlow]
"""Gives the compiled flow of a version that some run stands in."""


def compile_flow(ref: FlowRef, flow: Flow) -> CompiledFlow:
    """The flow ready to run; raises ExpressionError where a template does not compile (loading has refused such a flow)."""
    templates = {text: compile_template(text) for text in set(_texts(msgspec.to_builtins(flow))) if _OPENING in text}
    bare = {case.when for node in flow.nodes.values() if isinstance(node, Switch) for case in node.cases}
    expressions = {text: compile_expression(text) for text in bare}
    references = [reference for template in (*templates.values(), *expressions.values()) for reference in template.references]
    read = {str(reference.path[0]) for reference in references if reference.root == "nodes" and reference.path}
    return CompiledFlow(
        ref=ref,
        flow=flow,
        templates=templates,
        expressions=expressions,
        variables={**dict.fromkeys(written_variables(flow)), **flow.variables},
        nodes={node_id: _unvisited(node) for node_id, node in flow.nodes.items() if node_id in read},
        reads_now=any(reference.root == "now" for reference in references),
    )


def written_variables(flow: Flow) -> set[str]:
    """Names that the flow sets or saves anywhere, `error` among them, since a failing node writes it."""
    names = {"error"}
    for node_id, node in flow.nodes.items():
        match node:
            case Ask() | Choice():
                names.add(node.save or node_id)
            case Form():
                names.update([node.save] if node.save else [field.name for field in node.fields if field.name])
            case Assign():
                names.update(name for name in node.values if not name.startswith("conversation."))
            case Http():
                names.update([node.save] if node.save else [])
            case _:
                pass
    return names


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
