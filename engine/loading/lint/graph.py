"""Where the nodes lead: targets that do not exist, and nodes that nothing leads to."""

from collections import deque
from collections.abc import Iterator, Mapping

from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import NodeView, Outline, is_torn, leaves
from engine.loading.lint.ways import Ways, ways
from engine.loading.tree import Items, Leaf, Pairs, Part
from engine.model.nodes import Asking
from engine.model.values import END


def check_graph(outline: Outline, findings: Findings) -> Ways:
    """Reports targets and nodes that are lost; what a broken node names counts as a way out of it."""
    edges = {view.id: frozenset(_edges(view, outline, findings)) for view in outline.nodes.values()}
    commands = frozenset(_of_commands(outline, findings))
    start = outline.leaf("start")
    first = next(iter(outline.nodes), None) if start is None else _resolved(start, outline, findings)
    if first == END and start is not None and END not in outline.nodes:
        findings.add("target.unknown", start.start, "a flow cannot begin at its end")
    known = first if first in outline.nodes and not outline.tree.diagnostics else None
    found = ways(known, edges, {view.id: view.node for view in outline.nodes.values()})
    torn = outline.tree.diagnostics and any(is_torn(view.part) for view in outline.nodes.values())
    if first in outline.nodes and not torn:
        written, taken = (_reached(str(first), graph, commands, outline) for graph in (edges, found.edges))
        _check_reached(written, taken, outline, findings)
    return found


def _edges(view: NodeView, outline: Outline, findings: Findings) -> Iterator[str]:
    yield from _all_resolved(targets(view.part), outline, findings)
    if view.node is None:
        yield from (str(leaf.value) for leaf in leaves(view.part) if leaf.value in outline.nodes)


def _of_commands(outline: Outline, findings: Findings) -> Iterator[str]:
    """Where the flow's commands lead from every asking node."""
    part = outline.root.get("commands")
    for command in part.items if isinstance(part, Items) and outline.nodes else ():
        if isinstance(command, Pairs):
            yield from _all_resolved(_named(command.get("next")), outline, findings)


def targets(part: Part) -> Iterator[Leaf]:
    """The names of nodes inside one node of any type."""
    if not isinstance(part, Pairs):
        return
    for key in ("next", "else", "on_exhausted", "on_expired", "on_failed"):
        yield from _named(part.get(key))
    timeout = part.get("timeout")
    if isinstance(timeout, Pairs):
        yield from _named(timeout.get("next"))
    for key in ("routes", "on_error"):
        ways_out = part.get(key)
        for entry in ways_out.entries.values() if isinstance(ways_out, Pairs) else ():
            yield from _named(entry.value)
    yield from _named(part.get("on_error"))
    for key in ("options", "cases", "branches"):
        branches = part.get(key)
        for branch in branches.items if isinstance(branches, Items) else ():
            if isinstance(branch, Pairs):
                yield from _named(branch.get("next"))


def _named(part: Part | None) -> Iterator[Leaf]:
    if isinstance(part, Leaf) and isinstance(part.value, str):
        yield part


def _all_resolved(named: Iterator[Leaf], outline: Outline, findings: Findings) -> Iterator[str]:
    for leaf in named:
        target = _resolved(leaf, outline, findings)
        if target is not None:
            yield target


def _resolved(leaf: Leaf, outline: Outline, findings: Findings) -> str | None:
    """The node meant: of a misspelt name the nearest one, so that one slip is not reported as two."""
    name = str(leaf.value)
    if name == END or name in outline.nodes:
        return name
    near = findings.nearest(name, {*outline.nodes, END})
    findings.add("target.unknown", leaf.start, f"there is no node {shown(name)}", findings.did_you_mean(near))
    return near


def _reached(first: str, edges: Mapping[str, frozenset[str]], commands: frozenset[str], outline: Outline) -> set[str]:
    seen, waiting = {first}, deque([first])
    while waiting:
        name = waiting.popleft()
        view = outline.nodes.get(name)
        asks = view is not None and (view.known is None or isinstance(view.known, Asking))
        fresh = (edges.get(name, frozenset()) | commands if asks else edges.get(name, frozenset())) - seen
        if asks:
            commands = frozenset()  # once they are reached, the other questions need not lead there
        seen |= fresh
        waiting.extend(fresh)
    return seen


def _check_reached(written: set[str], taken: set[str], outline: Outline, findings: Findings) -> None:
    for view in outline.nodes.values():
        if view.id in taken or view.id == END:
            continue
        if view.id not in written:
            findings.add("node.unreachable", view.start, f"no way leads to the node {shown(view.id)}")
        else:
            message = f"no way leads to the node {shown(view.id)} but over branches without weight"
            findings.add("node.never", view.start, message, "give one of them a weight")
