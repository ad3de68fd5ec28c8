"""What the writer reads for a turn, declared over the tables and compiled once."""

from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, case, func, literal_column, select

from engine.runtime.store.rows import ConversationRow, RunRow, SignalRow, TaskRow, WaitRow
from engine.runtime.store.sqlite.statements import (
    CONVERSATION,
    FIRST,
    IDEMPOTENCY,
    LISTENING,
    META,
    RUN,
    SIGNAL,
    TASK,
    TURN,
    WAIT,
    columns,
    named,
    positional,
)

READ_MARK: Final = named(select(META.c.value).where(META.c.name == literal_column("'high_water'")))

_LAST = TURN.alias("last_turn")
_OVERTAKEN_BY = (
    select(case((_LAST.c.done, _LAST.c.reply)))
    .select_from(RUN.join(_LAST, and_(_LAST.c.tenant_id == RUN.c.tenant_id, _LAST.c.id == RUN.c.turn_id)))
    .where(RUN.c.tenant_id == TURN.c.tenant_id, RUN.c.id == TURN.c.run_id, _LAST.c.previous_id == TURN.c.id)
    .correlate(TURN)
    .scalar_subquery()
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
"""(digest, at, reply); reply is null while the turn is under way, and the run's last turn's where that has ended it (a cancel does)."""

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
    .offset(FIRST),
    *("tenant", "queue", "now", "limit"),
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
    .offset(FIRST),
    *("tenant", "customer"),
)
