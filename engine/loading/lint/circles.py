"""Finds the cycles of any graph, however large, in time that grows with its edges alone."""

from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import TypeVar

P = TypeVar("P", bound=Hashable)


def circles(graph: Mapping[P, Collection[P]]) -> Iterator[frozenset[P]]:
    """Sets of places that all lead to one another (Tarjan's algorithm, without recursion)."""
    index: dict[P, int] = {}
    low: dict[P, int] = {}
    path: list[P] = []
    on_path: set[P] = set()
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


def _enter(name: P, index: dict[P, int], low: dict[P, int], path: list[P], on_path: set[P]) -> None:
    index[name] = low[name] = len(index)
    path.append(name)
    on_path.add(name)


def _circle(root: P, graph: Mapping[P, Collection[P]], path: list[P], on_path: set[P]) -> Iterator[frozenset[P]]:
    members = set()
    while root not in members:
        members.add(path.pop())
    on_path -= members
    if len(members) > 1 or root in graph[root]:
        yield frozenset(members)
