"""A run between two turns: everything that is stored of it, and nothing else."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

from engine.model.inputs import Expectation
from engine.model.values import Json, Millis

Status = Literal["running", "waiting_input", "waiting_time", "completed", "failed", "aborted"]
EndReason = Literal["completed", "expired", "cancelled", "replaced", "failed"]
Ended = Literal["completed", "failed", "aborted"]
ENDED: frozenset[Status] = frozenset({"completed", "failed", "aborted"})


class FlowRef(Struct, frozen=True, order=True):
    """A published version of a flow; versions count from 1 for each flow of a tenant."""

    flow: str
    version: int


class Trigger(Struct, frozen=True, omit_defaults=True):
    """What started a run, as the root `trigger` shows it."""

    intent: str
    text: str = ""
    context: dict[str, Json] = field(default_factory=dict)
    data: Json = None


class Frame(Struct, frozen=True, omit_defaults=True):
    """One flow within a run: where it stands and what it remembers."""

    ref: FlowRef
    node: str
    variables: dict[str, Json] = field(default_factory=dict)
    nodes: dict[str, dict[str, Json]] = field(default_factory=dict)
    """Node id to what the root `nodes.ID` shows."""
    inputs: dict[str, Json] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    number: int = 0
    """Frames of a run count from 0 in the order they were opened."""


class Block(Struct, frozen=True):
    """One part of a reply: `message` {role, text, format}, `form` {title, fields, submit_label}, or a kind of the author's choosing."""

    type: str
    payload: dict[str, Any]
    node: str
    flow: str


class Due(Struct, frozen=True):
    """A reminder that has not been said yet: its moment by the database's clock, and its text."""

    at: Millis
    text: str


Deadline = Literal["expiry", "timeout", "timer"]
"""What a wait's deadline does: the frame expires, the timeout's branch is taken, or what was waited for has come."""


class Listening(Struct, frozen=True, omit_defaults=True):
    """What an event must be to end a wait: its name, and values that must stand in its data; or the callback of this visit."""

    event: str
    match: dict[str, Json] = field(default_factory=dict)
    callback: str | None = None
    """The key of the visit's own callback, unique within the run."""
    cause: str | None = None


class Pause(Struct, frozen=True, omit_defaults=True):
    """What a run waits for, frozen when the wait began; `deadline` is a moment by the database's clock."""

    expectation: Expectation
    deadline: Millis
    shown: tuple[Block, ...] = ()
    """The question itself, to be asked again after a wrong answer."""
    then: Deadline = "expiry"
    cause: str | None = None
    """The name of the timer, where the deadline is one of several."""
    listens: tuple[Listening, ...] = ()
    """The events of which the first that comes ends the wait."""
    reminders: tuple[Due, ...] = ()
    """Those still to come, the nearest first; none lies behind the deadline."""

    @property
    def due(self) -> Millis:
        """The moment at which the clock has the next move: a reminder's, else the deadline."""
        return self.reminders[0].at if self.reminders else self.deadline


class HttpRequest(Struct, frozen=True, omit_defaults=True, tag="http"):
    """One HTTP request with everything evaluated; credentials of a connection are added where it leaves."""

    method: str
    url: str
    query: dict[str, list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    json: Json | UnsetType = UNSET
    """Null is a value."""
    body: str | None = None
    connection: str | None = None
    idempotency_key: str | None = None
    timeout: Millis = 10_000
    retries: int = 0


class Invoke(Struct, frozen=True, omit_defaults=True, tag="invoke"):
    """Make one call outside the run and answer with `Returned(step=...)`; a step that ends with it leaves the run `running`."""

    step: int
    """Counts the calls of one turn from 0; (run, rev, step) names the call's stored result."""
    node: str
    request: HttpRequest
    repeatable: bool = False
    """Whether a call whose result was lost in a crash may be made again."""


class Run(Struct, frozen=True, omit_defaults=True):
    """One journey through a flow version, with its stack of frames; the last frame is the one that moves."""

    id: str
    locale: str
    """The language of the run: the session's, else the flow's."""
    seed: str
    trigger: Trigger
    frames: tuple[Frame, ...] = ()
    status: Status = "running"
    pause: Pause | None = None
    pending: Invoke | None = None
    """The call that was asked of the world and whose result has not come back."""
    turns: int = 0
    frames_opened: int = 0
    taken: tuple[str, ...] = ()
    """Ids of the events that have begun this run or ended a wait of it: none does more than one of these."""
    tried: tuple[str, ...] = ()
    """`flow/node` of each `ask` that has tried the trigger's text as its answer."""
    steps: int = 0
    """Nodes visited in the turn under way; 0 between turns."""
    calls: int = 0
    """Calls asked for in the turn under way; 0 between turns."""
    now: Millis | None = None
    """The moment of the turn under way; None between turns."""
    progress: int = 0
    end_reason: EndReason | None = None
    end_code: str | None = None
    result: dict[str, Any] | None = None

    @property
    def frame(self) -> Frame:
        """The frame that moves next; a run that has begun has one, also after its end."""
        return self.frames[-1]

    @property
    def ended(self) -> bool:
        """True when no event can move the run again."""
        return self.status in ENDED

    @property
    def failure(self) -> str | None:
        """Why it failed, for its author: the code, with the node and the message where its flow has kept them; None where it did not."""
        if self.status != "failed":
            return None
        match self.frame.variables.get("error") if self.frames else None:
            case {"code": code, "node": node, "message": message} if code == self.end_code:
                return f"{code} at {node}: {message}"
            case _:
                return self.end_code
