"""What the writer writes, declared over the tables and compiled once."""

from typing import Final

from sqlalchemy import and_, bindparam, exists, func, literal_column, select, tuple_, update
from sqlalchemy.dialects.sqlite import Insert, insert

from engine.runtime.store.sqlite.statements import (
    CONVERSATION,
    IDEMPOTENCY,
    LISTENING,
    META,
    RUN,
    SIGNAL,
    TASK,
    TURN,
    WAIT,
    inserted,
    named,
    positional,
    upserted,
)
from engine.runtime.store.tables import METADATA

_RESULT: Final = METADATA.tables["effect_result"]


def _by_columns(statement: Insert) -> str:
    """SQL text whose parameters are the columns of the table, in their order."""
    return positional(statement, *statement.table.columns.keys())


INSERT: Final = {name: _by_columns(inserted(table)) for name, table in METADATA.tables.items()}
"""One row of each table."""

_new = insert(TURN).excluded
_SAME_TURN = and_(TURN.c.run_id == _new.run_id, TURN.c.rev == _new.rev, TURN.c.previous_id.is_not_distinct_from(_new.previous_id))
SAVE_TURN: Final = _by_columns(upserted(TURN, ["tenant_id", "id"], only=_SAME_TURN))
"""A turn, or what more has come of one that is under way; changes nothing where another turn has its id, or follows another."""

SAVE_IDEMPOTENCY: Final = _by_columns(upserted(IDEMPOTENCY, ["tenant_id", "scope", "key"]))

KEEP_RESULT: Final = _by_columns(inserted(_RESULT).on_conflict_do_nothing())

FORGET_RESULTS: Final = positional(
    _RESULT.delete().where(_RESULT.c.tenant_id == bindparam("tenant"), _RESULT.c.run_id == bindparam("run")),
    *("tenant", "run"),
)

_OF_RUN_THAT_CHANGES = ("status", "rev", "epoch", "input_rev", "turn_id", "state", "ended_at", "end_reason", "lease_until", "attempts")
UPDATE_RUN: Final = positional(
    update(RUN)
    .values({name: bindparam(name) for name in _OF_RUN_THAT_CHANGES})
    .where(
        RUN.c.tenant_id == bindparam("its_tenant"),
        RUN.c.id == bindparam("its_id"),
        RUN.c.rev == bindparam("expected_rev"),
        RUN.c.epoch == bindparam("expected_epoch"),
    ),
    *_OF_RUN_THAT_CHANGES,
    *("its_tenant", "its_id", "expected_rev", "expected_epoch"),
)
"""Names what changes and nothing else: SQLite writes each index anew whose columns are named, whatever their values."""

_END_WAIT = (
    update(WAIT)
    .values(ended_at=bindparam("now"), ended_by=bindparam("by"))
    .where(WAIT.c.tenant_id == bindparam("its_tenant"), WAIT.c.id == bindparam("its_id"), WAIT.c.ended_at.is_(None))
)

END_WAIT: Final = {
    "answered": positional(_END_WAIT.where(WAIT.c.deadline > bindparam("moment")), "now", "by", "its_tenant", "its_id", "moment"),
    "expired": positional(_END_WAIT.where(WAIT.c.deadline <= bindparam("moment")), "now", "by", "its_tenant", "its_id", "moment"),
    "signalled": positional(_END_WAIT, "now", "by", "its_tenant", "its_id"),
    "cancelled": positional(_END_WAIT, "now", "by", "its_tenant", "its_id"),
}
"""Each ends an open wait where the clock lets it; none touches one that has ended."""

MOVE_WAIT: Final = positional(
    update(WAIT)
    .values(due_at=bindparam("due_at"))
    .where(
        WAIT.c.tenant_id == bindparam("its_tenant"),
        WAIT.c.id == bindparam("its_id"),
        WAIT.c.ended_at.is_(None),
        WAIT.c.due_at == bindparam("was_due_at"),
    ),
    *("due_at", "its_tenant", "its_id", "was_due_at"),
)


def _update_conversation(*names: str) -> str:
    changes = update(CONVERSATION).values({name: bindparam(name) for name in names})
    its = (CONVERSATION.c.tenant_id == bindparam("its_tenant"), CONVERSATION.c.id == bindparam("its_id"))
    return positional(changes.where(*its), *names, "its_tenant", "its_id")


ADVANCE_CONVERSATION: Final = _update_conversation("modified_at", "next_sequence")
UPDATE_CONVERSATION: Final = _update_conversation("modified_at", "variables", "owned", "next_sequence")

RAISE_MARK: Final = positional(
    insert(META)
    .inline()
    .values(name=literal_column("'high_water'"), value=bindparam("now"))
    .on_conflict_do_update(index_elements=["name"], set_={"value": func.max(META.c.value, insert(META).excluded.value)}),
    "now",
)
"""Keeps the latest moment that was told, so that a clock set back while nobody ran is noticed."""

PROVE: Final = positional(
    insert(META)
    .inline()
    .values(name=literal_column("'proofs'"), value=literal_column("1"), ballast=bindparam("ballast"))
    .on_conflict_do_update(
        index_elements=["name"], set_={"value": META.c.value + literal_column("1"), "ballast": insert(META).excluded.ballast}
    ),
    "ballast",
)
"""A write that is as much as its ballast, which must be another each time: SQLite leaves the disk alone where bytes stay as they are."""

CHANGE_TASK: Final = positional(
    update(TASK)
    .values(attempt=bindparam("new_attempt"), free_at=bindparam("new_free_at"))
    .where(
        TASK.c.tenant_id == bindparam("its_tenant"),
        TASK.c.id == bindparam("its_id"),
        TASK.c.status == literal_column("'open'"),
        TASK.c.attempt == bindparam("was_attempt"),
    ),
    *("new_attempt", "new_free_at", "its_tenant", "its_id", "was_attempt"),
)
END_TASK: Final = positional(
    update(TASK)
    .values(status=bindparam("new_status"))
    .where(TASK.c.tenant_id == bindparam("its_tenant"), TASK.c.wait_id == bindparam("its_wait"), TASK.c.status == literal_column("'open'")),
    *("new_status", "its_tenant", "its_wait"),
)
STOP_LISTENING: Final = positional(
    LISTENING.delete().where(LISTENING.c.tenant_id == bindparam("tenant"), LISTENING.c.wait_id == bindparam("wait")), *("tenant", "wait")
)

PRUNE: Final = named(
    IDEMPOTENCY.delete().where(
        tuple_(IDEMPOTENCY.c.tenant_id, IDEMPOTENCY.c.scope, IDEMPOTENCY.c.key).in_(
            select(IDEMPOTENCY.c.tenant_id, IDEMPOTENCY.c.scope, IDEMPOTENCY.c.key)
            .where(IDEMPOTENCY.c.at < bindparam("before"))
            .order_by(IDEMPOTENCY.c.at)
            .limit(bindparam("limit"))
        )
    )
)

PRUNE_SIGNALS: Final = named(
    SIGNAL.delete().where(
        tuple_(SIGNAL.c.tenant_id, SIGNAL.c.id).in_(
            select(SIGNAL.c.tenant_id, SIGNAL.c.id)
            .where(
                SIGNAL.c.at < bindparam("before"),
                ~exists().where(RUN.c.tenant_id == SIGNAL.c.tenant_id, RUN.c.id == SIGNAL.c.run_id, RUN.c.ended_at.is_(None)),
                ~exists().where(
                    LISTENING.c.tenant_id == SIGNAL.c.tenant_id,
                    LISTENING.c.name == SIGNAL.c.name,
                    WAIT.c.tenant_id == LISTENING.c.tenant_id,
                    WAIT.c.id == LISTENING.c.wait_id,
                    WAIT.c.ended_at.is_(None),
                    WAIT.c.due_at <= bindparam("now"),
                ),
            )
            .order_by(SIGNAL.c.at)
            .limit(bindparam("limit"))
        )
    )
)
