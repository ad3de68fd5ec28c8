"""What a decision writes, found good before any of it is put into rows in memory."""

from collections.abc import Sequence

import msgspec

from engine.model.values import Millis
from engine.runtime.store.changes import changed, may_end
from engine.runtime.store.port import (
    ConversationChange,
    Decision,
    Noted,
    Record,
    Snapshot,
    StaleRecord,
    WaitClosed,
    WaitMoved,
)
from engine.runtime.store.rows import ConversationRow, OutboxRow, RunRow
from engine.testing.memory.rows import Rows
from engine.testing.memory.tables import Changes


def changes_of(rows: Rows, snapshot: Snapshot, decision: Decision) -> Changes:
    """All that is to be written; StaleRecord where another was first."""
    changes = Changes()
    match decision:
        case Record():
            for record in (*decision.before, decision):
                _change_run(rows, changes, snapshot, record)
            _change_conversation(rows, changes, snapshot, decision, decision.turn.at)
        case Noted():
            if decision.leased is not None:
                _put_run(rows, changes, decision.leased.run, decision.leased.expected)
            if decision.signal is not None:
                changes.insert(rows.signals, (decision.signal.tenant_id, decision.signal.id), decision.signal)
            for moved in decision.moved:
                _move(rows, changes, moved)
            for change in decision.tasks:
                task, before = change.task, rows.tasks.get((change.task.tenant_id, change.task.id))
                if before is None or before.status != "open" or before.attempt != change.was_attempt:
                    raise StaleRecord(f"Task {task.id} has ended, or is at another attempt.")
                changes.put(rows.tasks, (task.tenant_id, task.id), task)
            for record in decision.turns:
                _change_run(rows, changes, snapshot, record)
                _change_conversation(rows, changes, snapshot, record, record.turn.at)
            _change_conversation(rows, changes, snapshot, decision, snapshot.now)
            _tell(rows, changes, decision.outbox)
    if decision.idempotency is not None:
        kept = decision.idempotency
        changes.put(rows.idempotency, (kept.tenant_id, kept.scope, kept.key), kept)
    return changes


def _change_run(rows: Rows, changes: Changes, snapshot: Snapshot, record: Record) -> None:
    run, turn, tenant = record.run, record.turn, record.run.tenant_id
    _put_run(rows, changes, run, record.expected)
    ended = None if record.closed is None else _end(rows, changes, tenant, record.closed, snapshot.now)
    if record.moved is not None:
        _move(rows, changes, record.moved)
    before = rows.turns.get((tenant, turn.id))
    if before is not None and (before.run_id, before.rev, before.previous_id) != (turn.run_id, turn.rev, turn.previous_id):
        raise StaleRecord(f"There is another turn {turn.id} already.")
    changes.put(rows.turns, (tenant, turn.id), turn)
    if record.settles:
        for result in rows.results.of(lambda row: (row.tenant_id, row.run_id) == (tenant, run.id)):
            changes.drop(rows.results, (tenant, run.id, result.rev, result.step))
    if record.opened is not None:
        still = rows.open_wait(tenant, record.opened.run_id)
        if still is not None and still.id != ended:
            raise StaleRecord(f"Run {run.id} has an open wait already.")
        changes.insert(rows.waits, (tenant, record.opened.id), record.opened)
    if record.task is not None:
        changes.insert(rows.tasks, (tenant, record.task.id), record.task)
    for row in record.listening:
        changes.insert(rows.listening, (tenant, row.name, row.wait_id), row)
    for message in record.messages:
        changes.insert(rows.messages, (tenant, message.id), message)
    for usage in record.usage:
        changes.insert(rows.usage, (tenant, usage.id), usage)
    _tell(rows, changes, record.outbox)


def _tell(rows: Rows, changes: Changes, outbox: Sequence[OutboxRow]) -> None:
    for told in outbox:
        changes.insert(rows.outbox, (told.tenant_id, told.run_id, told.rev, told.n), told)


def _put_run(rows: Rows, changes: Changes, run: RunRow, expected: tuple[int, int] | None) -> None:
    stored = rows.runs.get((run.tenant_id, run.id))
    if expected != (None if stored is None else (stored.rev, stored.epoch)):
        raise StaleRecord(f"Run {run.id} is not at {expected} any more.")
    changes.put(rows.runs, (run.tenant_id, run.id), run)


def _end(rows: Rows, changes: Changes, tenant_id: str, closed: WaitClosed, now: Millis) -> str:
    wait = rows.waits.get((tenant_id, closed.id))
    if wait is None or wait.ended_at is not None or not may_end(wait.deadline, closed.by, now):
        raise StaleRecord(f"Wait {closed.id} cannot be {closed.by} now.")
    changes.put(rows.waits, (tenant_id, wait.id), msgspec.structs.replace(wait, ended_at=now, ended_by=closed.by))
    if closed.task is not None:
        for task in rows.tasks.of(lambda row: (row.tenant_id, row.wait_id, row.status) == (tenant_id, wait.id, "open")):
            changes.put(rows.tasks, (tenant_id, task.id), msgspec.structs.replace(task, status=closed.task))
    return wait.id


def _move(rows: Rows, changes: Changes, moved: WaitMoved) -> None:
    tenant_id = moved.tenant_id
    wait = rows.waits.get((tenant_id, moved.id))
    if wait is None or wait.ended_at is not None or wait.due_at != moved.was_due_at:
        raise StaleRecord(f"Wait {moved.id} is not due at {moved.was_due_at} any more.")
    changes.put(rows.waits, (tenant_id, wait.id), msgspec.structs.replace(wait, due_at=moved.due_at))


def _change_conversation(rows: Rows, changes: Changes, snapshot: Snapshot, decision: Decision, at: Millis) -> None:
    opened: ConversationRow | None = decision.opened_conversation
    change: ConversationChange | None = decision.conversation
    after = opened if change is None else changed(opened or snapshot.conversation, change, at)
    if after is not None:
        write = changes.put if opened is None else changes.insert
        write(rows.conversations, (after.tenant_id, after.id), after)
