"""From what the driver fetched to rows and snapshots; columns come in the order of each row's fields."""

from collections.abc import Callable, Iterable, Sequence
from sqlite3 import Cursor
from typing import Any

import msgspec

from engine.model.values import Millis
from engine.runtime.store.port import Listener, OpenRun, Order, Snapshot
from engine.runtime.store.rows import (
    ConversationRow,
    EffectResultRow,
    MessageRow,
    RunRow,
    SignalRow,
    StoredReply,
    TaskRow,
    TurnRow,
    UsageRow,
    WaitRow,
)
from engine.runtime.store.sqlite.load_statements import (
    FIND_REPLY,
    LOAD_CONVERSATION,
    LOAD_CONVERSATION_OF,
    LOAD_FREE_TASKS,
    LOAD_LISTENERS,
    LOAD_OPEN_RUNS,
    LOAD_RUN,
    LOAD_RUN_AND_WAIT,
    LOAD_SIGNALS,
    LOAD_TASK,
    LOAD_WAIT,
)
from engine.runtime.store.sqlite.recent import Standing

unpack = msgspec.msgpack.Decoder().decode

_TO_WAIT = len(RunRow.__struct_fields__)
_TO_CONVERSATION = _TO_WAIT + len(WaitRow.__struct_fields__)
_STARTED_AT = RunRow.__struct_fields__.index("started_at")
_ANSWERABLE = WaitRow.__struct_fields__.index("answerable")
_VARIABLES = ConversationRow.__struct_fields__.index("variables")
_OWNED = ConversationRow.__struct_fields__.index("owned")
_VALUES = MessageRow.__struct_fields__.index("values")
_DONE = TurnRow.__struct_fields__.index("done")
_PAYLOAD = TaskRow.__struct_fields__.index("payload")


def snapshot(cursor: Cursor, order: Order, now: Millis, known: Standing | None = None) -> Snapshot:
    """What is true of everything that the order names, read in the open transaction, but for what is known already."""
    stored = _stored(cursor, order)
    if known is not None:
        return Snapshot(
            now=now,
            stored=stored,
            conversation=known.conversation,
            run=known.run,
            wait=known.wait,
            signals=_signals(cursor, order, known.run.started_at) if order.signals else (),
            listeners=_listeners(cursor, order),
        )
    if order.task_id is not None:
        return _of_task(cursor, order, now, stored)
    if order.run_id is None and order.wait_id is None:
        conversation = _conversation_named(cursor, order)
        return Snapshot(
            now=now,
            stored=stored,
            conversation=conversation,
            open_runs=_open_runs(cursor, order, conversation),
            listeners=_listeners(cursor, order),
            free=_free_tasks(cursor, order, now),
        )
    found = _found(cursor, order)
    run, wait, its_conversation = found[:_TO_WAIT], found[_TO_WAIT:_TO_CONVERSATION], found[_TO_CONVERSATION:]
    return Snapshot(
        now=now,
        stored=stored,
        conversation=_conversation_named(cursor, order) if its_conversation[0] is None else conversation_row(its_conversation),
        run=None if run[0] is None else run_row(run),
        wait=None if wait[0] is None else wait_row(wait),
        signals=_signals(cursor, order, started_at=run[_STARTED_AT]) if order.signals and run[0] is not None else (),
        listeners=_listeners(cursor, order),
    )


def _of_task(cursor: Cursor, order: Order, now: Millis, stored: StoredReply | None) -> Snapshot:
    found = cursor.execute(LOAD_TASK, (order.tenant_id, order.task_id)).fetchone()
    if found is None:
        return Snapshot(now=now, stored=stored)
    task = task_row(found)
    around = Order(tenant_id=order.tenant_id, run_id=task.run_id, wait_id=task.wait_id)
    return msgspec.structs.replace(snapshot(cursor, around, now), stored=stored, task=task)


def _free_tasks(cursor: Cursor, order: Order, now: Millis) -> tuple[TaskRow, ...]:
    if order.queue is None:
        return ()
    name, limit = order.queue
    return tuple(map(task_row, cursor.execute(LOAD_FREE_TASKS, (order.tenant_id, name, now, limit)).fetchall()))


def _signals(cursor: Cursor, order: Order, started_at: Millis) -> tuple[SignalRow, ...]:
    found = cursor.execute(LOAD_SIGNALS, (order.tenant_id, order.wait_id, started_at)).fetchall()
    return tuple(
        SignalRow(tenant_id=tenant, id=id_, name=name, at=at, data=unpack(data), run_id=run) for tenant, id_, name, at, data, run in found
    )


def _listeners(cursor: Cursor, order: Order) -> tuple[Listener, ...]:
    if order.listening_to is None:
        return ()
    found = cursor.execute(LOAD_LISTENERS, (order.tenant_id, order.listening_to)).fetchall()
    return tuple(Listener(wait_row(row[:-1]), unpack(row[-1])) for row in found)


def _found(cursor: Cursor, order: Order) -> Sequence[Any]:
    tenant, run, wait = order.tenant_id, order.run_id, order.wait_id
    if wait is None:
        cursor.execute(LOAD_RUN, (tenant, run))
    elif run is None:
        cursor.execute(LOAD_WAIT, (tenant, wait))
    else:
        cursor.execute(LOAD_RUN_AND_WAIT, (tenant, run, wait))
    found: Sequence[Any] = cursor.fetchone()
    return found


def _conversation_named(cursor: Cursor, order: Order) -> ConversationRow | None:
    if order.conversation_id is not None:
        found = cursor.execute(LOAD_CONVERSATION, (order.tenant_id, order.conversation_id)).fetchone()
    elif order.customer_id is not None:
        found = cursor.execute(LOAD_CONVERSATION_OF, (order.tenant_id, order.customer_id)).fetchone()
    else:
        return None
    return conversation_row(found) if found else None


def _open_runs(cursor: Cursor, order: Order, conversation: ConversationRow | None) -> tuple[OpenRun, ...]:
    if order.open_of is None or conversation is None:
        return ()
    found = cursor.execute(LOAD_OPEN_RUNS, (order.tenant_id, conversation.id, order.open_of)).fetchall()
    return tuple(
        OpenRun(run_row(row[:_TO_WAIT]), None if row[_TO_WAIT] is None else wait_row(row[_TO_WAIT:_TO_CONVERSATION])) for row in found
    )


def _stored(cursor: Cursor, order: Order) -> StoredReply | None:
    if order.idempotency is None:
        return None
    scope, key = order.idempotency
    found = cursor.execute(FIND_REPLY, (order.tenant_id, scope, key)).fetchone()
    if found is None:
        return None
    digest, at, reply = found
    return StoredReply(digest=digest, at=at, done=reply is not None, reply=reply)


def run_row(values: Sequence[Any]) -> RunRow:
    """One run."""
    return RunRow(*values)


def wait_row(values: Sequence[Any]) -> WaitRow:
    """One wait."""
    return WaitRow(*_with(values, _ANSWERABLE, bool))


def task_row(values: Sequence[Any]) -> TaskRow:
    """One task."""
    return TaskRow(*_with(values, _PAYLOAD, unpack))


def conversation_row(values: Sequence[Any]) -> ConversationRow:
    """One conversation."""
    return ConversationRow(*_with(_with(values, _VARIABLES, unpack), _OWNED, unpack))


def turn_row(values: Sequence[Any]) -> TurnRow:
    """One turn."""
    return TurnRow(*_with(values, _DONE, bool))


def message_row(values: Sequence[Any]) -> MessageRow:
    """One message."""
    return MessageRow(*(values if values[_VALUES] is None else _with(values, _VALUES, unpack)))


def result_row(values: Sequence[Any]) -> EffectResultRow:
    """One call's result."""
    return EffectResultRow(*values)


def usage_rows(found: Iterable[Sequence[Any]]) -> list[UsageRow]:
    """Every usage row found."""
    return [UsageRow(*values) for values in found]


def _with(values: Sequence[Any], at: int, read: Callable[[Any], Any]) -> Sequence[Any]:
    """The values, the one at that place as it is read."""
    return (*values[:at], read(values[at]), *values[at + 1 :])
