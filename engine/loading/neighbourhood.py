"""What can be wrong between flows: calls that lead nowhere, cycles across flows, and those that keep a caller waiting."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from engine.loading.findings import Findings
from engine.loading.lint.calls import check_calls, check_patience
from engine.loading.lint.cycles import check_cycles
from engine.loading.lint.outline import Outline
from engine.loading.lint.ways import Ways, ways_of
from engine.loading.lint.web import Key, Web
from engine.model.flow import Flow
from engine.model.nodes import Call


class Member(Struct, frozen=True):
    """A file as its neighbours see it."""

    id: str | None
    """The flow's id; None where it has none."""
    flow: Flow | None
    """None where its words are not those of a flow."""
    findings: Findings
    outline: Outline | None = None
    ways: Ways | None = None


def check_neighbourhood(members: Sequence[Member], others: Mapping[str, Flow], *, whole: bool) -> None:
    """Reports what is wrong between the files, and between them and the others; `whole` when there are no more flows than these."""
    flows = dict[str, Flow | None](others)
    flows.update((member.id, member.flow) for member in reversed(members) if member.id is not None)
    called = set(_called(members, others, flows))
    for member in members:
        if member.outline is not None:
            check_calls(member.outline, flows, member.findings, whole=whole)
            if member.id in called:
                check_patience(member.outline, member.findings)
    _check_cycles(members, others, flows)


def _called(members: Sequence[Member], others: Mapping[str, Flow], flows: Mapping[str, Flow | None]) -> Iterable[str]:
    """Every flow that another one calls."""
    for member in members:
        if member.ways is not None:
            yield from (call.flow for call in member.ways.calls.values() if call.flow != member.id)
    for name, flow in others.items():
        if flows[name] is flow:
            yield from (node.flow for node in flow.nodes.values() if isinstance(node, Call) and node.flow != name)


def _check_cycles(members: Sequence[Member], others: Mapping[str, Flow], flows: Mapping[str, Flow | None]) -> None:
    graphs: dict[Key, Ways] = {number: member.ways for number, member in enumerate(members) if member.ways is not None}
    ids: dict[str, Key] = {}
    for number, member in enumerate(members):
        if member.id is not None and member.ways is not None:
            ids.setdefault(member.id, number)
    _add_published(graphs, ids, {name: flow for name, flow in others.items() if flows[name] is flow})
    checked: dict[Key, tuple[Outline, Findings]] = {
        number: (one.outline, one.findings) for number, one in enumerate(members) if one.outline is not None
    }
    names: dict[Key, str] = {number: member.id or "" for number, member in enumerate(members)}
    names.update((key, name) for name, key in ids.items() if key == name)
    check_cycles(Web(graphs, ids), checked, names)


def _add_published(graphs: dict[Key, Ways], ids: dict[str, Key], others: Mapping[str, Flow]) -> None:
    """Adds those of the others that the files lead to, however many flows are between."""
    waiting = list(graphs.values())
    while waiting:
        ways = waiting.pop()
        for name in {*(call.flow for call in ways.calls.values()), *(jump.flow for jump in ways.jumps.values())}:
            if name in others and name not in ids:
                ids[name] = name
                graphs[name] = ways_of(others[name])
                waiting.append(graphs[name])
