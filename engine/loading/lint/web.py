"""Flows that call and jump to one another, and how each of them can come to its end before anybody has to be waited for."""

from collections import defaultdict

from msgspec import Struct

from engine.loading.lint.ways import Ways
from engine.model.values import END

Key = int | str
"""A file that is checked by its number, a published flow by its id: two files may claim the same id."""
Place = tuple[Key, str]
"""A node of one of the flows."""


class Web(Struct, frozen=True):
    """Every flow's graph, and which flow an id means."""

    graphs: dict[Key, Ways]
    ids: dict[str, Key]

    def entry(self, key: Key, name: str) -> Place | None:
        """The node where a call or a jump goes on; None for one to a flow that is not known, or not known to begin anywhere."""
        ways = self.graphs[key]
        node = ways.calls.get(name) or ways.jumps.get(name)
        callee = None if node is None else self.ids.get(node.flow)
        first = None if callee is None else self.graphs[callee].first
        return None if callee is None or first is None else (callee, first)

    def waits(self, key: Key, name: str) -> bool:
        """Whether a visit is believed to wait, at the node itself or in a flow that nothing is known of."""
        ways = self.graphs[key]
        return name in ways.waits or ((name in ways.calls or name in ways.jumps) and self.entry(key, name) is None)


class Manners(Struct, frozen=True):
    """What can become of each flow before it waits for the first time; one flow may stand in several of the sets."""

    passing: set[Key]
    """Comes to its end."""
    failing: set[Key]
    """Ends as failed, by an `end` that says so."""
    pausing: set[Key]
    """Comes to a wait."""


def manners(web: Web) -> Manners:
    """Walks every flow from its first node up to its first waits, and on behind the calls that come back."""
    walk = _Walk(web)
    for key, ways in web.graphs.items():
        if ways.first is not None:
            walk.reach(key, ways.first)
    walk.finish()
    return walk.found


class _Walk:
    """A place is looked at again only when more becomes known of the flow that it enters, which is three times at most."""

    def __init__(self, web: Web) -> None:
        self.found = Manners(set(), set(), set())
        self._web = web
        self._reached: dict[Key, set[str]] = defaultdict(set)
        self._waiting: list[Place] = []
        self._entered_from: dict[Key, dict[Place, None]] = defaultdict(dict)

    def reach(self, key: Key, name: str) -> None:
        """Takes the node up, unless it was."""
        known = name == END or name in self._web.graphs[key].edges
        if known and name not in self._reached[key]:
            self._reached[key].add(name)
            self._waiting.append((key, name))

    def finish(self) -> None:
        """Goes on until nothing new is reached."""
        while self._waiting:
            self._visit(*self._waiting.pop())

    def _visit(self, key: Key, name: str) -> None:
        ways = self._web.graphs[key]
        if name == END:
            self._note(self.found.passing, key)
        elif self._web.waits(key, name):
            self._note(self.found.pausing, key)
        elif name in ways.failing:
            self._note(self.found.failing, key)
        elif (entry := self._web.entry(key, name)) is not None:
            self._entered_from[entry[0]][(key, name)] = None
            self._enter(key, name, entry[0])
        elif not ways.edges[name]:
            self._note(self.found.passing, key)
        for target in ways.edges.get(name, ()) if name not in ways.calls and not self._web.waits(key, name) else ():
            self.reach(key, target)

    def _enter(self, key: Key, name: str, callee: Key) -> None:
        """What becomes of a flow that was jumped to becomes of the one that jumped; a call has branches of its own."""
        call = self._web.graphs[key].calls.get(name)
        if callee in self.found.pausing:
            self._note(self.found.pausing, key)
        if callee in self.found.passing:
            self.reach(key, call.next) if call is not None else self._note(self.found.passing, key)
        if callee in self.found.failing:
            branch = None if call is None else call.on_failed
            self.reach(key, branch) if branch is not None else self._note(self.found.failing, key)

    def _note(self, fate: set[Key], key: Key) -> None:
        if key not in fate:
            fate.add(key)
            self._waiting.extend(self._entered_from[key])
