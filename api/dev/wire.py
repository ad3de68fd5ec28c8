"""What the dev page is told."""

from msgspec import Struct

from api.wire import Time
from engine.model.effects import Warned
from engine.model.run import Status


class Standing(Struct, frozen=True):
    """A flow within the run, and the node where it stands; null where the run has left it."""

    flow: str
    version: int
    node: str | None


class Passage(Struct, frozen=True):
    """A visit, as traces have it, and when it was."""

    at: Time
    flow: str
    node: str
    type: str
    edge: str
    target: str | None
    continued: bool
    warnings: list[Warned]


class Way(Struct, frozen=True):
    """Where a run stands and how it came there."""

    status: Status
    flow: str
    version: int
    node: str
    stack: list[Standing]
    """The flows that call one another, the outermost first; the last is where the run stands."""
    left: list[Standing]
    """The other flows that it was in, in the version that is the newest now: a trace does not keep it."""
    visits: list[Passage]
