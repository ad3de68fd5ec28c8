"""Flows that others call: they must exist and take what is passed to them, and should not keep a caller waiting."""

from collections.abc import Mapping

from engine.loading.findings import Findings, shown
from engine.loading.lint.answers import has_template
from engine.loading.lint.outline import NodeView, Outline
from engine.loading.lint.schemas import MOST_WORK, cost, schema_of, unfit
from engine.loading.lint.waits import has_no_end
from engine.loading.tree import Pairs, plain
from engine.model.flow import Flow
from engine.model.nodes import Call, Jump


def check_calls(outline: Outline, flows: Mapping[str, Flow | None], findings: Findings, *, whole: bool) -> None:
    """Reports calls and jumps to flows that do not exist (where the `flows` are the whole of them), and inputs that these do not take."""
    work = MOST_WORK
    for view in outline.nodes.values():
        if not isinstance(view.known, Call | Jump) or view.seen is None or not view.seen.knows("flow"):
            continue
        name = view.known.flow
        if name in flows:
            callee = flows[name]
            work = work if callee is None else _check_inputs(view, callee, work, findings)
        elif whole:
            findings.add("flow.unknown", view.value_at("flow"), f"there is no flow {shown(name)}", findings.meant(name, flows.keys()))


def _check_inputs(view: NodeView, callee: Flow, work: int, findings: Findings) -> int:
    """Checks what one call passes; returns the work that remains."""
    part = view.part.get("inputs") if isinstance(view.part, Pairs) else None
    for name, entry in part.entries.items() if isinstance(part, Pairs) else ():
        if name not in callee.inputs:
            message = f"the flow {shown(callee.flow)} declares no input {shown(name)}"
            findings.add("input.unknown", entry.start, message, findings.meant(name, callee.inputs))
            continue
        value = plain(entry.value)
        if value is None or has_template(value):
            continue
        schema = schema_of(callee.inputs[name])
        work -= cost(schema, value)
        if work > 0 and (fault := unfit(schema, value)) is not None:
            findings.add("value.wrong", entry.value.start, f"the flow {shown(callee.flow)} takes no such {shown(name)}: {fault}")
    return work


def check_patience(outline: Outline, findings: Findings) -> None:
    """Warns of waits for somebody without a timeout, in a flow that others call: the caller waits as long."""
    for view in outline.nodes.values():
        if has_no_end(view):
            message = f"other flows call this one, and nothing but its bound ends the wait at {shown(view.id)}"
            findings.add("wait.no_timeout", view.start, message, "give it a `timeout`")
