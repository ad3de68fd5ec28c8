"""How far to the right each slot stands: so that lines are straight, after Brandes and Köpf.

Four drawings are made, each as far to one side as it goes and begun at one end, every slot in line with the middle one of its neighbours
where that can be; a slot then stands between where the two middle ones of the four have it.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import inf

from engine.loading.drawing.layers import Layers

_Pairs = set[tuple[int, int]]


def across(layers: Layers, gap: float, narrow: float) -> list[float]:
    """The middle of each slot; boxes keep `gap` between them, lanes `narrow`."""
    kept_apart = _conflicts(layers)
    ways = [(downward, leftward) for downward in (True, False) for leftward in (True, False)]
    return _balanced([_drawn(layers, kept_apart, (gap, narrow), downward=down, leftward=left) for down, left in ways])


def _drawn(layers: Layers, kept_apart: _Pairs, gaps: tuple[float, float], *, downward: bool, leftward: bool) -> list[float]:
    """One of the four: the ranks are turned over, the drawing is made to the left, and turned back."""
    ranks = layers.ranks if downward else layers.ranks[::-1]
    turned = [rank if leftward else rank[::-1] for rank in ranks]
    roots = _aligned(layers, turned, layers.above if downward else layers.below, kept_apart)
    places = _compacted(layers, turned, roots, gaps)
    return places if leftward else [-place for place in places]


def _conflicts(layers: Layers) -> _Pairs:
    """Lines that cross the line of a lane: the lane is kept straight, so nothing is lined up along them."""
    found: _Pairs = set()
    places = {slot: place for rank in layers.ranks for place, slot in enumerate(rank)}
    for upper, lower in pairwise(layers.ranks):
        start, left = 0, 0
        for place, slot in enumerate(lower):
            inner = _on_lane(layers, slot)
            if inner is None and place < len(lower) - 1:
                continue
            right = len(upper) if inner is None else places[inner]
            for between in lower[start : place + 1]:
                crossing = (above for above in layers.above[between] if not left <= places[above] <= right)
                found.update((above, between) for above in crossing if _on_lane(layers, between) != above)
            start, left = place, right
    return found


def _on_lane(layers: Layers, slot: int) -> int | None:
    """The slot of the same lane in the rank above, if there is one."""
    if not layers.slots[slot].is_passage:
        return None
    return next((above for above in layers.above[slot] if layers.slots[above].is_passage), None)


def _aligned(layers: Layers, ranks: Sequence[Sequence[int]], neighbours: Sequence[Sequence[int]], kept_apart: _Pairs) -> list[int]:
    """Each slot's root: the first of the slots that stand in one line."""
    roots = list(range(len(layers.slots)))
    closed = [False] * len(layers.slots)
    places = {slot: place for rank in ranks for place, slot in enumerate(rank)}
    for rank in ranks:
        last = -1
        for slot in rank:
            nearby = sorted(neighbours[slot], key=places.__getitem__)
            for middle in dict.fromkeys(nearby[at] for at in ((len(nearby) - 1) // 2, len(nearby) // 2) if nearby):
                pair = (middle, slot) if (middle, slot) in kept_apart else (slot, middle)
                if not closed[middle] and last < places[middle] and pair not in kept_apart:
                    roots[slot] = roots[middle]
                    closed[middle] = True
                    last = places[middle]
                    break
    return roots


def _compacted(layers: Layers, ranks: Sequence[Sequence[int]], roots: Sequence[int], gaps: tuple[float, float]) -> list[float]:
    """Every line of slots as far to the left as its neighbours let it, then back to the right as far as there is room."""
    left: list[dict[int, float]] = [{} for _ in roots]
    right: list[dict[int, float]] = [{} for _ in roots]
    for rank in ranks:
        for one, other in pairwise(rank):
            space = _space(layers, one, other, gaps)
            first, second = roots[one], roots[other]
            left[second][first] = right[first][second] = max(space, left[second].get(first, 0.0))
    places = [0.0] * len(roots)
    order = _sorted_lines(roots, left, right)
    for root in order:
        places[root] = max((places[near] + space for near, space in left[root].items()), default=0.0)
    for root in reversed(order):
        places[root] = max(places[root], min((places[near] - space for near, space in right[root].items()), default=-inf))
    return [places[root] for root in roots]


def _sorted_lines(roots: Sequence[int], left: Sequence[dict[int, float]], right: Sequence[dict[int, float]]) -> list[int]:
    """Every line after all that stand to its left."""
    missing = {root: len(left[root]) for root in dict.fromkeys(roots)}
    waiting = [root for root, count in missing.items() if not count]
    order = []
    while waiting:
        root = waiting.pop()
        order.append(root)
        for near in right[root]:
            missing[near] -= 1
            if not missing[near]:
                waiting.append(near)
    return order


def _space(layers: Layers, one: int, other: int, gaps: tuple[float, float]) -> float:
    slots = layers.slots
    gap, narrow = gaps
    between = narrow if slots[one].is_passage or slots[other].is_passage else gap
    return (slots[one].width + slots[other].width) / 2 + between


def _balanced(drawings: Sequence[Sequence[float]]) -> list[float]:
    """The mean of the two middle ones of the four places, all drawings moved to the side of the narrowest."""
    spans = [(min(places), max(places)) for places in drawings]
    low, high = min(spans, key=lambda span: span[1] - span[0])
    moved = []
    for number, (places, (least, most)) in enumerate(zip(drawings, spans, strict=True)):
        shift = low - least if number % 2 == 0 else high - most
        moved.append([place + shift for place in places])
    middles = [sorted(four)[1:3] for four in zip(*moved, strict=True)]
    first = min(sum(pair) for pair in middles) / 2
    return [sum(pair) / 2 - first for pair in middles]
