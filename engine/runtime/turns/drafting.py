"""A step of the pure core, drafted into the rows of one commit and the reply that leaves after it."""

from collections.abc import Callable

import msgspec

from engine.model.effects import Await, Enqueue, Step
from engine.model.run import Invoke
from engine.model.values import Millis
from engine.runtime.catalog import Catalog
from engine.runtime.ids import NewId
from engine.runtime.replies import TurnReply, encode_reply
from engine.runtime.store.port import ConversationChange, Record, WaitClosed, WaitMoved
from engine.runtime.store.rows import IdempotencyRow, RunRow, TaskRow, TaskStatus, TurnRow, WaitRow
from engine.runtime.traces import TurnTrace, encode_trace
from engine.runtime.turns.occasion import LEASE, Drafted, Occasion
from engine.runtime.turns.replying import Numbers, draft_reply
from engine.runtime.turns.rows import draft_messages, draft_outbox, draft_usage
from engine.runtime.turns.signals import listening_rows


def draft(occasion: Occasion, step: Step, catalog: Catalog, new_id: NewId, elapsed: Callable[[], Millis]) -> Drafted:
    """All rows of one commit, and the reply; ids and the time taken come from outside."""
    numbers = _numbers(occasion, new_id)
    trace = _trace(occasion, step)
    opened = _opened(occasion, step, numbers.rev, new_id)
    moved = _moved(occasion, step)
    usage = draft_usage(occasion, numbers.turn_id, catalog, new_id)
    reply = draft_reply(occasion, step, numbers, trace, opened if moved is None else occasion.snapshot.wait, usage, new_id, elapsed())
    messages = draft_messages(occasion, reply, new_id)
    task = _task(occasion, step, opened)
    outbox = draft_outbox(occasion, step, reply, task, new_id)
    trace = msgspec.structs.replace(trace, told=trace.told + len(outbox)) if outbox else trace
    invoke = step.closing if isinstance(step.closing, Invoke) else None
    record = Record(
        run=_run_row(occasion, step, numbers),
        turn=_turn_row(occasion, numbers, reply, trace, done=invoke is None),
        expected=None if occasion.run is None else (occasion.run.rev, occasion.run.epoch),
        opened_conversation=occasion.opened_conversation,
        conversation=ConversationChange(
            id=occasion.conversation.id,
            written={**occasion.input.variables, **step.remembered},
            owned=occasion.input.owned | frozenset(step.remembered),
            messages=len(messages),
        ),
        closed=_closed(occasion),
        moved=moved,
        opened=opened,
        task=task,
        listening=() if opened is None else listening_rows(step.run, opened),
        settles=invoke is None and occasion.run is not None and occasion.run.status == "running",
        messages=messages,
        usage=usage,
        outbox=outbox,
        idempotency=_idempotency(occasion, numbers.turn_id),
    )
    return Drafted(record, reply, trace, invoke)


def _numbers(occasion: Occasion, new_id: NewId) -> Numbers:
    begun, run = occasion.begun, occasion.run
    if begun is not None:
        return Numbers(begun.reply.rev, begun.reply.turn_id, begun.previous_id)
    return Numbers(1, new_id(occasion.now), None) if run is None else Numbers(run.rev + 1, new_id(occasion.now), run.turn_id)


def _trace(occasion: Occasion, step: Step) -> TurnTrace:
    before = occasion.begun
    if before is None:
        return TurnTrace(occasion.event, occasion.now, step.trace, occasion.input.dropped)
    return TurnTrace(before.trace.event, before.trace.at, (*before.trace.visits, *step.trace), before.trace.notes, before.trace.told)


def _opened(occasion: Occasion, step: Step, rev: int, new_id: NewId) -> WaitRow | None:
    if not isinstance(step.closing, Await):
        return None
    pause = step.closing.pause
    return WaitRow(
        tenant_id=occasion.tenant_id,
        id=new_id(occasion.now),
        run_id=occasion.run_id,
        rev=rev,
        opened_at=occasion.now,
        deadline=pause.deadline,
        due_at=occasion.now if pause.listens else pause.due,  # what listens looks first whether its event has come already
        answerable=step.run.status == "waiting_input",
    )


def _moved(occasion: Occasion, step: Step) -> WaitMoved | None:
    """A reminder was said: the wait goes on, and is due at what comes next."""
    wait, pause = occasion.snapshot.wait, step.run.pause
    if occasion.event != "reminded" or wait is None or pause is None:
        return None
    return WaitMoved(wait.tenant_id, wait.id, wait.due_at, pause.due)


def _closed(occasion: Occasion) -> WaitClosed | None:
    wait = occasion.snapshot.wait
    if wait is None or occasion.closed is None:
        return None
    return WaitClosed(wait.id, occasion.closed, listened=occasion.listened, task=_task_end(occasion) if occasion.listened else None)


def _task_end(occasion: Occasion) -> TaskStatus:
    """How a task of the wait has ended: by its worker, or because the run did not wait any longer."""
    if occasion.event != "delivered":
        return "cancelled"
    return "failed" if occasion.failed else "done"


def _task(occasion: Occasion, step: Step, opened: WaitRow | None) -> TaskRow | None:
    """A wait has one task at most, which has its id."""
    if opened is None:
        return None
    asked = next((effect for effect in step.effects if isinstance(effect, Enqueue)), None)
    if asked is None:
        return None
    return TaskRow(
        tenant_id=occasion.tenant_id,
        id=opened.id,
        run_id=occasion.run_id,
        wait_id=opened.id,
        queue=asked.queue,
        payload=asked.payload,
        created_at=occasion.now,
        free_at=occasion.now,
    )


def _run_row(occasion: Occasion, step: Step, numbers: Numbers) -> RunRow:
    before, run, rev = occasion.run, step.run, numbers.rev
    working = run.status == "running"
    begins = occasion.event in {"started", "answered"}
    epoch = 0 if before is None else before.epoch
    return RunRow(
        tenant_id=occasion.tenant_id,
        id=occasion.run_id,
        conversation_id=occasion.conversation.id,
        flow=occasion.flow,
        version=occasion.version,
        intent=occasion.intent,
        status=run.status,
        rev=rev,
        # A turn's later commits leave its rev as it is: the epoch fences off whoever has read the run before them.
        epoch=epoch + 1 if working or occasion.begun is not None else epoch,
        input_rev=rev if begins or before is None else before.input_rev,
        turn_id=numbers.turn_id,
        state=step.state,
        started_at=occasion.now if before is None else before.started_at,
        ended_at=occasion.now if run.ended else None,
        end_reason=run.end_reason,
        lease_until=occasion.now + LEASE if working else None,
        attempts=1 if working else 0,
    )


def _turn_row(occasion: Occasion, numbers: Numbers, reply: TurnReply, trace: TurnTrace, *, done: bool) -> TurnRow:
    return TurnRow(
        tenant_id=occasion.tenant_id,
        id=numbers.turn_id,
        run_id=occasion.run_id,
        previous_id=numbers.previous_id,
        rev=numbers.rev,
        event=trace.event,
        at=trace.at,
        done=done,
        reply=encode_reply(reply),
        trace=encode_trace(trace),
    )


def _idempotency(occasion: Occasion, turn_id: str) -> IdempotencyRow | None:
    asked = occasion.idempotency
    if asked is None or occasion.begun is not None:
        return None
    return IdempotencyRow(
        tenant_id=occasion.tenant_id, scope=asked.scope, key=asked.key, digest=asked.digest, at=occasion.now, turn_id=turn_id
    )
