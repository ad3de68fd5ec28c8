"""The rows that turns read and write, as values. Every row belongs to a tenant; times are milliseconds since 1970."""

from typing import Literal

from msgspec import Struct, field

from engine.model.run import EndReason, Status
from engine.model.values import Json, Millis

WaitEnd = Literal["answered", "signalled", "expired", "cancelled"]
TaskStatus = Literal["open", "done", "failed", "cancelled"]
DeliveryEnd = Literal["delivered", "parked"]
EventKind = Literal["started", "answered", "timed_out", "reminded", "returned", "signalled", "delivered", "given_up", "cancelled"]


class ConversationRow(Struct, frozen=True):
    """One person's thread of messages, and its variables."""

    tenant_id: str
    id: str
    created_at: Millis
    modified_at: Millis
    customer_id: str | None = None
    """Set only where a signature proved it, or the engine surface said so."""
    locale: str | None = None
    variables: dict[str, Json] = field(default_factory=dict)
    owned: list[str] = field(default_factory=list)
    """Names that a flow or the engine surface has written: a value from the chat surface for them is dropped."""
    next_sequence: int = 0
    archived_at: Millis | None = None
    name: str | None = None


class RunRow(Struct, frozen=True):
    """One run as it stands between two commits; `rev` counts its turns, `epoch` its claims."""

    tenant_id: str
    id: str
    conversation_id: str
    flow: str
    """The flow that was triggered; the state knows where the run stands now."""
    version: int
    intent: str
    status: Status
    rev: int
    epoch: int
    input_rev: int
    """The turn of the customer's last input: a GET shows the blocks since then."""
    turn_id: str
    """The last of its turns: from there each names the one before it."""
    state: bytes
    started_at: Millis
    ended_at: Millis | None = None
    end_reason: EndReason | None = None
    lease_until: Millis | None = None
    """Set while a worker holds the run between two commits of one turn."""
    attempts: int = 0


class WaitRow(Struct, frozen=True):
    """One pause of one run; it ends once, by exactly one of an answer, a signal, its deadline and a cancel."""

    tenant_id: str
    id: str
    run_id: str
    rev: int
    """The turn that opened it."""
    opened_at: Millis
    deadline: Millis
    due_at: Millis
    """When the clock has the next move: at the next reminder, else at the deadline."""
    answerable: bool
    """Whether the customer holds a token for it."""
    ended_at: Millis | None = None
    ended_by: WaitEnd | None = None


class TaskRow(Struct, frozen=True):
    """Work that a run waits for, with the id of the wait: open until a worker claims it, claimed for its lease, and ended with its wait."""

    tenant_id: str
    id: str
    run_id: str
    wait_id: str
    queue: str
    payload: dict[str, Json]
    created_at: Millis
    status: TaskStatus = "open"
    attempt: int = 0
    """Claims so far; a lease's token holds the one it is for. Below zero when the last was given back: no token is for that."""
    free_at: Millis = 0
    """When somebody may claim it: at once, or when its lease has run out."""


class SignalRow(Struct, frozen=True, kw_only=True):
    """An event that came from outside, kept for waits that begin later; a callback's name holds the visit that it is for."""

    tenant_id: str
    id: str
    name: str
    at: Millis
    data: Json
    run_id: str | None = None
    """The run that it calls back; None for an event."""


class ListeningRow(Struct, frozen=True, kw_only=True):
    """An open wait that an event of this name may end, if its data match in one of these ways."""

    tenant_id: str
    name: str
    wait_id: str
    match: list[dict[str, Json]]


class TurnRow(Struct, frozen=True):
    """One event taken and everything it caused; `reply` is an encoded TurnReply, `trace` an encoded TurnTrace."""

    tenant_id: str
    id: str
    run_id: str
    previous_id: str | None
    """The turn before it; None for the first."""
    rev: int
    event: EventKind
    at: Millis
    done: bool
    """False while a call of this turn is under way."""
    reply: bytes
    trace: bytes


class MessageRow(Struct, frozen=True):
    """One message of a conversation; an assistant's blocks stand in its turn's reply."""

    tenant_id: str
    id: str
    conversation_id: str
    run_id: str
    turn_id: str
    role: Literal["user", "assistant"]
    sequence: int
    created_at: Millis
    text: str | None = None
    values: dict[str, Json] | None = None


class UsageRow(Struct, frozen=True):
    """Tokens that one model spent in one turn, and what they cost by the price row named; cost is null for an unpriced model."""

    tenant_id: str
    id: str
    run_id: str
    turn_id: str
    conversation_id: str
    public_key_id: str | None
    flow: str
    at: Millis
    source: Literal["client", "engine"]
    model: str
    prompt_tokens: int
    completion_tokens: int
    cached_prompt_tokens: int | None
    cost_micros: int | None
    price_id: str | None


class OutboxRow(Struct, frozen=True, kw_only=True):
    """Something to be told to the tenant's webhooks, in (rev, n) order of its run."""

    tenant_id: str
    id: str
    run_id: str
    """Its own id where it belongs to no run: it stands in no order then, and its rev is 0."""
    rev: int
    n: int
    type: str
    at: Millis
    payload: dict[str, Json]
    wanted: bool | None = None
    """Whether an endpoint has a delivery of it; None: it was not spread over them yet."""


class DeliveryRow(Struct, frozen=True, kw_only=True):
    """What one endpoint is told of one row of the outbox: it waits behind an earlier one of its run, is due at a moment, or has ended."""

    tenant_id: str
    run_id: str
    rev: int
    n: int
    endpoint_id: str
    due_at: Millis | None = None
    """When the next try is; None while it waits behind another, and when it has ended."""
    tries: int = 0
    status: int | None = None
    """The HTTP status of the last try, if it was answered."""
    code: str | None = None
    """Why the last try failed."""
    ended_at: Millis | None = None
    ended_as: DeliveryEnd | None = None


class IdempotencyRow(Struct, frozen=True, kw_only=True):
    """A request that was taken under a key, and its stored answer: `reply` where it is set, else that of the turn, once done."""

    tenant_id: str
    scope: str
    key: str
    digest: bytes
    """SHA-256 of what was asked."""
    at: Millis
    turn_id: str | None = None
    reply: bytes | None = None


class EffectResultRow(Struct, frozen=True):
    """The result of one call, stored before the next step: an encoded Returned."""

    tenant_id: str
    run_id: str
    rev: int
    step: int
    at: Millis
    returned: bytes


class StoredReply(Struct, frozen=True, kw_only=True):
    """What an earlier request under the same key was answered; `done` False: its turn is still under way."""

    digest: bytes
    at: Millis
    done: bool
    reply: bytes | None
