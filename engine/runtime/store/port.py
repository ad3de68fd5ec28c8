"""The store's port and its promises; one contract suite holds every implementation to them.

Atomic: everything in a `Record` is saved, or nothing of it; a decision sees a snapshot that no other turn changes before it is saved.
Ordered: turns of one run are saved one after the other, `rev` by `rev`; a record whose `expected` revision is not the run's
is not saved (StaleRecord, which asks for the turn to be taken again).
Durable: `take` returns after the commit has reached the disk. A crash leaves each turn whole or absent.
Time: `Snapshot.now` is the one clock that judges deadlines, and never goes back.
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeVar

from msgspec import Struct

from engine.errors import BatonError
from engine.model.values import Json, Millis
from engine.runtime.store.deliveries import Deliveries
from engine.runtime.store.rows import (
    ConversationRow,
    EffectResultRow,
    IdempotencyRow,
    ListeningRow,
    MessageRow,
    OutboxRow,
    RunRow,
    SignalRow,
    StoredReply,
    TaskRow,
    TaskStatus,
    TurnRow,
    UsageRow,
    WaitEnd,
    WaitRow,
)


class Order(Struct, frozen=True, kw_only=True):
    """What a turn concerns, so that the store can load it: all that is named and belongs to the tenant."""

    tenant_id: str
    conversation_id: str | None = None
    """Named by triggers; for a run or wait its own conversation is loaded."""
    customer_id: str | None = None
    """The customer whose newest conversation that is not archived is asked for, where none is named."""
    run_id: str | None = None
    wait_id: str | None = None
    """None with a run: the run's open wait, if it has one."""
    open_of: str | None = None
    """The flow whose open runs in the conversation are asked for as well."""
    signals: bool = False
    """Whether the signals are asked for that may end the wait."""
    task_id: str | None = None
    """With its run, wait and conversation."""
    queue: tuple[str, int] | None = None
    """A queue whose free tasks are asked for, and how many of them."""
    listening_to: str | None = None
    """The name of a signal whose open waits are asked for."""
    idempotency: tuple[str, str] | None = None
    """Scope and key."""
    patient: bool = False
    """Whether orders that customers wait for go first."""


class Listener(Struct, frozen=True):
    """An open wait and what its signal must match: one of these."""

    wait: WaitRow
    match: list[dict[str, Json]]


class OpenRun(Struct, frozen=True):
    """A run that has not ended, with its open wait, if it has one."""

    run: RunRow
    wait: WaitRow | None


class Snapshot(Struct, frozen=True, kw_only=True):
    """What is true at this moment of what the order named; None where there is no such row."""

    now: Millis
    stored: StoredReply | None = None
    conversation: ConversationRow | None = None
    run: RunRow | None = None
    wait: WaitRow | None = None
    open_runs: tuple[OpenRun, ...] = ()
    """Those that the order asked for, oldest first."""
    signals: tuple[SignalRow, ...] = ()
    """Those that came since the run began, oldest first."""
    listeners: tuple[Listener, ...] = ()
    task: TaskRow | None = None
    free: tuple[TaskRow, ...] = ()
    """Free tasks of the queue, the oldest first."""


class WaitClosed(Struct, frozen=True):
    """The wait ends now; refused (StaleRecord) unless it is still open, and for `expired` past its deadline, else before it."""

    id: str
    by: WaitEnd
    listened: bool = False
    """Whether it listened to signals."""
    task: TaskStatus | None = None
    """What becomes of the task that it was for, if it was for one."""


class WaitMoved(Struct, frozen=True):
    """The wait is due at another moment; refused (StaleRecord) unless it is open and was due at the one before."""

    tenant_id: str
    id: str
    was_due_at: Millis
    due_at: Millis


class ConversationChange(Struct, frozen=True, kw_only=True):
    """What a turn changes in its conversation: names it wrote, nothing else of the variables."""

    id: str
    written: dict[str, Json]
    owned: frozenset[str]
    """Names that belong to the tenant from now on."""
    messages: int
    """How far the sequence advances."""


class Record(Struct, frozen=True, kw_only=True):
    """Everything that one commit of a turn writes, whole or not at all."""

    run: RunRow
    turn: TurnRow
    expected: tuple[int, int] | None
    """(rev, epoch) that the stored run must have; None: the run is new. A turn whose id is stored is updated, else inserted."""
    opened_conversation: ConversationRow | None = None
    conversation: ConversationChange | None = None
    closed: WaitClosed | None = None
    moved: WaitMoved | None = None
    opened: WaitRow | None = None
    listening: tuple[ListeningRow, ...] = ()
    """What the opened wait listens to."""
    task: TaskRow | None = None
    """What the opened wait is for."""
    settles: bool = False
    """Whether no call of the run is under way any more: what its calls came to is forgotten."""
    messages: tuple[MessageRow, ...] = ()
    usage: tuple[UsageRow, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()
    idempotency: IdempotencyRow | None = None
    before: tuple["Record", ...] = ()
    """Turns of other runs in the same conversation that are saved with this one: of the runs that it replaces."""


class Leased(Struct, frozen=True):
    """A run's lease changes hands or is renewed; `expected` as in a record."""

    run: RunRow
    expected: tuple[int, int]


class TaskChanged(Struct, frozen=True):
    """The task as it is from now on; refused (StaleRecord) where it has ended, or is not at the attempt named."""

    task: TaskRow
    was_attempt: int


class Noted(Struct, frozen=True, kw_only=True):
    """No turn of the run is taken: the answer is kept under the request's key, a lease changes, a signal is kept, or nothing at all."""

    leased: Leased | None = None
    signal: SignalRow | None = None
    moved: tuple[WaitMoved, ...] = ()
    tasks: tuple[TaskChanged, ...] = ()
    turns: tuple[Record, ...] = ()
    """Runs that the signal starts, each in a conversation of its own."""

    idempotency: IdempotencyRow | None = None
    opened_conversation: ConversationRow | None = None
    conversation: ConversationChange | None = None
    outbox: tuple[OutboxRow, ...] = ()
    """Of no run."""


Decision = Record | Noted
Answer = TypeVar("Answer")
Decide = Callable[[Snapshot], tuple[Decision, Answer]]
"""A pure function from what is true to what is to be written and what to answer; a refusal is raised. It may be called again."""


class StaleRecord(BatonError):
    """What the decision rests on is not true any more; take the turn again."""


class DueWait(Struct, frozen=True):
    """A wait in which the clock has the next move."""

    tenant_id: str
    run_id: str
    wait_id: str
    due_at: Millis


class LapsedRun(Struct, frozen=True, kw_only=True):
    """A run in the midst of a turn whose worker has let its lease run out; `attempts` counts the workers that it has had for its call."""

    tenant_id: str
    run_id: str
    attempts: int


class RunView(Struct, frozen=True, kw_only=True):
    """A run as a reader sees it: its row, its conversation's customer, and its turns since the customer's last input, oldest first."""

    run: RunRow
    customer_id: str | None
    turns: tuple[TurnRow, ...]


class MessageView(Struct, frozen=True, kw_only=True):
    """A message with the encoded reply of its turn."""

    message: MessageRow
    reply: bytes


class RunFilter(Struct, frozen=True, kw_only=True):
    """Which runs a list shows, newest first: ids sort by the time they were made."""

    conversation_id: str | None = None
    customer_id: str | None = None
    open_only: bool = False
    status: str | None = None
    intent: str | None = None
    limit: int | None = 20
    """None: all of them."""


UsageKey = Literal["day", "model", "flow"]
"""What usage is summed up by; days are those of UTC, written like 2026-01-05."""


class UsageSum(Struct, frozen=True, kw_only=True):
    """What all turns with the same key spent; the cost leaves out `unpriced_tokens`, whose model had no price."""

    key: str
    prompt_tokens: int
    completion_tokens: int
    cost_micros: int
    unpriced_tokens: int


class Store(Protocol):
    """Where runs, waits, turns and conversations live."""

    @property
    def deliveries(self) -> Deliveries:
        """What becomes of the outbox."""

    def now(self) -> Millis:
        """The moment by the store's own clock."""

    async def take(self, order: Order, decide: Decide[Answer]) -> Answer:
        """Load what the order names, decide, save, commit; returns what the decision answers. Refusals are raised and write nothing.

        StaleRecord is raised when what is decided, a few times over, does not fit what is stored. Unavailable is raised when the
        database cannot take it (full disk, lost file); nothing is half written then. A caller that stops waiting changes nothing:
        what was accepted is done.
        """

    async def save_result(self, row: EffectResultRow) -> None:
        """Keep the result of a call before the turn goes on; a second result for the same (run, rev, step) changes nothing.

        It is forgotten with the commit that settles the run's calls.
        """

    async def result(self, tenant_id: str, run_id: str, rev: int, step: int) -> EffectResultRow | None:
        """The result that was kept for the call."""

    async def signal(self, tenant_id: str, name: str) -> SignalRow | None:
        """The oldest of this name that is kept: a callback's, for as long as its run goes on."""

    async def lapsed(self, limit: int) -> Sequence[LapsedRun]:
        """Running runs whose lease has run out, the longest ago first."""

    async def due(self, limit: int) -> Sequence[DueWait]:
        """Open waits whose moment has come, the oldest first, shared fairly between tenants."""

    async def next_due(self) -> Millis | None:
        """The nearest moment at which any open wait is due."""

    async def run(self, tenant_id: str, run_id: str) -> RunView | None:
        """The run and its turns since the customer's last input."""

    async def runs(self, tenant_id: str, chosen: RunFilter) -> Sequence[RunView]:
        """Runs that the filter lets through, newest first."""

    async def turns(self, tenant_id: str, run_id: str) -> Sequence[TurnRow]:
        """Every turn of the run, oldest first."""

    async def conversation(self, tenant_id: str, conversation_id: str) -> ConversationRow | None:
        """The conversation, if the tenant has it."""

    async def messages(self, tenant_id: str, conversation_id: str) -> Sequence[MessageView]:
        """The conversation's messages in sequence."""

    async def usage_of_turn(self, tenant_id: str, turn_id: str) -> Sequence[UsageRow]:
        """What the turn's models spent."""

    async def usage(self, tenant_id: str, by: UsageKey) -> Sequence[UsageSum]:
        """What all of the tenant's turns spent, in order of the keys."""

    async def prune(self, before: Millis) -> int:
        """Forget idempotency rows and events that are older; gives how many there were.

        A callback stays as long as its run goes on, and an event as long as a wait that listens to it is due: it may not have looked yet.
        """

    async def healthy(self) -> None:
        """Raises Unavailable when the database does not answer a trivial question, or would not take a turn, however large."""

    async def close(self) -> None:
        """Finish what was accepted, then let go of the database."""
