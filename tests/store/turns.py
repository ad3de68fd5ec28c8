"""Turns as small as they can be: what a trigger, an answer, an expiry and a cancel write, without any flow behind them."""

import itertools
from collections.abc import Callable

from msgspec.structs import replace

from engine.model.values import Millis
from engine.runtime.store.port import ConversationChange, Noted, Order, Record, Snapshot, StaleRecord, Store, WaitClosed
from engine.runtime.store.rows import (
    ConversationRow,
    EventKind,
    IdempotencyRow,
    MessageRow,
    OutboxRow,
    RunRow,
    TurnRow,
    UsageRow,
    WaitEnd,
    WaitRow,
)

MINUTE = 60_000
_EVENTS: dict[WaitEnd, EventKind] = {"answered": "answered", "expired": "timed_out", "cancelled": "cancelled"}
_numbers = itertools.count(1)

Taking = Callable[[Snapshot], tuple[Record | Noted, str]]


def new_id() -> str:
    """An id that no other has, and that sorts behind those before it."""
    return f"{next(_numbers):08d}"


def conversation(tenant: str, at: Millis, customer: str | None = None) -> ConversationRow:
    return ConversationRow(tenant_id=tenant, id=new_id(), created_at=at, modified_at=at, customer_id=customer)


def idempotency(tenant: str, key: str, at: Millis, turn_id: str | None = None, reply: bytes | None = None) -> IdempotencyRow:
    return IdempotencyRow(tenant_id=tenant, scope="scope", key=key, digest=b"digest", at=at, turn_id=turn_id, reply=reply)


def turn(run: RunRow, event: EventKind, at: Millis, *, before: RunRow | None = None, done: bool = True) -> TurnRow:
    return TurnRow(
        tenant_id=run.tenant_id,
        id=run.turn_id,
        run_id=run.id,
        previous_id=None if before is None else before.turn_id,
        rev=run.rev,
        event=event,
        at=at,
        done=done,
        reply=f"reply {run.id} {run.rev}".encode(),
        trace=b"",
    )


def wait(run: RunRow, at: Millis, lasts: Millis) -> WaitRow:
    return WaitRow(
        tenant_id=run.tenant_id,
        id=new_id(),
        run_id=run.id,
        rev=run.rev,
        opened_at=at,
        deadline=at + lasts,
        due_at=at + lasts,
        answerable=True,
    )


def messages(row: TurnRow, conversation_id: str, sequence: int) -> tuple[MessageRow, ...]:
    asked = MessageRow(
        tenant_id=row.tenant_id,
        id=new_id(),
        conversation_id=conversation_id,
        run_id=row.run_id,
        turn_id=row.id,
        role="user",
        sequence=sequence,
        created_at=row.at,
        text="hello",
        values={"name": "Ada"},
    )
    return asked, replace(asked, id=new_id(), role="assistant", sequence=sequence + 1, text=None, values=None)


def told(row: TurnRow) -> tuple[OutboxRow, ...]:
    return tuple(
        OutboxRow(tenant_id=row.tenant_id, id=new_id(), run_id=row.run_id, rev=row.rev, n=n, type="test.event", at=row.at, payload={"n": n})
        for n in range(2)
    )


def usage(row: TurnRow, conversation_id: str) -> UsageRow:
    return UsageRow(
        tenant_id=row.tenant_id,
        id=new_id(),
        run_id=row.run_id,
        turn_id=row.id,
        conversation_id=conversation_id,
        public_key_id=None,
        flow="flow",
        at=row.at,
        source="client",
        model="model",
        prompt_tokens=3,
        completion_tokens=4,
        cached_prompt_tokens=None,
        cost_micros=5,
        price_id=None,
    )


def starting(tenant: str = "t", *, lasts: Millis = MINUTE, customer: str | None = None, key: str | None = None) -> Taking:
    """A trigger that opens a conversation and a run, and waits; answers the run's id."""
    run_id = new_id()

    def decide(snapshot: Snapshot) -> tuple[Record, str]:
        opened = snapshot.conversation or conversation(tenant, snapshot.now, customer)
        run = RunRow(
            tenant_id=tenant,
            id=run_id,
            conversation_id=opened.id,
            flow="flow",
            version=1,
            intent="intent",
            status="waiting_input",
            rev=1,
            epoch=0,
            input_rev=1,
            turn_id=new_id(),
            state=b"state",
            started_at=snapshot.now,
        )
        row = turn(run, "started", snapshot.now)
        return (
            Record(
                run=run,
                turn=row,
                expected=None,
                opened_conversation=opened if snapshot.conversation is None else None,
                conversation=ConversationChange(id=opened.id, written={"started": True}, owned=frozenset({"started"}), messages=2),
                opened=wait(run, snapshot.now, lasts),
                messages=messages(row, opened.id, opened.next_sequence),
                outbox=told(row),
                idempotency=None if key is None else idempotency(tenant, key, snapshot.now, row.id),
            ),
            run.id,
        )

    return decide


def ending(by: WaitEnd, *, lasts: Millis = MINUTE, key: str | None = None, last: bool = False) -> Taking:
    """Ends the run's wait and opens the next one (none when it is the last); answers what ended it."""

    def decide(snapshot: Snapshot) -> tuple[Record, str]:
        before, waiting, talk = snapshot.run, snapshot.wait, snapshot.conversation
        if before is None or waiting is None or talk is None:
            raise StaleRecord("There is nothing to end.")
        over = last or by == "cancelled"
        run = replace(
            before,
            rev=before.rev + 1,
            input_rev=before.rev + 1 if by == "answered" else before.input_rev,
            turn_id=new_id(),
            status="completed" if over else "waiting_input",
            ended_at=snapshot.now if over else None,
            end_reason="completed" if over else None,
        )
        row = turn(run, _EVENTS[by], snapshot.now, before=before)
        return (
            Record(
                run=run,
                turn=row,
                expected=(before.rev, before.epoch),
                closed=WaitClosed(waiting.id, by),
                conversation=ConversationChange(id=talk.id, written={f"rev{run.rev}": by}, owned=frozenset(), messages=2),
                opened=None if over else wait(run, snapshot.now, lasts),
                messages=messages(row, talk.id, talk.next_sequence),
                usage=(usage(row, talk.id),),
                outbox=told(row),
                idempotency=None if key is None else idempotency(run.tenant_id, key, snapshot.now, row.id),
            ),
            by,
        )

    return decide


async def start(store: Store, tenant: str = "t", *, lasts: Millis = MINUTE, customer: str | None = None, key: str | None = None) -> str:
    """Starts a run in a new conversation; gives its id."""
    return await store.take(Order(tenant_id=tenant), starting(tenant, lasts=lasts, customer=customer, key=key))


async def end_wait(store: Store, run_id: str, by: WaitEnd, tenant: str = "t", *, key: str | None = None) -> str:
    """Ends the run's open wait."""
    return await store.take(Order(tenant_id=tenant, run_id=run_id), ending(by, key=key))


async def end_named_wait(store: Store, run_id: str, by: WaitEnd, tenant: str = "t", *, key: str | None = None) -> str:
    """The same for a wait that is named, as whoever holds its token names it."""
    waiting = (await look(store, Order(tenant_id=tenant, run_id=run_id))).wait
    order = Order(tenant_id=tenant, run_id=run_id, wait_id=None if waiting is None else waiting.id)
    return await store.take(order, ending(by, key=key))


async def look(store: Store, order: Order) -> Snapshot:
    """What the store would show to a decision."""
    return await store.take(order, lambda snapshot: (Noted(), snapshot))
