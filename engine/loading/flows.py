"""Loads flow files: text in, flows and everything that is wrong with them out."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from engine.loading.absent import FLOW_WORDS
from engine.loading.decode import Decoding
from engine.loading.digest import flow_digest, tree_digest
from engine.loading.findings import Findings, shown
from engine.loading.lint import check
from engine.loading.lint.names import has_too_many_nodes
from engine.loading.lint.outline import outline
from engine.loading.lint.requests import check_connections
from engine.loading.neighbourhood import Member, check_neighbourhood
from engine.loading.reader import read_yaml
from engine.loading.tree import Pairs, Source, Tree
from engine.model.flow import Flow
from engine.model.problems import Diagnostic

_NONE: Final[Mapping[str, Flow]] = MappingProxyType({})


class Loaded(Struct, frozen=True):
    """What became of one file; `flow` is None when it has an error."""

    flow: Flow | None
    diagnostics: tuple[Diagnostic, ...]
    """In the order of their places."""
    digest: str
    """SHA-256 (hex) of the content: the same for the same meaning, whatever the comments and the layout."""
    source: Source
    id: str | None
    """The flow's id, also of one that has errors; None where it has none."""


class _Draft(Struct, frozen=True):
    """A file that was read and checked by itself."""

    source: Source
    tree: Tree
    member: Member

    @property
    def findings(self) -> Findings:
        """What is wrong with it."""
        return self.member.findings


def load_flow(source: Source, neighbours: Mapping[str, Flow] | None = None) -> Loaded:
    """One file; `neighbours` (flow id to flow) are all other flows. Without them it may call any flow: nobody knows which there are."""
    return _together([source], _NONE if neighbours is None else neighbours, whole=neighbours is not None)[0]


def load_flows(
    sources: Sequence[Source], others: Mapping[str, Flow] = _NONE, *, connections: Collection[str] | None = None
) -> list[Loaded]:
    """Files that know each other, in the order given; `others` are published already, and give way to a file of the same id.

    Together they are all flows that there are, and `connections` the names of all connections; None: nobody knows which there are.
    A flow id or an intent that is taken is reported at the second place.
    """
    return _together(sources, others, connections, whole=True)


def _together(
    sources: Sequence[Source], others: Mapping[str, Flow], connections: Collection[str] | None = None, *, whole: bool
) -> list[Loaded]:
    drafts = [_draft(source) for source in sources]
    _check_ids(drafts)
    _check_intents(drafts, others)
    check_neighbourhood([draft.member for draft in drafts], others, whole=whole)
    if connections is not None:
        for draft in drafts:
            if draft.member.outline is not None:
                check_connections(draft.member.outline, connections, draft.findings)
    return [_loaded(draft) for draft in drafts]


def _draft(source: Source) -> _Draft:
    tree = read_yaml(source)
    findings = Findings(tree.file, tree.lines)
    named = _text(tree, "flow")
    name = None if named is None else named[0]
    if has_too_many_nodes(tree, findings):
        return _Draft(source, tree, Member(name, None, findings))
    decoding = Decoding(tree, findings, FLOW_WORDS)
    flow = decoding.root(Flow)
    if not isinstance(tree.root, Pairs):
        return _Draft(source, tree, Member(name, flow, findings))
    seen = outline(tree, tree.root, decoding)
    return _Draft(source, tree, Member(name, flow, findings, seen, check(seen, findings)))


def _loaded(draft: _Draft) -> Loaded:
    flow, found = draft.member.flow, draft.findings.sorted(*draft.tree.diagnostics)
    sound = flow is not None and all(one.severity == "warning" for one in found)
    digest = flow_digest(flow) if flow is not None and flow.nodes else tree_digest(draft.tree)
    return Loaded(flow if sound else None, tuple(found), digest, draft.source, draft.member.id)


def _flow_id(draft: _Draft) -> tuple[str, int] | None:
    return _text(draft.tree, "flow")


def _text(tree: Tree, *path: str) -> tuple[str, int] | None:
    found = tree.find(*path)
    return (found.value, found.start) if found is not None and isinstance(found.value, str) else None


def _check_ids(drafts: Sequence[_Draft]) -> None:
    first: dict[str, str] = {}
    for draft in drafts:
        if (named := _flow_id(draft)) is None:
            continue
        if named[0] in first:
            draft.findings.add("flow.duplicate", named[1], f"the flow {shown(named[0])} stands in {first[named[0]]} too")
        first.setdefault(named[0], draft.source.name)


def _check_intents(drafts: Sequence[_Draft], others: Mapping[str, Flow]) -> None:
    ids = {named[0] for draft in drafts if (named := _flow_id(draft)) is not None}
    taken = {flow.intent_name: f"the flow {name}" for name, flow in others.items() if name not in ids and flow.intent_name}
    for draft in drafts:
        if (intent := _intent(draft)) is None:
            continue
        if intent[0] in taken:
            draft.findings.add("intent.duplicate", intent[1], f"the intent {shown(intent[0])} belongs to {taken[intent[0]]} already")
        taken.setdefault(intent[0], draft.source.name)


def _intent(draft: _Draft) -> tuple[str, int] | None:
    """The intent's name and place: the key `intent` where the name is the flow's id."""
    root = draft.tree.root
    if not isinstance(root, Pairs) or not isinstance(root.get("intent"), Pairs):
        return None
    flow = _flow_id(draft)
    implied = None if flow is None else (flow[0], root.entries["intent"].start)
    return _text(draft.tree, "intent", "name") or implied
