"""Where the nodes lead: targets that do not exist, nodes that nothing leads to, cycles that never wait."""

from collections import deque
from collections.abc import Iterator, Mapping

from engine.loading.findings import Findings, shown
from engine.loading.lint.outline import NodeView, Outline, is_torn, leaves
from engine.loading.tree import Items, Leaf, Pairs, Part
from engine.model.values import END

Graph = Mapping[str, frozenset[str]]


def check_graph(outline: Outline, findings: Findings) -> None:
    """Reports every problem of the graph; what a broken node names counts as a way out of it."""
    if not outline.nodes:
        return
    edges = {view.id: frozenset(_edges(view, outline, findings)) for view in outline.nodes.values()}
    start = outline.leaf("start")
    first = next(iter(outline.nodes)) if start is None else _resolved(start, outline, findings)
    if first == END and start is not None and END not in outline.nodes:
        findings.add("target.unknown", start.start, "a flow cannot begin at its end")
    if first in outline.nodes and not any(is_torn(view.part) for view in outline.nodes.values()):
        _check_reachable(first, edges, outline, findings)
    _check_cycles(edges, outline, findings)


def _edges(view: NodeView, outline: Outline, findings: Findings) -> Iterator[str]:
    for leaf in targets(view.part):
        target = _resolved(leaf, outline, findings)
        if target is not None:
            yield target
    if view.node is None:
        yield from (str(leaf.value) for leaf in leaves(view.part) if leaf.value in outline.nodes)


def targets(part: Part) -> Iterator[Leaf]:
    """The names of nodes inside one node of any type."""
    if not isinstance(part, Pairs):
        return
    for key in ("next", "else", "on_exhausted"):
        yield from _named(part.get(key))
    timeout, routes = part.get("timeout"), part.get("routes")
    if isinstance(timeout, Pairs):
        yield from _named(timeout.get("next"))
    if isinstance(routes, Pairs):
        for entry in routes.entries.values():
            yield from _named(entry.value)
    for key in ("options", "cases"):
        branches = part.get(key)
        for branch in branches.items if isinstance(branches, Items) else ():
            if isinstance(branch, Pairs):
                yield from _named(branch.get("next"))


def _named(part: Part | None) -> Iterator[Leaf]:
    if isinstance(part, Leaf) and isinstance(part.value, str):
        yield part


def _resolved(leaf: Leaf, outline: Outline, findings: Findings) -> str | None:
    """The node meant: of a misspelt name the nearest one, so that one slip is not reported as two."""
    name = str(leaf.value)
    if name == END or name in outline.nodes:
        return name
    near = findings.nearest(name, outline.nodes)
    findings.add("target.unknown", leaf.start, f"there is no node {shown(name)}", findings.did_you_mean(near))
    return near


def _check_reachable(first: str, edges: Graph, outline: Outline, findings: Findings) -> None:
    seen, waiting = {first}, deque([first])
    while waiting:
        for target in edges.get(waiting.popleft(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    for view in outline.nodes.values():
        if view.id not in seen and view.id != END:
            findings.add("node.unreachable", view.start, f"no way leads to the node {shown(view.id)}")


def _check_cycles(edges: Graph, outline: Outline, findings: Findings) -> None:
    busy = {view.id: edges[view.id] for view in outline.nodes.values() if not view.waits}
    order = {name: number for number, name in enumerate(outline.nodes)}
    for circle in _circles(busy):
        first = min(circle, key=order.__getitem__)
        round_trip = " -> ".join(sorted(circle, key=order.__getitem__)[:5]) + (" -> ..." if len(circle) > 5 else "")  # noqa: PLR2004 - a line's worth
        if any(edges[name] - circle for name in circle):
            findings.add(
                "cycle.condition", outline.nodes[first].start, f"only a condition ends the cycle {round_trip}, and nothing in it waits"
            )
        else:
            findings.add("cycle.no_wait", outline.nodes[first].start, f"nothing waits in the cycle {round_trip}, and nothing leaves it")


def _circles(graph: Graph) -> Iterator[frozenset[str]]:
    """Sets of nodes that all lead to one another (Tarjan's algorithm, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(graph[root]))]
        _enter(root, index, low, path, on_path)
        while work:
            name, rest = work[-1]
            following = next((one for one in rest if one in graph and (one not in index or one in on_path)), None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    yield from _circle(name, graph, path, on_path)
            elif following in index:
                low[name] = min(low[name], index[following])
            else:
                _enter(following, index, low, path, on_path)
                work.append((following, iter(graph[following])))


def _enter(name: str, index: dict[str, int], low: dict[str, int], path: list[str], on_path: set[str]) -> None:
    index[name] = low[name] = len(index)
    path.append(name)
    on_path.add(name)


def _circle(root: str, graph: Graph, path: list[str], on_path: set[str]) -> Iterator[frozenset[str]]:
    members = set()
    while root not in members:
        members.add(path.pop())
    on_path -= members
    if len(members) > 1 or root in graph[root]:
        yield frozenset(members)
