"""Where everything stands: boxes, labels, and the line of each edge."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from msgspec import Struct

from engine.loading.drawing.coordinates import across
from engine.loading.drawing.graph import Graph
from engine.loading.drawing.layers import Lane, Layers, Route, layered
from engine.loading.drawing.lines import Line, Point
from engine.loading.drawing.ordering import order

Size = tuple[float, float]

_GAP: Final = 26.0
_NARROW: Final = 14.0
_BETWEEN: Final = 29.0
"""Between a rank of boxes and the rank of labels below it, and again to the next boxes."""
_CLOSE: Final = 23.0
"""The same where there are no labels."""
_HEAD: Final = 10.0
"""The upright part that ends in an arrow's head."""


class Layout(Struct, frozen=True):
    """A drawing's measures: the middle of the upper edge of every box and label, and the path of every edge."""

    size: Size
    boxes: dict[str, Point]
    labels: dict[int, Point]
    """By the number of the edge."""
    paths: tuple[str, ...]


class _Grid(Struct, frozen=True):
    """The middle of every slot, and where every rank begins and ends."""

    layers: Layers
    across: list[float]
    tops: list[float]
    bottoms: list[float]
    heights: list[float]
    width: float


def lay_out(graph: Graph, boxes: Mapping[str, Size], labels: Mapping[int, Size]) -> Layout:
    """The layout for boxes (by id) and labels (by the number of the edge) of these sizes."""
    layers = layered(graph, {name: width for name, (width, _) in boxes.items()}, {number: width for number, (width, _) in labels.items()})
    order(layers)
    heights = _heights(layers, graph, boxes, labels)
    grid = _grid(layers, heights)
    numbers = {vertex.id: number for number, vertex in enumerate(graph.vertices)}
    return Layout(
        size=(grid.width, grid.bottoms[-1]),
        boxes={name: (grid.across[number], grid.tops[layers.slots[number].rank]) for name, number in numbers.items()},
        labels={
            number: (grid.across[route.label], grid.tops[layers.slots[route.label].rank])
            for number, route in enumerate(layers.routes)
            if route.label is not None
        },
        paths=tuple(_path(grid, route) for route in layers.routes),
    )


def _heights(layers: Layers, graph: Graph, boxes: Mapping[str, Size], labels: Mapping[int, Size]) -> list[float]:
    """Of every slot; a passage has none."""
    heights = [0.0] * len(layers.slots)
    for number, vertex in enumerate(graph.vertices):
        heights[number] = boxes[vertex.id][1]
    for number, route in enumerate(layers.routes):
        if route.label is not None:
            heights[route.label] = labels[number][1]
    return heights


def _grid(layers: Layers, heights: list[float]) -> _Grid:
    tall = [max((heights[slot] for slot in rank), default=0.0) for rank in layers.ranks]
    tops: list[float] = [0.0]
    bottoms: list[float] = [tall[0]]
    for before, height in pairwise(tall):
        tops.append(bottoms[-1] + (_BETWEEN if before and height else _CLOSE))
        bottoms.append(tops[-1] + height)
    places = across(layers, _GAP, _NARROW)
    left = min(place - layers.slots[slot].width / 2 for slot, place in enumerate(places))
    places = [place - left for place in places]
    edge = max(place + layers.slots[slot].width / 2 for slot, place in enumerate(places))
    return _Grid(layers, places, tops, bottoms, heights, _set_aside(layers.aside, edge + _GAP))


def _set_aside(lanes: list[Lane], left: float) -> float:
    """Give each lane its place beside the drawing, one below the other where they can be; gives where the last one ends."""
    ends: list[int] = []
    for lane in sorted(lanes, key=lambda lane: lane.first):
        column = next((column for column, end in enumerate(ends) if end < lane.first), len(ends))
        ends[column : column + 1] = [lane.last]
        lane.aside = left + column * _NARROW
    return left + len(ends) * _NARROW if lanes else left - _GAP


def _path(grid: _Grid, route: Route) -> str:
    """Down from the source through its label; through its lane, if it has one; and down into the target."""
    line = Line(grid.across[route.source], _end(grid, route.source))
    rank = grid.layers.slots[route.source].rank
    line.fall(grid.bottoms[rank])
    if route.label is not None:
        rank += 1
        line.sway(grid.across[route.label], grid.tops[rank])
        line.fall(grid.bottoms[rank])
    if route.lane is not None and route.lane.upward:
        _climb(grid, route, route.lane, line)
    elif route.lane is not None:
        _descend(grid, route, route.lane, line)
    target = grid.layers.slots[route.target].rank
    if route.lane is None or not route.lane.upward:
        line.sway(grid.across[route.target], grid.tops[target] - _HEAD)
        line.fall(grid.tops[target])
    return line.path()


def _end(grid: _Grid, slot: int) -> float:
    return grid.tops[grid.layers.slots[slot].rank] + grid.heights[slot]


def _descend(grid: _Grid, route: Route, lane: Lane, line: Line) -> None:
    if not lane.slots:
        line.sway(lane.aside, grid.tops[route.joins])
        line.fall(grid.bottoms[lane.last])
        return
    for rank in range(route.joins, lane.last + 1):
        line.sway(grid.across[lane.slots[rank]], grid.tops[rank])
        line.fall(grid.bottoms[rank])


def _climb(grid: _Grid, route: Route, lane: Lane, line: Line) -> None:
    line.turn(grid.across[lane.slots[route.joins]] if lane.slots else lane.aside, _CLOSE)
    for rank in range(route.joins, lane.first - 1, -1) if lane.slots else ():
        if rank != route.joins:
            line.sway(grid.across[lane.slots[rank]], grid.bottoms[rank])
        line.fall(grid.tops[rank])
    line.fall(grid.tops[lane.first])
    line.turn(grid.across[route.target], -_CLOSE)
