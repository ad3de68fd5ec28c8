"""Writes what a decision asks for, in the open transaction; StaleRecord where the database does not stand as the decision believes."""

from collections.abc import Sequence
from sqlite3 import Cursor
from typing import Any

import msgspec
from msgspec.structs import asdict, astuple

from engine.model.values import Millis
from engine.runtime.store.changes import changed
from engine.runtime.store.port import ConversationChange, Decision, Noted, Record, Snapshot, StaleRecord, TaskChanged, WaitClosed, WaitMoved
from engine.runtime.store.rows import ConversationRow, MessageRow, OutboxRow, RunRow, SignalRow, TaskRow
from engine.runtime.store.sqlite.statements import (
    CHANGE_TASK,
    END_TASK,
    END_WAIT,
    MOVE_WAIT,
    SAVE_IDEMPOTENCY,
    SAVE_TURN,
    STOP_LISTENING,
    UPDATE_CONVERSATION,
    UPDATE_RUN,
    insert_rows,
)

pack = msgspec.msgpack.Encoder().encode


def save(cursor: Cursor, snapshot: Snapshot, decision: Decision) -> None:
    """Write all of the decision, or raise with some of it written: the caller rolls back to before."""
    match decision:
        case Record():
            for record in (*decision.before, decision):
                _save_record(cursor, snapshot, record)
        case Noted():
            if decision.leased is not None:
                _save_run(cursor, decision.leased.run, decision.leased.expected)
            if decision.signal is not None:
                cursor.execute(insert_rows("signal"), _signal(decision.signal))
            for moved in decision.moved:
                _move_wait(cursor, moved)
            for change in decision.tasks:
                _change_task(cursor, change)
            for record in decision.turns:
                _save_record(cursor, snapshot, record)
            _save_conversation(cursor, snapshot, decision.opened_conversation, decision.conversation, snapshot.now)
            _insert(cursor, "outbox", [_event(row) for row in decision.outbox])
    if decision.idempotency is not None:
        cursor.execute(SAVE_IDEMPOTENCY, astuple(decision.idempotency))


def _save_record(cursor: Cursor, snapshot: Snapshot, record: Record) -> None:
    _save_run(cursor, record.run, record.expected)
    if record.closed is not None:
        _end_wait(cursor, record.run.tenant_id, record.closed, snapshot.now)
    if record.moved is not None:
        _move_wait(cursor, record.moved)
    cursor.execute(SAVE_TURN, astuple(record.turn))
    if not cursor.rowcount:
        raise StaleRecord(f"Run {record.run.id} has another turn {record.turn.rev} already.")
    if record.opened is not None:
        cursor.execute(insert_rows("wait"), astuple(record.opened))
    _insert(cursor, "task", [] if record.task is None else [_task(record.task)])
    _insert(cursor, "listening", [(row.tenant_id, row.name, row.wait_id, pack(row.match)) for row in record.listening])
    _save_conversation(cursor, snapshot, record.opened_conversation, record.conversation, record.turn.at)
    _insert(cursor, "message", [_message(row) for row in record.messages])
    _insert(cursor, "usage", [astuple(row) for row in record.usage])
    _insert(cursor, "outbox", [_event(row) for row in record.outbox])


def _save_run(cursor: Cursor, run: RunRow, expected: tuple[int, int] | None) -> None:
    if expected is None:
        cursor.execute(insert_rows("run"), astuple(run))
        return
    cursor.execute(UPDATE_RUN, (*astuple(run)[2:], run.tenant_id, run.id, *expected))
    if not cursor.rowcount:
        raise StaleRecord(f"Run {run.id} is not at rev {expected[0]}, epoch {expected[1]} any more.")


def _end_wait(cursor: Cursor, tenant_id: str, closed: WaitClosed, now: Millis) -> None:
    asked = (now, closed.by, tenant_id, closed.id)
    cursor.execute(END_WAIT[closed.by], asked if closed.by in {"signalled", "cancelled"} else (*asked, now))
    if not cursor.rowcount:
        raise StaleRecord(f"Wait {closed.id} cannot be {closed.by} now.")
    if closed.listened:
        cursor.execute(STOP_LISTENING, (tenant_id, closed.id))
    if closed.task is not None:
        cursor.execute(END_TASK, (closed.task, tenant_id, closed.id))


def _move_wait(cursor: Cursor, moved: WaitMoved) -> None:
    cursor.execute(MOVE_WAIT, (moved.due_at, moved.tenant_id, moved.id, moved.was_due_at))
    if not cursor.rowcount:
        raise StaleRecord(f"Wait {moved.id} is not due at {moved.was_due_at} any more.")


def _save_conversation(
    cursor: Cursor, snapshot: Snapshot, opened: ConversationRow | None, change: ConversationChange | None, at: Millis
) -> None:
    after = opened if change is None else changed(opened or snapshot.conversation, change, at)
    if after is None:
        return
    if opened is not None:
        row = asdict(after)
        row["variables"], row["owned"] = pack(after.variables), pack(after.owned)
        cursor.execute(insert_rows("conversation"), tuple(row.values()))
        return
    changes = (after.modified_at, pack(after.variables), pack(after.owned), after.next_sequence)
    cursor.execute(UPDATE_CONVERSATION, (*changes, after.tenant_id, after.id))


def _insert(cursor: Cursor, table: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        cursor.execute(insert_rows(table, len(rows)), [value for row in rows for value in row])


def _message(row: MessageRow) -> tuple[Any, ...]:
    return (
        row.tenant_id,
        row.conversation_id,
        row.id,
        row.run_id,
        row.turn_id,
        row.role,
        row.sequence,
        row.created_at,
        row.text,
        None if row.values is None else pack(row.values),
    )


def _change_task(cursor: Cursor, change: TaskChanged) -> None:
    task = change.task
    cursor.execute(CHANGE_TASK, (task.attempt, task.free_at, task.tenant_id, task.id, change.was_attempt))
    if not cursor.rowcount:
        raise StaleRecord(f"Task {task.id} has ended, or is at another attempt.")


def _task(row: TaskRow) -> tuple[Any, ...]:
    fields = asdict(row)
    fields["payload"] = pack(row.payload)
    return tuple(fields.values())


def _signal(row: SignalRow) -> tuple[Any, ...]:
    return (row.tenant_id, row.id, row.name, row.at, pack(row.data))


def _event(row: OutboxRow) -> tuple[Any, ...]:
    return (row.tenant_id, row.id, row.run_id, row.rev, row.n, row.type, row.at, pack(row.payload), row.wanted)
