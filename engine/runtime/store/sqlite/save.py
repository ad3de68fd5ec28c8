"""From decisions to what they write: statements with their values, which run together with those of other decisions.

A statement that runs once for many decisions costs each of them half as much as one of its own: it is found, begun and ended once, and
the pages and the code of its table stay in the processor's caches meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterable
from sqlite3 import Cursor
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from msgspec.structs import astuple

from engine.model.values import Millis
from engine.runtime.store.changes import changed
from engine.runtime.store.port import ConversationChange, Decision, Noted, Record, Snapshot, StaleRecord, TaskChanged, WaitClosed, WaitMoved
from engine.runtime.store.rows import ConversationRow, MessageRow, OutboxRow, RunRow, SignalRow, TaskRow
from engine.runtime.store.sqlite.recent import Left
from engine.runtime.store.sqlite.save_statements import (
    ADVANCE_CONVERSATION,
    CHANGE_TASK,
    END_TASK,
    END_WAIT,
    FORGET_RESULTS,
    INSERT,
    MOVE_WAIT,
    SAVE_IDEMPOTENCY,
    SAVE_TURN,
    STOP_LISTENING,
    UPDATE_CONVERSATION,
    UPDATE_RUN,
)

Write = tuple[str, Any]
"""A statement, and values for it to run with once."""


class Writes(Struct, frozen=True):
    """What a decision writes, and what it leaves."""

    asked: list[Write] = field(default_factory=list)
    left: Left = field(default_factory=Left)


IN_ORDER: Final = (
    INSERT["run"],
    UPDATE_RUN,
    *sorted({*END_WAIT.values()}),  # two of them are the same
    STOP_LISTENING,
    END_TASK,
    MOVE_WAIT,
    CHANGE_TASK,
    SAVE_TURN,
    FORGET_RESULTS,
    INSERT["wait"],  # after the ends: a run has one open wait
    INSERT["task"],
    INSERT["listening"],
    INSERT["signal"],
    INSERT["conversation"],
    ADVANCE_CONVERSATION,
    UPDATE_CONVERSATION,  # last: a replaced run only advances what its successor may write into
    INSERT["message"],
    INSERT["usage"],
    INSERT["outbox"],
    SAVE_IDEMPOTENCY,
)
"""Every statement of a decision, in the order in which they run."""

_CERTAIN: Final = frozenset({UPDATE_RUN, *END_WAIT.values(), MOVE_WAIT, CHANGE_TASK, SAVE_TURN})
"""Those that change one row each time, or the decision rests on what is not true any more."""

pack = msgspec.msgpack.Encoder().encode


def write(cursor: Cursor, writes: Iterable[Write]) -> None:
    """Run the writes of one or many decisions that do not concern the same thing.

    Raises StaleRecord, with some of it written, where the database does not stand as one of them believes.
    """
    waiting: defaultdict[str, list[Any]] = defaultdict(list)
    for text, values in writes:
        waiting[text].append(values)
    for text in IN_ORDER:
        if text in waiting:
            cursor.executemany(text, waiting[text])
            if text in _CERTAIN and cursor.rowcount != len(waiting[text]):
                raise StaleRecord(f"What was decided cannot be done now: {text.partition(' SET ')[0]}")


def writes(snapshot: Snapshot, decision: Decision) -> Writes:
    """All that the decision writes; StaleRecord where it is about another conversation than was loaded."""
    writes = Writes()
    match decision:
        case Record():
            for record in (*decision.before, decision):
                _add_record(writes, snapshot, record)
        case Noted():
            _add_note(writes, snapshot, decision)
    if decision.idempotency is not None:
        writes.asked.append((SAVE_IDEMPOTENCY, astuple(decision.idempotency)))
    return writes


def _add_note(writes: Writes, snapshot: Snapshot, noted: Noted) -> None:
    asked = writes.asked
    if noted.leased is not None:
        asked.append(_run(noted.leased.run, noted.leased.expected))
    if noted.signal is not None:
        asked.append((INSERT["signal"], _signal(noted.signal)))
    for moved in noted.moved:
        _add_move(writes, moved)
    asked += [_changed_task(change) for change in noted.tasks]
    for record in noted.turns:
        _add_record(writes, snapshot, record)
    _add_conversation(writes, snapshot, noted.opened_conversation, noted.conversation, snapshot.now)
    asked += [(INSERT["outbox"], _event(event)) for event in noted.outbox]


def _add_record(writes: Writes, snapshot: Snapshot, record: Record) -> None:
    asked = writes.asked
    asked.append(_run(record.run, record.expected))
    if record.closed is not None:
        _add_end(writes, record.run.tenant_id, record.closed, snapshot.now)
    if record.moved is not None:
        _add_move(writes, record.moved)
    asked.append((SAVE_TURN, astuple(record.turn)))
    if record.settles:
        asked.append((FORGET_RESULTS, (record.run.tenant_id, record.run.id)))
    if record.opened is not None:
        asked.append((INSERT["wait"], astuple(record.opened)))
        writes.left.opened.append((record.run, record.opened))
    if record.task is not None:
        asked.append((INSERT["task"], _task(record.task)))
    asked += [(INSERT["listening"], (row.tenant_id, row.name, row.wait_id, pack(row.match))) for row in record.listening]
    _add_conversation(writes, snapshot, record.opened_conversation, record.conversation, record.turn.at)
    asked += [(INSERT["message"], _message(message)) for message in record.messages]
    asked += [(INSERT["usage"], astuple(usage)) for usage in record.usage]
    asked += [(INSERT["outbox"], _event(event)) for event in record.outbox]


def _run(run: RunRow, expected: tuple[int, int] | None) -> Write:
    if expected is None:
        return INSERT["run"], astuple(run)
    numbers = (run.rev, run.epoch, run.input_rev, run.turn_id)
    changes = (run.status, *numbers, run.state, run.ended_at, run.end_reason, run.lease_until, run.attempts)
    return UPDATE_RUN, (*changes, run.tenant_id, run.id, *expected)


def _add_end(writes: Writes, tenant_id: str, closed: WaitClosed, now: Millis) -> None:
    asked = writes.asked
    writes.left.gone.append(closed.id)
    values = (now, closed.by, tenant_id, closed.id)
    asked.append((END_WAIT[closed.by], values if closed.by in {"signalled", "cancelled"} else (*values, now)))
    if closed.listened:
        asked.append((STOP_LISTENING, (tenant_id, closed.id)))
    if closed.task is not None:
        asked.append((END_TASK, (closed.task, tenant_id, closed.id)))


def _add_move(writes: Writes, moved: WaitMoved) -> None:
    writes.asked.append((MOVE_WAIT, (moved.due_at, moved.tenant_id, moved.id, moved.was_due_at)))
    writes.left.gone.append(moved.id)


def _add_conversation(
    writes: Writes, snapshot: Snapshot, opened: ConversationRow | None, change: ConversationChange | None, at: Millis
) -> None:
    before = opened or snapshot.conversation
    after = opened if change is None else changed(before, change, at)
    if after is None:
        return
    asked = writes.asked
    writes.left.conversations.append(after)
    of, variables, owned = (after.tenant_id, after.id), after.variables, after.owned
    if opened is not None:
        row = msgspec.structs.asdict(after)
        asked.append((INSERT["conversation"], tuple({**row, "variables": pack(variables), "owned": pack(owned)}.values())))
    elif before is not None and variables is before.variables and owned is before.owned:
        asked.append((ADVANCE_CONVERSATION, (after.modified_at, after.next_sequence, *of)))
    else:
        asked.append((UPDATE_CONVERSATION, (after.modified_at, pack(variables), pack(owned), after.next_sequence, *of)))


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


def _changed_task(change: TaskChanged) -> Write:
    task = change.task
    return CHANGE_TASK, (task.attempt, task.free_at, task.tenant_id, task.id, change.was_attempt)


def _task(row: TaskRow) -> tuple[Any, ...]:
    return tuple({**msgspec.structs.asdict(row), "payload": pack(row.payload)}.values())


def _signal(row: SignalRow) -> tuple[Any, ...]:
    return (row.tenant_id, row.id, row.name, row.at, pack(row.data), row.run_id)


def _event(row: OutboxRow) -> tuple[Any, ...]:
    return (row.tenant_id, row.id, row.run_id, row.rev, row.n, row.type, row.at, pack(row.payload), row.wanted)
