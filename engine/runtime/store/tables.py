"""The tables, declared once for every database: `tenant_id` leads every key, columns stand in the order of their row's fields.

No foreign keys: they would tie tables together that are spread by tenant later, and cost the hot path a look-up each;
`engine.runtime.invariants` finds a row that points nowhere. Times are integer milliseconds, ids are text that sorts by time,
what is JSON elsewhere is msgpack here. Small rows that are found by their key alone stand in it (WITHOUT ROWID).
"""

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

NEWEST_MIGRATION = "0002"
"""The migration that makes the tables as they stand here."""

_OPEN = text("ended_at IS NULL")
_LEASED = text("lease_until IS NOT NULL")
_UNDONE = text("status = 'open'")
_UNSPREAD = text("wanted IS NULL")
_UNWANTED = text("wanted = 0"), text("NOT wanted")
"""On SQLite, where it must be written as statements write it, and on PostgreSQL."""
_DUE = text("due_at IS NOT NULL")
_ENDED = text("ended_at IS NOT NULL")
_IN_KEY = {"sqlite_with_rowid": False}


class Stored(SQLModel, registry=registry()):
    """What all tables share: metadata of their own, apart from those of a program that uses SQLModel beside us."""


METADATA = Stored.metadata


class TenantTable(Stored, table=True):
    """Who owns everything else."""

    __tablename__ = "tenant"
    __table_args__ = (Index("tenant_by_name", "name", unique=True),)
    id: str = Field(primary_key=True)
    name: str
    created_at: int = Field(sa_type=BigInteger)


class PublicKeyTable(Stored, table=True):
    """What web pages show to open sessions."""

    __tablename__ = "public_key"
    __table_args__ = (Index("public_key_by_key", "key", unique=True),)
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    key: str
    created_at: int = Field(sa_type=BigInteger)
    identity_secret: str
    label: str | None
    accent_color: str | None
    intents: bytes | None
    origins: bytes
    native: bool
    expose_trace: bool
    trusted_usage: bool
    status: str


class ApiKeyTable(Stored, table=True):
    """Servers' credentials, as digests."""

    __tablename__ = "api_key"
    __table_args__ = (Index("api_key_by_digest", "digest", unique=True),)
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    digest: bytes
    hint: str
    created_at: int = Field(sa_type=BigInteger)
    scopes: bytes
    status: str


class FlowVersionTable(Stored, table=True):
    """Published flows; rows are never changed."""

    __tablename__ = "flow_version"
    tenant_id: str = Field(primary_key=True)
    flow: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    digest: str
    intent: str | None
    source: str
    document: bytes
    published_at: int = Field(sa_type=BigInteger)


class PriceTable(Stored, table=True):
    """What a model's tokens cost from a moment on."""

    __tablename__ = "price"
    __table_args__ = (Index("price_by_model", "tenant_id", "model", "effective_from", unique=True),)
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    model: str
    input: str
    output: str
    cached_input: str | None
    effective_from: int = Field(sa_type=BigInteger)


class ConnectionTable(Stored, table=True):
    """Credentials for requests of flows, sealed."""

    __tablename__ = "connection"
    tenant_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    kind: str
    base_url: str
    parameter: str | None
    secret: bytes
    created_at: int = Field(sa_type=BigInteger)
    modified_at: int = Field(sa_type=BigInteger)


class WebhookTable(Stored, table=True):
    """Endpoints that are told of events, their secrets sealed."""

    __tablename__ = "webhook"
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    url: str
    events: bytes
    status: str
    secret: bytes
    old_secret: bytes | None
    old_until: int | None = Field(sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    modified_at: int = Field(sa_type=BigInteger)


class ConversationTable(Stored, table=True):
    """Threads of messages with their variables."""

    __tablename__ = "conversation"
    __table_args__ = (
        Index(
            "conversation_by_customer",
            "tenant_id",
            "customer_id",
            "created_at",
            sqlite_where=text("customer_id IS NOT NULL"),
            postgresql_where=text("customer_id IS NOT NULL"),
        ),
    )
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    created_at: int = Field(sa_type=BigInteger)
    modified_at: int = Field(sa_type=BigInteger)
    customer_id: str | None
    locale: str | None
    variables: bytes
    owned: bytes
    next_sequence: int
    archived_at: int | None = Field(sa_type=BigInteger)
    name: str | None


class RunTable(Stored, table=True):
    """Runs as they stand between two commits."""

    __tablename__ = "run"
    __table_args__ = (
        Index("run_by_conversation", "tenant_id", "conversation_id", "id"),
        Index("run_by_lease", "lease_until", sqlite_where=_LEASED, postgresql_where=_LEASED),
    )
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    conversation_id: str
    flow: str
    version: int
    intent: str
    status: str
    rev: int
    epoch: int
    input_rev: int
    turn_id: str
    state: bytes
    started_at: int = Field(sa_type=BigInteger)
    ended_at: int | None = Field(sa_type=BigInteger)
    end_reason: str | None
    lease_until: int | None = Field(sa_type=BigInteger)
    attempts: int


class WaitTable(Stored, table=True):
    """Pauses; the partial indexes hold the open ones only, so that a sweep and its cost know nothing of the ended ones."""

    __tablename__ = "wait"
    __table_args__ = (
        Index("wait_open_by_due", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("wait_open_by_tenant", "tenant_id", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("wait_open_of_run", "tenant_id", "run_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        _IN_KEY,
    )
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    run_id: str
    rev: int
    opened_at: int = Field(sa_type=BigInteger)
    deadline: int = Field(sa_type=BigInteger)
    due_at: int = Field(sa_type=BigInteger)
    answerable: bool
    ended_at: int | None = Field(sa_type=BigInteger)
    ended_by: str | None


class SignalTable(Stored, table=True):
    """Events and callbacks from outside, kept for a day."""

    __tablename__ = "signal"
    __table_args__ = (Index("signal_by_name", "tenant_id", "name", "at", "id"), Index("signal_by_age", "at"))
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    name: str
    at: int = Field(sa_type=BigInteger)
    data: bytes
    run_id: str | None = None


class ListeningTable(Stored, table=True):
    """Which open waits listen to which signals."""

    __tablename__ = "listening"
    __table_args__ = (Index("listening_by_wait", "tenant_id", "wait_id"), _IN_KEY)
    tenant_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    wait_id: str = Field(primary_key=True)
    match: bytes


class TaskTable(Stored, table=True):
    """Work for queues; the partial index holds what is not ended, in the order in which it is claimed."""

    __tablename__ = "task"
    __table_args__ = (
        Index("task_open_by_queue", "tenant_id", "queue", "free_at", "id", sqlite_where=_UNDONE, postgresql_where=_UNDONE),
        Index("task_by_wait", "tenant_id", "wait_id"),
    )
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    run_id: str
    wait_id: str
    queue: str
    payload: bytes
    created_at: int = Field(sa_type=BigInteger)
    status: str
    attempt: int
    free_at: int = Field(sa_type=BigInteger)


class TurnTable(Stored, table=True):
    """Events taken, with what they caused.

    Those of a run are a chain, each naming the one before it; the run names the last. Found by an index instead, each turn would write
    another page of that, for it stands in a place of its own there.
    """

    __tablename__ = "turn"
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    run_id: str
    previous_id: str | None
    rev: int
    event: str
    at: int = Field(sa_type=BigInteger)
    done: bool
    reply: bytes
    trace: bytes


class MessageTable(Stored, table=True):
    """Messages, found by their turns; they stand in the order of time, so that those of many conversations are written to the same page."""

    __tablename__ = "message"
    __table_args__ = (_IN_KEY,)
    tenant_id: str = Field(primary_key=True)
    conversation_id: str
    id: str
    run_id: str
    turn_id: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    sequence: int
    created_at: int = Field(sa_type=BigInteger)
    text: str | None
    values: bytes | None


class UsageTable(Stored, table=True):
    """Tokens spent and what they cost."""

    __tablename__ = "usage"
    __table_args__ = (Index("usage_by_turn", "tenant_id", "turn_id"), _IN_KEY)
    tenant_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    run_id: str
    turn_id: str
    conversation_id: str
    public_key_id: str | None
    flow: str
    at: int = Field(sa_type=BigInteger)
    source: str
    model: str
    prompt_tokens: int = Field(sa_type=BigInteger)
    completion_tokens: int = Field(sa_type=BigInteger)
    cached_prompt_tokens: int | None = Field(sa_type=BigInteger)
    cost_micros: int | None = Field(sa_type=BigInteger)
    price_id: str | None


class OutboxTable(Stored, table=True):
    """What is to be told to webhooks, in order of each run; one partial index holds what is not spread yet, one what may be forgotten."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_unspread", "at", sqlite_where=_UNSPREAD, postgresql_where=_UNSPREAD),
        Index("outbox_unwanted", "at", sqlite_where=_UNWANTED[0], postgresql_where=_UNWANTED[1]),
    )
    tenant_id: str = Field(primary_key=True)
    id: str
    run_id: str = Field(primary_key=True)
    rev: int = Field(primary_key=True)
    n: int = Field(primary_key=True)
    type: str
    at: int = Field(sa_type=BigInteger)
    payload: bytes
    wanted: bool | None


class DeliveryTable(Stored, table=True):
    """What one endpoint is told of one event; the partial indexes of what is due know nothing of what waits behind it, or has ended."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("delivery_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("delivery_due_of_endpoint", "tenant_id", "endpoint_id", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("delivery_of_endpoint", "tenant_id", "endpoint_id", "run_id", "rev", "n"),
        Index("delivery_by_end", "ended_as", "ended_at", sqlite_where=_ENDED, postgresql_where=_ENDED),
        _IN_KEY,
    )
    tenant_id: str = Field(primary_key=True)
    run_id: str = Field(primary_key=True)
    rev: int = Field(primary_key=True)
    n: int = Field(primary_key=True)
    endpoint_id: str = Field(primary_key=True)
    due_at: int | None = Field(sa_type=BigInteger)
    tries: int
    status: int | None
    code: str | None
    ended_at: int | None = Field(sa_type=BigInteger)
    ended_as: str | None


class IdempotencyTable(Stored, table=True):
    """Requests that were taken under a key."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("idempotency_by_time", "at"), _IN_KEY)
    tenant_id: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    digest: bytes
    at: int = Field(sa_type=BigInteger)
    turn_id: str | None
    reply: bytes | None


class EffectResultTable(Stored, table=True):
    """Results of outside calls, kept before their turn goes on."""

    __tablename__ = "effect_result"
    tenant_id: str = Field(primary_key=True)
    run_id: str = Field(primary_key=True)
    rev: int = Field(primary_key=True)
    step: int = Field(primary_key=True)
    at: int = Field(sa_type=BigInteger)
    returned: bytes


class MetaTable(Stored, table=True):
    """Numbers about the database itself: `revision` of the registry, `high_water` of the clock, `proofs` of health with their ballast.

    Of what happened before `forgotten` the outbox may hold a part alone.
    """

    __tablename__ = "meta"
    name: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)
    ballast: bytes | None
