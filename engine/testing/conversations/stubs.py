"""What calls of nodes are answered in a test, in place of the world: one entry for each call, or for each try of a request."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, field

from engine.model.flow import Flow
from engine.model.values import Json

Trouble = Literal["timeout", "refused", "dns", "blocked"]


class StubFailure(Struct, frozen=True, forbid_unknown_fields=True):
    """The failure that a worker reports."""

    code: str
    message: str = ""


class Stub(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one call of a node is answered."""

    status: Annotated[int, Meta(ge=100, le=599)] | None = None
    """Of the last answer, where redirects led to it; 200 where nothing is said."""
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = UNSET
    text: str | None = None
    usage: dict[str, int] | None = None
    result: Json = None
    error: Trouble | StubFailure | None = None


class Stubs:
    """The entries that are left.

    A node of the tested flow goes by its id; one of another flow by `flow/node`, or by its id alone where the tested flow has no such node.
    """

    def __init__(self, tested: Flow, flows: Sequence[Flow], written: Mapping[str, Sequence[Stub]]) -> None:
        self._tested = tested
        self._flows = flows
        self._left = {name: deque(stubs) for name, stubs in written.items()}
        self._taken: Counter[str] = Counter()

    def names(self, flow: str, node: str) -> tuple[str, ...]:
        """What the node may be called; the first is its whole name."""
        if flow == self._tested.flow:
            return (node,)
        whole = f"{flow}/{node}"
        return (whole,) if node in self._tested.nodes else (whole, node)

    def take(self, names: Sequence[str]) -> Stub | None:
        """The next entry for the node; None where there is none."""
        name = next((name for name in names if self._left.get(name)), None)
        if name is None:
            return None
        self._taken[names[0]] += 1
        return self._left[name].popleft()

    def taken(self, names: Sequence[str]) -> int:
        """Entries that the node has used up."""
        return self._taken[names[0]]

    def left(self) -> tuple[str, int] | None:
        """The first name with entries that nothing has used, and how many there are."""
        return next(((name, len(stubs)) for name, stubs in self._left.items() if stubs), None)

    def known_names(self) -> list[str]:
        """Every name that a node may have."""
        return [name for flow in self._flows for node in flow.nodes for name in self.names(flow.flow, node)]

    def written_names(self) -> list[str]:
        """The names that the test has entries for."""
        return list(self._left)
