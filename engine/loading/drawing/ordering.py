"""Who stands beside whom in each rank: so that few lines cross."""

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import Final

from engine.loading.drawing.layers import Layers

_SWEEPS: Final = 24
_WORK: Final = 48_000
"""Slots times sweeps that a drawing may cost; every drawing gets at least two."""


def order(layers: Layers) -> None:
    """Sort every rank by where its neighbours stand, down and up in turn, and keep the best order that was seen."""
    _begin(layers)
    best, fewest = _copy(layers), crossings(layers)
    for sweep in range(max(2, min(_SWEEPS, _WORK // len(layers.slots)))):
        if fewest == 0:
            break
        _sweep(layers, downward=sweep % 2 == 0)
        found = crossings(layers)
        if found < fewest:
            best, fewest = _copy(layers), found
    layers.ranks[:] = best


def crossings(layers: Layers) -> int:
    """How many pairs of lines between neighbouring ranks cross."""
    places = _places(layers)
    count = 0
    for rank in layers.ranks:
        passed: list[int] = []
        for slot in rank:
            ends = sorted(places[lower] for lower in layers.below[slot])
            count += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return count


def _begin(layers: Layers) -> None:
    """The order in which a walk from the start, first ways first, comes by; what it does not come by stands where it was."""
    met: dict[int, int] = {}
    for root in [slot for rank in layers.ranks for slot in rank if not layers.above[slot] and slot not in layers.beside]:
        waiting = [root]
        while waiting:
            slot = waiting.pop()
            if slot not in met:
                met[slot] = len(met)
                waiting.extend(reversed(layers.below[slot]))
    for rank in layers.ranks:
        rank.sort(key=lambda slot: met.get(slot, 0))
    _set_aside(layers, {slot: float(place) for rank in layers.ranks for place, slot in enumerate(rank)})


def _set_aside(layers: Layers, keys: dict[int, float]) -> None:
    """Put lanes' ends that nothing else holds beside what they turn to."""
    for slot, neighbour in layers.beside.items():
        if not layers.above[slot]:
            keys[slot] = keys[neighbour] + 0.5
    for rank in layers.ranks:
        rank.sort(key=keys.__getitem__)


def _sweep(layers: Layers, *, downward: bool) -> None:
    neighbours = layers.above if downward else layers.below
    places = _places(layers)
    for rank in layers.ranks if downward else reversed(layers.ranks):
        keys = {slot: _middle(neighbours[slot], places, places[slot]) for slot in rank}
        for slot in rank:
            beside = layers.beside.get(slot)
            if beside is not None and not neighbours[slot]:
                keys[slot] = keys[beside] + 0.001
        rank.sort(key=keys.__getitem__)
        for place, slot in enumerate(rank):
            places[slot] = place


def _middle(neighbours: Sequence[int], places: Sequence[int], own: int) -> float:
    """The mean place of the neighbours; its own where there are none."""
    return sum(places[slot] for slot in neighbours) / len(neighbours) if neighbours else float(own)


def _places(layers: Layers) -> list[int]:
    places = [0] * len(layers.slots)
    for rank in layers.ranks:
        for place, slot in enumerate(rank):
            places[slot] = place
    return places


def _copy(layers: Layers) -> list[list[int]]:
    return [list(rank) for rank in layers.ranks]
