"""The rows that hang on a turn: messages, usage, outbox."""

from collections.abc import Sequence
from typing import Literal

from engine.model.effects import Enqueue, Finish, Notify, Step, Visit
from engine.model.values import Json
from engine.runtime.catalog import Catalog
from engine.runtime.ids import NewId
from engine.runtime.pricing import cost_micros
from engine.runtime.replies import TurnReply
from engine.runtime.store.rows import MessageRow, OutboxRow, TaskRow, UsageRow
from engine.runtime.turns.occasion import Occasion

_EXPIRED = frozenset({"timeout", "expired"})
"""Edges by which a wait is left that nobody has ended; a timer that has come is none of these."""


def draft_usage(occasion: Occasion, turn_id: str, catalog: Catalog, new_id: NewId) -> tuple[UsageRow, ...]:
    """What the client's model spent, priced by the row that is in effect now; a turn's later commit adds nothing."""
    spent = occasion.input.usage
    if spent is None or occasion.begun is not None:
        return ()
    price = catalog.price(occasion.tenant_id, spent.model, occasion.now)
    return (
        UsageRow(
            tenant_id=occasion.tenant_id,
            id=new_id(occasion.now),
            run_id=occasion.run_id,
            turn_id=turn_id,
            conversation_id=occasion.conversation.id,
            public_key_id=occasion.input.public_key_id,
            flow=occasion.flow,
            at=occasion.now,
            source="client",
            model=spent.model,
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            cached_prompt_tokens=spent.cached_prompt_tokens,
            cost_micros=None if price is None else cost_micros(spent, price),
            price_id=None if price is None else price.id,
        ),
    )


def draft_messages(occasion: Occasion, reply: TurnReply, new_id: NewId) -> tuple[MessageRow, ...]:
    """The customer's message, and the assistant's with the commit that says its first block: a turn has each once.

    What the turn says later stands in its reply, where the assistant's message is read. So what was said is there whatever comes of
    the turn: a cancel breaks it off while it calls.
    """
    said, begun = occasion.input, occasion.begun
    heard = begun is None and (said.text is not None or said.values is not None)
    answered = bool(reply.blocks) and (begun is None or not begun.reply.blocks)
    first = occasion.conversation.next_sequence
    rows: list[MessageRow] = []
    if heard:
        rows.append(_message(occasion, reply, "user", first, new_id(occasion.now)))
    if answered:
        rows.append(_message(occasion, reply, "assistant", first + heard, new_id(occasion.now)))
    return tuple(rows)


def _message(occasion: Occasion, reply: TurnReply, role: Literal["user", "assistant"], sequence: int, message_id: str) -> MessageRow:
    said = occasion.input if role == "user" else None
    return MessageRow(
        tenant_id=occasion.tenant_id,
        id=message_id,
        conversation_id=occasion.conversation.id,
        run_id=occasion.run_id,
        turn_id=reply.turn_id,
        role=role,
        sequence=sequence,
        created_at=occasion.now,
        text=None if said is None else said.text,
        values=None if said is None else said.values,
    )


def draft_outbox(occasion: Occasion, step: Step, reply: TurnReply, task: TaskRow | None, new_id: NewId) -> tuple[OutboxRow, ...]:
    """What the tenant's webhooks are to be told of this commit: what happened to the run, and what its nodes emit, in order."""
    told: list[tuple[str, dict[str, Json]]] = []
    if occasion.run is None:
        told.append(("chat.execution.started", _about(reply)))
    if occasion.closed == "expired" and _has_expired(step.trace):
        told.append(("chat.wait.expired", _about(reply)))
    for effect in step.effects:
        match effect:
            case Notify():
                told.append((effect.event, effect.data))
            case Enqueue() if task is not None:
                told.append(("chat.task.created", {**_about(reply), "task_id": task.id, "queue": task.queue}))
            case Finish():
                told.append((f"chat.execution.{effect.status}", _about(reply)))
            case _:
                pass
    if not told:
        return ()
    first = 0 if occasion.begun is None else occasion.begun.trace.told
    return tuple(
        OutboxRow(
            tenant_id=occasion.tenant_id,
            id=new_id(occasion.now),
            run_id=occasion.run_id,
            rev=reply.rev,
            n=number,
            type=kind,
            at=occasion.now,
            payload=data,
        )
        for number, (kind, data) in enumerate(told, first)
    )


def _about(reply: TurnReply) -> dict[str, Json]:
    return {
        "execution_id": reply.execution_id,
        "conversation_id": reply.conversation_id,
        "turn_id": reply.turn_id,
        "status": reply.status,
        "end_reason": reply.end_reason,
        "code": reply.end_code,
    }


def _has_expired(visits: Sequence[Visit]) -> bool:
    return bool(visits) and visits[0].edge in _EXPIRED
