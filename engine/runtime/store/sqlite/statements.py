"""The hot path's statements: declared over the tables, compiled once to SQL text, and run by the driver's own cursor.

None of them reads a clock. Values are given by position, which the driver binds several times as fast as names: for inserts in the
order of the table's columns, for all others in the order that stands beside the statement.
"""

import re
from typing import Final

from msgspec import Struct
from sqlalchemy import ClauseElement, ColumnElement, Table, and_, bindparam, case, exists, func, literal_column, select, tuple_, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.compiler import SQLCompiler

from engine.runtime.store.rows import ConversationRow, RunRow, SignalRow, TaskRow, WaitRow
from engine.runtime.store.tables import METADATA

RUN: Final = METADATA.tables["run"]
WAIT: Final = METADATA.tables["wait"]
TURN: Final = METADATA.tables["turn"]
CONVERSATION: Final = METADATA.tables["conversation"]
MESSAGE: Final = METADATA.tables["message"]
IDEMPOTENCY: Final = METADATA.tables["idempotency"]
TASK: Final = METADATA.tables["task"]
SIGNAL: Final = METADATA.tables["signal"]
LISTENING: Final = METADATA.tables["listening"]
META: Final = METADATA.tables["meta"]

_POSITIONAL: Final = sqlite.dialect(paramstyle="qmark")
_NAMED: Final = sqlite.dialect(paramstyle="named")


def named(statement: ClauseElement) -> str:
    """SQL text with `:name` parameters; the whole numbers among its constants stand in the text."""
    compiled = statement.compile(dialect=_NAMED)
    text = str(compiled)
    for name, value in compiled.params.items():
        if isinstance(value, int):
            text = re.sub(rf":{name}\b", str(value), text)
    return text


def positional(statement: ClauseElement, *names: str) -> str:
    """SQL text with `?` parameters, which are the named ones in this order."""
    compiled = statement.compile(dialect=_POSITIONAL)
    if isinstance(compiled, SQLCompiler) and tuple(compiled.positiontup or ()) != names:
        raise AssertionError(f"The parameters stand in the order {compiled.positiontup}.")
    return str(compiled)


def columns(table: Table, row: type[Struct]) -> list[ColumnElement[object]]:
    """The table's columns in the order of the row's fields."""
    return [table.c[name] for name in row.__struct_fields__]


def _insert(table: Table) -> str:
    return str(insert(table).values({column.name: bindparam(column.name) for column in table.columns}).compile(dialect=_POSITIONAL))


def _upsert(table: Table, key: list[str], *, only: ColumnElement[bool] | None = None) -> str:
    new = insert(table).values({column.name: bindparam(column.name) for column in table.columns})
    others = {column.name: new.excluded[column.name] for column in table.columns if column.name not in {*key, "tenant_id", "id"}}
    return str(new.on_conflict_do_update(index_elements=key, set_=others, where=only).compile(dialect=_POSITIONAL))


INSERT: Final = {name: _insert(table) for name, table in METADATA.tables.items()}
"""One row of each table."""

SAVE_TURN: Final = _upsert(TURN, ["tenant_id", "run_id", "rev"], only=TURN.c.id == insert(TURN).excluded.id)
"""Changes nothing where the run has another turn of that rev."""

SAVE_IDEMPOTENCY: Final = _upsert(IDEMPOTENCY, ["tenant_id", "scope", "key"])

KEEP_RESULT: Final = str(
    insert(METADATA.tables["effect_result"])
    .values({column.name: bindparam(column.name) for column in METADATA.tables["effect_result"].columns})
    .on_conflict_do_nothing()
    .compile(dialect=_POSITIONAL)
)

_OF_RUN_THAT_CHANGES = ("status", "rev", "epoch", "input_rev", "state", "ended_at", "end_reason", "lease_until", "attempts")
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

READ_MARK: Final = named(select(META.c.value).where(META.c.name == literal_column("'high_water'")))

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

_NEXT = TURN.alias("next_turn")
_OVERTAKEN_BY = (
    select(_NEXT.c.reply)
    .where(_NEXT.c.tenant_id == TURN.c.tenant_id, _NEXT.c.run_id == TURN.c.run_id, _NEXT.c.rev == TURN.c.rev + literal_column("1"))
    .correlate(TURN)
    .scalar_subquery()
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

FIND_REPLY: Final = positional(
    select(
        IDEMPOTENCY.c.digest,
        IDEMPOTENCY.c.at,
        func.coalesce(IDEMPOTENCY.c.reply, case((TURN.c.done, TURN.c.reply)), _OVERTAKEN_BY).label("reply"),
    )
    .select_from(
        IDEMPOTENCY.outerjoin(TURN, and_(TURN.c.tenant_id == IDEMPOTENCY.c.tenant_id, TURN.c.id == IDEMPOTENCY.c.turn_id)),
    )
    .where(
        IDEMPOTENCY.c.tenant_id == bindparam("tenant"),
        IDEMPOTENCY.c.scope == bindparam("scope"),
        IDEMPOTENCY.c.key == bindparam("key"),
    ),
    *("tenant", "scope", "key"),
)
"""(digest, at, reply); reply is null while the turn is under way, and the next turn's where that has ended it (a cancel does)."""

_ONCE = select(bindparam("tenant").label("tenant_id")).subquery("asked")
_ALL = [*columns(RUN, RunRow), *columns(WAIT, WaitRow), *columns(CONVERSATION, ConversationRow)]


def _loading(run: ColumnElement[bool], wait: ColumnElement[bool], *names: str, wait_first: bool = False) -> str:
    """One row: a run's columns, a wait's, a conversation's; null where there is none."""
    to_run = (RUN, and_(RUN.c.tenant_id == _ONCE.c.tenant_id, run))
    to_wait = (WAIT, and_(WAIT.c.tenant_id == _ONCE.c.tenant_id, wait))
    first, second = (to_wait, to_run) if wait_first else (to_run, to_wait)
    joined = _ONCE.outerjoin(*first).outerjoin(*second)
    joined = joined.outerjoin(CONVERSATION, and_(CONVERSATION.c.tenant_id == _ONCE.c.tenant_id, CONVERSATION.c.id == RUN.c.conversation_id))
    return positional(select(*_ALL).select_from(joined), "tenant", *names)


_OPEN = and_(WAIT.c.run_id == RUN.c.id, WAIT.c.ended_at.is_(None))

LOAD_RUN: Final = _loading(RUN.c.id == bindparam("run"), _OPEN, "run")
LOAD_WAIT: Final = _loading(RUN.c.id == WAIT.c.run_id, WAIT.c.id == bindparam("wait"), "wait", wait_first=True)
LOAD_RUN_AND_WAIT: Final = _loading(RUN.c.id == bindparam("run"), WAIT.c.id == bindparam("wait"), "run", "wait")
LOAD_TASK: Final = positional(
    select(*columns(TASK, TaskRow)).where(TASK.c.tenant_id == bindparam("tenant"), TASK.c.id == bindparam("task")), *("tenant", "task")
)
LOAD_FREE_TASKS: Final = positional(
    select(*columns(TASK, TaskRow))
    .where(
        TASK.c.tenant_id == bindparam("tenant"),
        TASK.c.queue == bindparam("queue"),
        TASK.c.status == literal_column("'open'"),
        TASK.c.free_at <= bindparam("now"),
    )
    .order_by(TASK.c.free_at, TASK.c.id)
    .limit(bindparam("limit"))
    .offset(literal_column("0")),
    *("tenant", "queue", "now", "limit"),
)
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
LOAD_SIGNALS: Final = positional(
    select(*columns(SIGNAL, SignalRow))
    .select_from(LISTENING.join(SIGNAL, and_(SIGNAL.c.tenant_id == LISTENING.c.tenant_id, SIGNAL.c.name == LISTENING.c.name)))
    .where(LISTENING.c.tenant_id == bindparam("tenant"), LISTENING.c.wait_id == bindparam("wait"), SIGNAL.c.at >= bindparam("since"))
    .order_by(SIGNAL.c.at, SIGNAL.c.id),
    *("tenant", "wait", "since"),
)
LOAD_LISTENERS: Final = positional(
    select(*columns(WAIT, WaitRow), LISTENING.c.match)
    .select_from(LISTENING.join(WAIT, and_(WAIT.c.tenant_id == LISTENING.c.tenant_id, WAIT.c.id == LISTENING.c.wait_id)))
    .where(LISTENING.c.tenant_id == bindparam("tenant"), LISTENING.c.name == bindparam("name"), WAIT.c.ended_at.is_(None))
    .order_by(WAIT.c.id),
    *("tenant", "name"),
)
LOAD_OPEN_RUNS: Final = positional(
    select(*columns(RUN, RunRow), *columns(WAIT, WaitRow))
    .select_from(RUN.outerjoin(WAIT, and_(WAIT.c.tenant_id == RUN.c.tenant_id, _OPEN)))
    .where(
        RUN.c.tenant_id == bindparam("tenant"),
        RUN.c.conversation_id == bindparam("conversation"),
        RUN.c.flow == bindparam("flow"),
        RUN.c.ended_at.is_(None),
    )
    .order_by(RUN.c.id),
    *("tenant", "conversation", "flow"),
)
LOAD_CONVERSATION: Final = positional(
    select(*columns(CONVERSATION, ConversationRow)).where(
        CONVERSATION.c.tenant_id == bindparam("tenant"), CONVERSATION.c.id == bindparam("conversation")
    ),
    *("tenant", "conversation"),
)
LOAD_CONVERSATION_OF: Final = positional(
    select(*columns(CONVERSATION, ConversationRow))
    .where(
        CONVERSATION.c.tenant_id == bindparam("tenant"),
        CONVERSATION.c.customer_id == bindparam("customer"),
        CONVERSATION.c.archived_at.is_(None),
    )
    .order_by(CONVERSATION.c.created_at.desc(), CONVERSATION.c.id.desc())
    .limit(literal_column("1"))
    .offset(literal_column("0")),
    *("tenant", "customer"),
)
