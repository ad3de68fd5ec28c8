"""The graph made proper: every edge a chain of slots, each in the rank next to the one before.

A box's rank is doubled, so that labels have the odd ranks to themselves. Edges that go further than to the next rank run through a lane,
which all edges to the same target share: one line for each target, not one for each edge. An edge that leads back up turns around below its
source into a lane, and out of it above its target. Lanes are slots like the boxes, so no line ever crosses a box; where lanes would take
too many slots, the longest run beside the drawing.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from engine.loading.drawing.graph import Graph
from engine.loading.drawing.ranking import ranked

_MOST_SLOTS: Final = 6_000
"""That lanes may take."""
_MOST_PASSED: Final = 20_000
"""Ranks that edges may pass on lanes, each counted for each edge: so long does the drawing become."""


class Slot(Struct):
    """Something that takes room in a rank: a box, a label, or a lane's passage."""

    rank: int
    width: float
    is_passage: bool = False


class Lane(Struct):
    """The line on which edges come to one target from afar."""

    target: int
    upward: bool
    first: int
    last: int
    """Ranks that it passes, both of them included."""
    passed: int = 0
    """Ranks that its edges pass on it, taken together."""
    slots: dict[int, int] = {}
    """Rank to slot; none where it runs beside the drawing."""
    aside: float = 0.0
    """How far to the right it runs there."""


class Route(Struct):
    """How one edge is drawn: its source, its label's slot, if any, the lane that it takes, if any, from that rank on, and its target."""

    source: int
    target: int
    label: int | None = None
    lane: Lane | None = None
    joins: int = 0


class Layers(Struct):
    """Slots by rank, and which are joined to which in the ranks next to them."""

    slots: list[Slot]
    ranks: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]
    beside: dict[int, int] = field(default_factory=dict)
    """A lane's end to the slot in the same rank that its line turns to."""
    routes: list[Route] = field(default_factory=list)
    aside: list[Lane] = field(default_factory=list)


def layered(graph: Graph, boxes: Mapping[str, float], labels: Mapping[int, float]) -> Layers:
    """Slots for every vertex (id to width), in their order, then for every label (number of the edge to width) and every lane."""
    ranks, back = ranked(graph)
    made = Layers([], [], [], [])
    numbers = {vertex.id: _add(made, Slot(2 * ranks[vertex.id], boxes[vertex.id])) for vertex in graph.vertices}
    lanes: dict[tuple[int, bool], Lane] = {}
    for number, edge in enumerate(graph.edges):
        route = Route(numbers[edge.source], numbers[edge.target])
        if number in labels:
            route.label = _add(made, Slot(made.slots[route.source].rank + 1, labels[number]))
        _take_lane(made, route, lanes, upward=number in back)
        made.routes.append(route)
    _lay_lanes(made, list(lanes.values()))
    for route in made.routes:
        _join_route(made, route)
    return made


def _add(layers: Layers, slot: Slot) -> int:
    number = len(layers.slots)
    layers.slots.append(slot)
    layers.above.append([])
    layers.below.append([])
    while len(layers.ranks) <= slot.rank:
        layers.ranks.append([])
    layers.ranks[slot.rank].append(number)
    return number


def _take_lane(layers: Layers, route: Route, lanes: dict[tuple[int, bool], Lane], *, upward: bool) -> None:
    """Put the edge on its target's lane, which is made as long as it must be."""
    leaves = layers.slots[route.source if route.label is None else route.label].rank
    arrives = layers.slots[route.target].rank
    first, last = (arrives, leaves) if upward else (leaves + 1, arrives - 1)
    if first > last:
        return
    lane = lanes.setdefault((route.target, upward), Lane(route.target, upward, first, last))
    lane.first, lane.last = min(lane.first, first), max(lane.last, last)
    lane.passed += last - first + 1
    route.lane, route.joins = lane, last if upward else first


def _lay_lanes(layers: Layers, lanes: list[Lane]) -> None:
    """Give slots to the lanes, the shortest first, while there is room; those without run beside the drawing."""
    slots, passed = 0, 0
    for lane in sorted(lanes, key=lambda lane: lane.passed):
        slots, passed = slots + lane.last - lane.first + 1, passed + lane.passed
        if slots > _MOST_SLOTS or passed > _MOST_PASSED:
            layers.aside.append(lane)
            continue
        lane.slots = {rank: _add(layers, Slot(rank, 0.0, is_passage=True)) for rank in range(lane.first, lane.last + 1)}
        for rank in range(lane.first, lane.last):
            _join(layers, lane.slots[rank], lane.slots[rank + 1])
        end = lane.slots[lane.first if lane.upward else lane.last]
        if lane.upward:
            layers.beside[end] = lane.target
        else:
            _join(layers, end, lane.target)


def _join_route(layers: Layers, route: Route) -> None:
    leaving = route.source
    if route.label is not None:
        _join(layers, leaving, route.label)
        leaving = route.label
    if route.lane is None:
        _join(layers, leaving, route.target)
    elif route.lane.slots:
        entered = route.lane.slots[route.joins]
        if not route.lane.upward:
            _join(layers, leaving, entered)
        else:
            layers.beside.setdefault(entered, leaving)


def _join(layers: Layers, upper: int, lower: int) -> None:
    if lower not in layers.below[upper]:
        layers.below[upper].append(lower)
        layers.above[lower].append(upper)
