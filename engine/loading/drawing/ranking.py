"""Which vertex stands how far below the start, and which edges lead back up."""

from collections import defaultdict
from collections.abc import Sequence

from engine.loading.drawing.graph import START, Edge, Graph


def ranked(graph: Graph) -> tuple[dict[str, int], frozenset[int]]:
    """Each vertex's rank, so that every edge leads down but those whose numbers are given, which close a circle."""
    ids = [vertex.id for vertex in graph.vertices]
    outgoing: dict[str, list[int]] = defaultdict(list)
    for number, edge in enumerate(graph.edges):
        outgoing[edge.source].append(number)
    order, back = _searched(ids, outgoing, graph.edges)
    ranks = dict.fromkeys(ids, 0)
    for name in order:
        for number in outgoing[name]:
            if number not in back:
                target = graph.edges[number].target
                ranks[target] = max(ranks[target], ranks[name] + 1)
    _lower_roots(ids, graph.edges, ranks)
    return ranks, frozenset(back)


def _searched(ids: Sequence[str], outgoing: dict[str, list[int]], edges: Sequence[Edge]) -> tuple[list[str], set[int]]:
    """The vertices, each before all that it leads to, and the edges that lead back to where the search came from."""
    finished: list[str] = []
    back: set[int] = set()
    seen: set[str] = set()
    under_way: set[str] = set()
    for root in ids:
        if root in seen:
            continue
        seen.add(root)
        under_way.add(root)
        path = [(root, iter(outgoing[root]))]
        while path:
            name, ways = path[-1]
            number = next(ways, None)
            if number is None:
                path.pop()
                under_way.discard(name)
                finished.append(name)
            elif (target := edges[number].target) in under_way:
                back.add(number)
            elif target not in seen:
                seen.add(target)
                under_way.add(target)
                path.append((target, iter(outgoing[target])))
    return finished[::-1], back


def _lower_roots(ids: Sequence[str], edges: Sequence[Edge], ranks: dict[str, int]) -> None:
    """What nothing leads to, such as the commands, stands just above the first that it leads to."""
    reached = {edge.target for edge in edges}
    targets: dict[str, list[int]] = defaultdict(list)
    for edge in edges:
        targets[edge.source].append(ranks[edge.target])
    for name in ids:
        if name not in reached and name != START:
            ranks[name] = max(0, min(targets[name], default=1) - 1)
