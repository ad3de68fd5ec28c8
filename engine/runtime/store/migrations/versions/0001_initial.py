"""The tables that 0.1 begins with."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, PrimaryKeyConstraint, String, text

revision = "0001"
down_revision = None

_OPEN = text("ended_at IS NULL")
_LEASED = text("lease_until IS NOT NULL")
_UNDONE = text("status = 'open'")
_UNSPREAD = text("wanted IS NULL")
_UNWANTED = text("wanted = 0"), text("NOT wanted")
_DUE = text("due_at IS NOT NULL")
_ENDED = text("ended_at IS NOT NULL")
_SIGNED = text("customer_id IS NOT NULL")


def upgrade() -> None:
    _registry()
    _conversations()
    _turns()
    _results()


def downgrade() -> None:
    for table in (
        "delivery",
        "outbox",
        "usage",
        "effect_result",
        "idempotency",
        "turn",
        "task",
        "listening",
        "signal",
        "wait",
        "run",
        "message",
        "conversation",
        "connection",
        "webhook",
        "price",
        "flow_version",
        "api_key",
        "public_key",
        "tenant",
        "meta",
    ):
        op.drop_table(table)


def _registry() -> None:
    op.create_table("meta", _text("name"), _long("value"), _bytes("ballast", nullable=True), PrimaryKeyConstraint("name"))
    op.create_table("tenant", _text("id"), _text("name"), _long("created_at"), PrimaryKeyConstraint("id"))
    op.create_index("tenant_by_name", "tenant", ["name"], unique=True)
    op.create_table(
        "public_key",
        _text("tenant_id"),
        _text("id"),
        _text("key"),
        _long("created_at"),
        _text("identity_secret"),
        _text("label", nullable=True),
        _text("accent_color", nullable=True),
        _bytes("intents", nullable=True),
        _bytes("origins"),
        _flag("native"),
        _flag("expose_trace"),
        _flag("trusted_usage"),
        _text("status"),
        PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("public_key_by_key", "public_key", ["key"], unique=True)
    op.create_table(
        "api_key",
        _text("tenant_id"),
        _text("id"),
        _bytes("digest"),
        _text("hint"),
        _long("created_at"),
        _bytes("scopes"),
        _text("status"),
        PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("api_key_by_digest", "api_key", ["digest"], unique=True)
    op.create_table(
        "flow_version",
        _text("tenant_id"),
        _text("flow"),
        _number("version"),
        _text("digest"),
        _text("intent", nullable=True),
        _text("source"),
        _bytes("document"),
        _long("published_at"),
        PrimaryKeyConstraint("tenant_id", "flow", "version"),
    )
    op.create_table(
        "price",
        _text("tenant_id"),
        _text("id"),
        _text("model"),
        _text("input"),
        _text("output"),
        _text("cached_input", nullable=True),
        _long("effective_from"),
        PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("price_by_model", "price", ["tenant_id", "model", "effective_from"], unique=True)
    op.create_table(
        "connection",
        _text("tenant_id"),
        _text("name"),
        _text("kind"),
        _text("base_url"),
        _text("parameter", nullable=True),
        _bytes("secret"),
        _long("created_at"),
        _long("modified_at"),
        PrimaryKeyConstraint("tenant_id", "name"),
    )
    op.create_table(
        "webhook",
        _text("tenant_id"),
        _text("id"),
        _text("url"),
        _bytes("events"),
        _text("status"),
        _bytes("secret"),
        _bytes("old_secret", nullable=True),
        _long("old_until", nullable=True),
        _long("created_at"),
        _long("modified_at"),
        PrimaryKeyConstraint("tenant_id", "id"),
    )


def _conversations() -> None:
    op.create_table(
        "conversation",
        _text("tenant_id"),
        _text("id"),
        _long("created_at"),
        _long("modified_at"),
        _text("customer_id", nullable=True),
        _text("locale", nullable=True),
        _bytes("variables"),
        _bytes("owned"),
        _number("next_sequence"),
        _long("archived_at", nullable=True),
        _text("name", nullable=True),
        PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index(
        "conversation_by_customer",
        "conversation",
        ["tenant_id", "customer_id", "created_at"],
        sqlite_where=_SIGNED,
        postgresql_where=_SIGNED,
    )
    op.create_table(
        "message",
        _text("tenant_id"),
        _text("conversation_id"),
        _text("id"),
        _text("run_id"),
        _text("turn_id"),
        _text("role"),
        _number("sequence"),
        _long("created_at"),
        _text("text", nullable=True),
        _bytes("values", nullable=True),
        PrimaryKeyConstraint("tenant_id", "turn_id", "role"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run",
        _text("tenant_id"),
        _text("id"),
        _text("conversation_id"),
        _text("flow"),
        _number("version"),
        _text("intent"),
        _text("status"),
        _number("rev"),
        _number("epoch"),
        _number("input_rev"),
        _bytes("state"),
        _long("started_at"),
        _long("ended_at", nullable=True),
        _text("end_reason", nullable=True),
        _long("lease_until", nullable=True),
        _number("attempts"),
        PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("run_by_conversation", "run", ["tenant_id", "conversation_id", "id"])
    op.create_index("run_by_lease", "run", ["lease_until"], sqlite_where=_LEASED, postgresql_where=_LEASED)


def _turns() -> None:
    op.create_table(
        "wait",
        _text("tenant_id"),
        _text("id"),
        _text("run_id"),
        _number("rev"),
        _long("opened_at"),
        _long("deadline"),
        _long("due_at"),
        _flag("answerable"),
        _long("ended_at", nullable=True),
        _text("ended_by", nullable=True),
        PrimaryKeyConstraint("tenant_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("wait_open_by_due", "wait", ["due_at", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("wait_open_by_tenant", "wait", ["tenant_id", "due_at", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("wait_open_of_run", "wait", ["tenant_id", "run_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "signal",
        _text("tenant_id"),
        _text("id"),
        _text("name"),
        _long("at"),
        _bytes("data"),
        _text("run_id", nullable=True),
        PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("signal_by_name", "signal", ["tenant_id", "name", "at", "id"])
    op.create_index("signal_by_age", "signal", ["at"])
    op.create_table(
        "listening",
        _text("tenant_id"),
        _text("name"),
        _text("wait_id"),
        _bytes("match"),
        PrimaryKeyConstraint("tenant_id", "name", "wait_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("listening_by_wait", "listening", ["tenant_id", "wait_id"])
    op.create_table(
        "task",
        _text("tenant_id"),
        _text("id"),
        _text("run_id"),
        _text("wait_id"),
        _text("queue"),
        _bytes("payload"),
        _long("created_at"),
        _text("status"),
        _number("attempt"),
        _long("free_at"),
        PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("task_open_by_queue", "task", ["tenant_id", "queue", "free_at", "id"], sqlite_where=_UNDONE, postgresql_where=_UNDONE)
    op.create_index("task_by_wait", "task", ["tenant_id", "wait_id"])
    op.create_table(
        "turn",
        _text("tenant_id"),
        _text("id"),
        _text("run_id"),
        _number("rev"),
        _text("event"),
        _long("at"),
        _flag("done"),
        _bytes("reply"),
        _bytes("trace"),
        PrimaryKeyConstraint("tenant_id", "id"),
    )
    op.create_index("turn_by_run", "turn", ["tenant_id", "run_id", "rev"], unique=True)
    op.create_table(
        "idempotency",
        _text("tenant_id"),
        _text("scope"),
        _text("key"),
        _bytes("digest"),
        _long("at"),
        _text("turn_id", nullable=True),
        _bytes("reply", nullable=True),
        PrimaryKeyConstraint("tenant_id", "scope", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_by_time", "idempotency", ["at"])
    op.create_table(
        "effect_result",
        _text("tenant_id"),
        _text("run_id"),
        _number("rev"),
        _number("step"),
        _long("at"),
        _bytes("returned"),
        PrimaryKeyConstraint("tenant_id", "run_id", "rev", "step"),
    )


def _results() -> None:
    op.create_table(
        "usage",
        _text("tenant_id"),
        _text("id"),
        _text("run_id"),
        _text("turn_id"),
        _text("conversation_id"),
        _text("public_key_id", nullable=True),
        _text("flow"),
        _long("at"),
        _text("source"),
        _text("model"),
        _long("prompt_tokens"),
        _long("completion_tokens"),
        _long("cached_prompt_tokens", nullable=True),
        _long("cost_micros", nullable=True),
        _text("price_id", nullable=True),
        PrimaryKeyConstraint("tenant_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("usage_by_turn", "usage", ["tenant_id", "turn_id"])
    op.create_table(
        "outbox",
        _text("tenant_id"),
        _text("id"),
        _text("run_id"),
        _number("rev"),
        _number("n"),
        _text("type"),
        _long("at"),
        _bytes("payload"),
        _flag("wanted", nullable=True),
        PrimaryKeyConstraint("tenant_id", "run_id", "rev", "n"),
    )
    op.create_index("outbox_unspread", "outbox", ["at"], sqlite_where=_UNSPREAD, postgresql_where=_UNSPREAD)
    op.create_index("outbox_unwanted", "outbox", ["at"], sqlite_where=_UNWANTED[0], postgresql_where=_UNWANTED[1])
    op.create_table(
        "delivery",
        _text("tenant_id"),
        _text("run_id"),
        _number("rev"),
        _number("n"),
        _text("endpoint_id"),
        _long("due_at", nullable=True),
        _number("tries"),
        _number("status", nullable=True),
        _text("code", nullable=True),
        _long("ended_at", nullable=True),
        _text("ended_as", nullable=True),
        PrimaryKeyConstraint("tenant_id", "run_id", "rev", "n", "endpoint_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("delivery_due", "delivery", ["due_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_index(
        "delivery_due_of_endpoint", "delivery", ["tenant_id", "endpoint_id", "due_at"], sqlite_where=_DUE, postgresql_where=_DUE
    )
    op.create_index("delivery_of_endpoint", "delivery", ["tenant_id", "endpoint_id", "run_id", "rev", "n"])
    op.create_index("delivery_by_end", "delivery", ["ended_as", "ended_at"], sqlite_where=_ENDED, postgresql_where=_ENDED)


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(), nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary(), nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Integer(), nullable=nullable)


def _long(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger(), nullable=nullable)


def _flag(name: str, *, nullable: bool = False) -> Column[bool]:
    return Column(name, Boolean(), nullable=nullable)
