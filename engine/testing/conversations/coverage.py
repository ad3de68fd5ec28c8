"""How much of a flow its tests have reached, and where in its file stands what they have not."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from engine.loading import Source, Tree, read_yaml
from engine.model.effects import Visit
from engine.model.flow import Flow
from engine.testing.conversations.reach import covered, ways


class Spot(Struct, frozen=True):
    """A node, or a branch of it, and the line that it stands on."""

    node: str
    branch: str | None
    line: int


class Share(Struct, frozen=True):
    """So many of so many."""

    reached: int
    total: int


class Coverage(Struct, frozen=True):
    """One flow: how many of its nodes and branches were reached, and each that was not, in the order of the file."""

    flow: str
    file: str
    nodes: Share
    branches: Share
    missed: tuple[Spot, ...]


def coverage(flow: Flow, source: Source, visits: Iterable[Visit]) -> Coverage:
    """What the visits have reached of the flow that stands in the source; those of other flows do not count."""
    own = [visit for visit in visits if visit.flow == flow.flow]
    seen, taken, tree = {visit.node for visit in own}, covered(flow, own), read_yaml(source)
    nodes, branches = [*_nodes(flow, tree)], [*_branches(flow, tree)]
    missed = [spot for spot in nodes if spot.node not in seen] + [spot for spot in branches if (spot.node, spot.branch) not in taken]
    unseen = sum(spot.branch is None for spot in missed)
    return Coverage(
        flow=flow.flow,
        file=source.name,
        nodes=Share(len(nodes) - unseen, len(nodes)),
        branches=Share(len(branches) - len(missed) + unseen, len(branches)),
        missed=tuple(sorted(missed, key=lambda spot: spot.line)),
    )


def _nodes(flow: Flow, tree: Tree) -> Iterator[Spot]:
    return (Spot(node_id, None, tree.place("nodes", node_id)[0]) for node_id in flow.nodes)


def _branches(flow: Flow, tree: Tree) -> Iterator[Spot]:
    return (Spot(node_id, edge, tree.place(*path)[0]) for node_id, edge, path in ways(flow))
