"""Cycles that never wait, within one flow and across flows that call and jump to each other."""

from collections.abc import Collection, Iterator, Mapping

from engine.loading.findings import Findings
from engine.loading.lint.circles import circles
from engine.loading.lint.outline import Outline
from engine.loading.lint.web import Key, Manners, Place, Web, manners
from engine.model.nodes import Wait

_SHOWN = 5
"""Nodes of a cycle that a message names: a line's worth."""


def check_cycles(web: Web, checked: Mapping[Key, tuple[Outline, Findings]], names: Mapping[Key, str]) -> None:
    """Reports each cycle once in every file that has a part in it, at its first node there."""
    fates = manners(web)
    moves = {(key, name): tuple(_moves(web, fates, key, name)) for key, ways in web.graphs.items() for name in ways.edges}
    busy = {place: targets for place, targets in moves.items() if not web.waits(*place)}
    order = {place: number for number, place in enumerate(busy)}
    for circle in circles(busy):
        way_out = any(_leaves(web, fates, place, moves[place], circle) for place in circle)
        members: dict[Key, list[str]] = {}
        for key, name in sorted(circle, key=order.__getitem__):
            members.setdefault(key, []).append(name)
        for key, own in members.items():
            if key in checked:
                _report(own, _trip(key, members, names), *checked[key], way_out=way_out)


def _moves(web: Web, fates: Manners, key: Key, name: str) -> Iterator[Place]:
    """Where a run can go from the node before anybody is waited for."""
    ways, entry = web.graphs[key], web.entry(key, name)
    if entry is None:
        yield from ((key, target) for target in ways.edges[name])
        return
    yield entry
    if (call := ways.calls.get(name)) is not None:
        if entry[0] in fates.passing:
            yield key, call.next
        if entry[0] in fates.failing and call.on_failed is not None:
            yield key, call.on_failed


def _leaves(web: Web, fates: Manners, place: Place, targets: Collection[Place], circle: Collection[Place]) -> bool:
    """Whether a run may get out of the cycle here; of a flow that is called, and no part of it, only if it may wait, or fail for good."""
    key, name = place
    entry, call = web.entry(key, name), web.graphs[key].calls.get(name)
    if entry is None or call is None:
        return any(target not in circle for target in targets)
    outside = entry not in circle and (entry[0] in fates.pausing or (entry[0] in fates.failing and call.on_failed is None))
    rescued = call.on_failed is not None and (key, call.on_failed) not in circle
    return outside or rescued or any(target not in circle for target in targets if target != entry)


def _trip(key: Key, members: Mapping[Key, list[str]], names: Mapping[Key, str]) -> str:
    """The cycle as one line: the file's own nodes first, then those of the others."""
    shown = members[key][: _SHOWN + 1]
    for other, theirs in members.items():
        if len(shown) > _SHOWN:
            break
        if other != key:
            shown += [f"{names[other]}/{name}" for name in theirs[:_SHOWN]]
    return " -> ".join(shown[:_SHOWN]) + (" -> ..." if len(shown) > _SHOWN else "")


def _report(own: list[str], trip: str, outline: Outline, findings: Findings, *, way_out: bool) -> None:
    start = outline.nodes[own[0]].start
    once = any(isinstance(outline.nodes[name].known, Wait) for name in own)
    hint = "a moment that is written out is waited for once" if once else None
    if way_out:
        findings.add("cycle.condition", start, f"only a condition ends the cycle {trip}, and nothing in it waits", hint)
    else:
        findings.add("cycle.no_wait", start, f"nothing waits in the cycle {trip}, and nothing leaves it", hint)
