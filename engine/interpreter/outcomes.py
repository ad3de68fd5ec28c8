"""How a visit to a node can end, and the two ways in which a flow can fail while it is visited."""

from collections.abc import Mapping

from msgspec import Struct

from engine.interpreter.book import CompiledFlow
from engine.model.run import Invoke, Pause
from engine.model.values import Json


class Go(Struct, frozen=True):
    """On to the target, by the edge named."""

    target: str
    edge: str = "next"


class Suspend(Struct, frozen=True):
    """The run waits here, by the edge named."""

    pause: Pause
    edge: str = "waits"


class Perform(Struct, frozen=True):
    """The run asks for a call and goes on with its result."""

    invoke: Invoke


class Enter(Struct, frozen=True, eq=False):
    """Another flow goes on: above the present frame, or in its place."""

    script: CompiledFlow
    inputs: Mapping[str, Json]
    comes_back: bool


class Done(Struct, frozen=True):
    """The flow of the present frame ends."""

    result: dict[str, object]
    failed: str | None = None
    """The code, when the author ended it as failed."""


Outcome = Go | Suspend | Perform | Enter | Done


class NodeFailed(Exception):
    """The node being visited failed; without a branch for it the frame fails."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.node: str | None = None
        """Where it came about, once that is known: a caller is told the node of the flow that it called."""


class LimitPassed(NodeFailed):
    """A bound of the whole run was passed; no branch catches it."""
