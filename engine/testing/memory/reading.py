"""What a decision is made from, read from rows in memory."""

import msgspec

from engine.model.values import Millis
from engine.runtime.store.port import Listener, OpenRun, Order, Snapshot
from engine.runtime.store.rows import ConversationRow, RunRow, SignalRow, TaskRow
from engine.testing.memory.rows import Rows


def snapshot_of(rows: Rows, order: Order, now: Millis) -> Snapshot:
    """All that the order names, as it is now."""
    tenant = order.tenant_id
    if order.task_id is not None:
        task = rows.tasks.get((tenant, order.task_id))
        around = Order(tenant_id=tenant) if task is None else Order(tenant_id=tenant, run_id=task.run_id, wait_id=task.wait_id)
        return msgspec.structs.replace(snapshot_of(rows, around, now), task=task, stored=rows.stored(tenant, order.idempotency))
    wait = None if order.wait_id is None else rows.waits.get((tenant, order.wait_id))
    run_id = order.run_id if order.run_id is not None or wait is None else wait.run_id
    run = rows.runs.get((tenant, run_id))
    if order.wait_id is None and run is not None:
        wait = rows.open_wait(tenant, run.id)
    conversation = _conversation_named(rows, order) if run is None else rows.conversations.get((tenant, run.conversation_id))
    return Snapshot(
        now=now,
        stored=rows.stored(tenant, order.idempotency),
        conversation=conversation,
        run=run,
        wait=wait,
        open_runs=() if order.open_of is None or conversation is None else _open_runs(rows, conversation, order.open_of),
        signals=_signals_for(rows, order, run) if order.signals and run is not None else (),
        listeners=_listeners(rows, order),
        free=_free_tasks(rows, order, now),
    )


def _conversation_named(rows: Rows, order: Order) -> ConversationRow | None:
    if order.conversation_id is not None or order.customer_id is None:
        return rows.conversations.get((order.tenant_id, order.conversation_id))
    of_customer = rows.conversations.of(lambda row: (row.tenant_id, row.customer_id) == (order.tenant_id, order.customer_id))
    return max((row for row in of_customer if row.archived_at is None), key=lambda row: (row.created_at, row.id), default=None)


def _free_tasks(rows: Rows, order: Order, now: Millis) -> tuple[TaskRow, ...]:
    if order.queue is None:
        return ()
    name, limit = order.queue
    free = rows.tasks.of(lambda row: (row.tenant_id, row.queue, row.status) == (order.tenant_id, name, "open") and row.free_at <= now)
    return tuple(sorted(free, key=lambda row: (row.free_at, row.id))[:limit])


def _signals_for(rows: Rows, order: Order, run: RunRow) -> tuple[SignalRow, ...]:
    names = {row.name for row in rows.listening if (row.tenant_id, row.wait_id) == (order.tenant_id, order.wait_id)}
    found = rows.signals.of(lambda row: row.tenant_id == order.tenant_id and row.name in names and row.at >= run.started_at)
    return tuple(sorted(found, key=lambda row: (row.at, row.id)))


def _listeners(rows: Rows, order: Order) -> tuple[Listener, ...]:
    if order.listening_to is None:
        return ()
    found = rows.listening.of(lambda row: (row.tenant_id, row.name) == (order.tenant_id, order.listening_to))
    listeners = (Listener(rows.waits[row.tenant_id, row.wait_id], row.match) for row in sorted(found, key=lambda row: row.wait_id))
    return tuple(one for one in listeners if one.wait.ended_at is None)


def _open_runs(rows: Rows, conversation: ConversationRow, flow: str) -> tuple[OpenRun, ...]:
    key = (conversation.tenant_id, conversation.id, flow)
    runs = rows.runs.of(lambda run: (run.tenant_id, run.conversation_id, run.flow) == key and run.ended_at is None)
    in_order = sorted(runs, key=lambda run: run.id)
    return tuple(OpenRun(run, rows.open_wait(run.tenant_id, run.id)) for run in in_order)
