"""From decisions to what they write: statements with their values, which run together with those of other decisions.

A statement that runs once for many decisions costs each of them half as much as one of its own: it is found, begun and ended once, and
the pages and the code of its table stay in the processor's caches meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from sqlite3 import Cursor
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from engine.model.values import Millis
from engine.runtime.store.changes import changed
from engine.runtime.store.port import ConversationChange, Decision, Noted, Record, Snapshot, StaleRecord, TaskChanged, WaitClosed, WaitMoved
from engine.runtime.store.rows import ConversationRow, MessageRow, OutboxRow, RunRow, SignalRow, TaskRow
from engine.runtime.store.sqlite.statements import (
    ADVANCE_CONVERSATION,
    CHANGE_TASK,
    END_TASK,
    END_WAIT,
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

IN_ORDER: Final = (
    INSERT["run"],
    UPDATE_RUN,
    *sorted({*END_WAIT.values()}),  # two of them are the same
    STOP_LISTENING,
    END_TASK,
    MOVE_WAIT,
    CHANGE_TASK,
    SAVE_TURN,
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


def writes(snapshot: Snapshot, decision: Decision) -> Iterator[Write]:
    """All that the decision writes; StaleRecord where it is about another conversation than was loaded."""
    match decision:
        case Record():
            for record in (*decision.before, decision):
                yield from _of_record(snapshot, record)
        case Noted():
            yield from _of_note(snapshot, decision)
    if decision.idempotency is not None:
        yield SAVE_IDEMPOTENCY, astuple(decision.idempotency)


def _of_note(snapshot: Snapshot, noted: Noted) -> Iterator[Write]:
    if noted.leased is not None:
        yield _run(noted.leased.run, noted.leased.expected)
    if noted.signal is not None:
        yield INSERT["signal"], _signal(noted.signal)
    for moved in noted.moved:
        yield _moved(moved)
    for change in noted.tasks:
        yield _changed_task(change)
    for record in noted.turns:
        yield from _of_record(snapshot, record)
    yield from _conversation(snapshot, noted.opened_conversation, noted.conversation, snapshot.now)


def _of_record(snapshot: Snapshot, record: Record) -> Iterator[Write]:
    yield _run(record.run, record.expected)
    if record.closed is not None:
        yield from _ended(record.run.tenant_id, record.closed, snapshot.now)
    if record.moved is not None:
        yield _moved(record.moved)
    yield SAVE_TURN, astuple(record.turn)
    if record.opened is not None:
        yield INSERT["wait"], astuple(record.opened)
    if record.task is not None:
        yield INSERT["task"], _task(record.task)
    for listening in record.listening:
        yield INSERT["listening"], (listening.tenant_id, listening.name, listening.wait_id, pack(listening.match))
    yield from _conversation(snapshot, record.opened_conversation, record.conversation, record.turn.at)
    for message in record.messages:
        yield INSERT["message"], _message(message)
    for usage in record.usage:
        yield INSERT["usage"], astuple(usage)
    for event in record.outbox:
        yield INSERT["outbox"], _event(event)


def _run(run: RunRow, expected: tuple[int, int] | None) -> Write:
    if expected is None:
        return INSERT["run"], astuple(run)
    changes = (run.status, run.rev, run.epoch, run.input_rev, run.state, run.ended_at, run.end_reason, run.lease_until, run.attempts)
    return UPDATE_RUN, (*changes, run.tenant_id, run.id, *expected)


def _ended(tenant_id: str, closed: WaitClosed, now: Millis) -> Iterator[Write]:
    asked = (now, closed.by, tenant_id, closed.id)
    yield END_WAIT[closed.by], asked if closed.by in {"signalled", "cancelled"} else (*asked, now)
    if closed.listened:
        yield STOP_LISTENING, (tenant_id, closed.id)
    if closed.task is not None:
        yield END_TASK, (closed.task, tenant_id, closed.id)


def _moved(moved: WaitMoved) -> Write:
    return MOVE_WAIT, (moved.due_at, moved.tenant_id, moved.id, moved.was_due_at)


def _conversation(snapshot: Snapshot, opened: ConversationRow | None, change: ConversationChange | None, at: Millis) -> Iterator[Write]:
    before = opened or snapshot.conversation
    after = opened if change is None else changed(before, change, at)
    if after is None:
        return
    of, variables, owned = (after.tenant_id, after.id), after.variables, after.owned
    if opened is not None:
        row = msgspec.structs.asdict(after)
        yield INSERT["conversation"], tuple({**row, "variables": pack(variables), "owned": pack(owned)}.values())
    elif before is not None and variables is before.variables and owned is before.owned:
        yield ADVANCE_CONVERSATION, (after.modified_at, after.next_sequence, *of)
    else:
        yield UPDATE_CONVERSATION, (after.modified_at, pack(variables), pack(owned), after.next_sequence, *of)


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
    return (row.tenant_id, row.id, row.name, row.at, pack(row.data))


def _event(row: OutboxRow) -> tuple[Any, ...]:
    return (row.tenant_id, row.id, row.run_id, row.rev, row.n, row.type, row.at, pack(row.payload))
