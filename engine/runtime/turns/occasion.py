"""What a turn is made of beside the step itself, and what comes of it."""

from typing import Final

from msgspec import Struct, field

from engine.model.effects import Warned
from engine.model.run import Invoke
from engine.model.values import Json, Millis
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Idempotency, TokenUsage
from engine.runtime.store.port import Noted, Record, Snapshot, WaitMoved
from engine.runtime.store.rows import ConversationRow, EventKind, RunRow, WaitEnd, WaitRow
from engine.runtime.traces import TurnTrace

LEASE: Final[Millis] = 30_000
"""How long a worker holds a run while a call is under way, unless it renews."""


class Begun(Struct, frozen=True):
    """What an earlier commit of the same turn has said already."""

    reply: TurnReply
    trace: TurnTrace
    previous_id: str | None
    """The turn before this one."""


class Input(Struct, frozen=True, kw_only=True):
    """What the customer, or the tenant's server, brought along."""

    text: str | None = None
    values: dict[str, Json] | None = None
    variables: dict[str, Json] = field(default_factory=dict)
    """What may be written into the conversation."""
    owned: frozenset[str] = frozenset()
    """Those of its names that belong to the tenant from now on."""
    dropped: tuple[Warned, ...] = ()
    usage: TokenUsage | None = None
    public_key_id: str | None = None


class Occasion(Struct, frozen=True, kw_only=True):
    """One event of one run, with what is true around it."""

    tenant_id: str
    event: EventKind
    snapshot: Snapshot
    conversation: ConversationRow
    run_id: str
    flow: str
    """The flow, version and intent that the run was triggered with."""
    version: int
    intent: str
    run: RunRow | None = None
    """The run as it was stored; None for a trigger."""
    closed: WaitEnd | None = None
    listened: bool = False
    """Whether the wait that ends was for a signal or a task."""
    failed: bool = False
    """Whether the task that ends it has failed."""
    opened_conversation: ConversationRow | None = None
    input: Input = field(default_factory=Input)
    idempotency: Idempotency | None = None
    begun: Begun | None = None

    @property
    def now(self) -> Millis:
        """The moment of the turn."""
        return self.snapshot.now

    @property
    def variables(self) -> dict[str, Json]:
        """The conversation's variables as the event sees them."""
        return {**self.conversation.variables, **self.input.variables}


class Postponed(Struct, frozen=True):
    """The wait is due at another moment than it was."""

    moved: WaitMoved


class Announced(Struct, frozen=True, kw_only=True):
    """What came of a signal: the change, the waits that it has woken, and the runs that it has started."""

    noted: Noted
    event_id: str
    woken: tuple[WaitRow, ...] = ()
    started: tuple["Drafted", ...] = ()


class Drafted(Struct, frozen=True):
    """A turn ready to be saved: its record, its reply and trace, and the call that it waits for, if any."""

    record: Record
    reply: TurnReply
    trace: TurnTrace
    invoke: Invoke | None
    replaced: tuple["Drafted", ...] = ()
    """The last turns of the runs that this one takes the place of; its record holds theirs."""
