"""Where a flow can go: its nodes as a graph, whether it was read from a file just now or published long ago."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from engine.interpreter.waiting import causes
from engine.model.flow import Flow
from engine.model.inputs import Branch
from engine.model.nodes import Asking, Call, End, Http, Jump, Node, OnError, Pausing, Split, Target, Task, Wait


class Ways(Struct, frozen=True):
    """One flow's nodes, and where each leads; of what is broken the best is believed."""

    first: str | None
    """None where no node is known to be the first."""
    edges: Mapping[str, frozenset[str]]
    """Node to the nodes, or `end`, where it may lead; a command's are those of every asking node, and not listed."""
    waits: frozenset[str]
    """Nodes whose every visit is believed to wait."""
    failing: frozenset[str] = frozenset()
    """`end` nodes with which the flow ends as failed."""
    calls: Mapping[str, Call] = {}
    jumps: Mapping[str, Jump] = {}


def ways_of(flow: Flow) -> Ways:
    """The graph of a flow that was published."""
    return ways(flow.first, {name: frozenset(_targets(node)) for name, node in flow.nodes.items()}, flow.nodes)


def ways(first: str | None, edges: Mapping[str, frozenset[str]], nodes: Mapping[str, Node | None]) -> Ways:
    """The graph of nodes of which the broken ones are None."""
    return Ways(
        first,
        {name: targets - _never_taken(nodes.get(name)) for name, targets in edges.items()},
        waits=frozenset(name for name, node in nodes.items() if node is None or _waits(node)),
        failing=frozenset(name for name, node in nodes.items() if isinstance(node, End) and node.status == "failed"),
        calls={name: node for name, node in nodes.items() if isinstance(node, Call)},
        jumps={name: node for name, node in nodes.items() if isinstance(node, Jump)},
    )


def _waits(node: Node) -> bool:
    """Whether every visit waits; a moment that is written out has passed when the node is visited again."""
    if isinstance(node, Wait):
        return all(cause.until is None or "{{" in cause.until for cause in causes(node))
    return isinstance(node, Pausing)


def _never_taken(node: Node | None) -> frozenset[Target]:
    """Where only branches of a split lead that have no weight, though others have."""
    shares = node.branches if isinstance(node, Split) else []
    taken = {share.next for share in shares if share.weight}
    return frozenset(share.next for share in shares) - taken if taken else frozenset()


def _targets(node: Node) -> Iterator[Target]:
    """What a node that is whole names."""
    for key in ("next", "otherwise", "on_exhausted", "on_expired", "on_failed"):
        target: Target | None = getattr(node, key, None)
        if target is not None:
            yield target
    if isinstance(node, Pausing):
        yield from [] if node.timeout is None else [node.timeout.next]
        yield from getattr(node, "routes", {}).values()
    if isinstance(node, Asking):
        options = getattr(node, "options", None)
        yield from (option.next for option in (options if isinstance(options, list) else ()) if isinstance(option, Branch))
    if isinstance(node, Http | Task):
        yield from _failures(node.on_error)
    for key in ("cases", "branches"):
        yield from (branch.next for branch in getattr(node, key, ()))


def _failures(on_error: OnError | None) -> Iterator[Target]:
    match on_error:
        case None:
            return
        case dict():
            yield from on_error.values()
        case _:
            yield on_error
