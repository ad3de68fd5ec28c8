"""A stored reply as the chat surface shows it: the wait token is written in here, and traces only for keys that may see them."""

from typing import Any, Final

from api.chat.wire import BlockOut, MessageOut, Origin, ReplyOut, Scenario
from api.shared import usage_out, wait_token
from engine.runtime.moments import moment, moment_or_none
from engine.runtime.replies import ReplyBlock, TurnReply, decode_reply
from engine.runtime.store.port import MessageView
from engine.runtime.tokens import Keyring

_CAMEL: Final = {"attempts_left": "attemptsLeft", "task_id": "taskId", "approval_id": "approvalId", "handoff_id": "handoffId"}
"""Keys of an expectation that this surface spells differently; what is inside `fields` and `options` stays as it is."""


def reply_out(reply: TurnReply, keyring: Keyring, tenant_id: str, *, trace: bool) -> ReplyOut:
    """The reply; what may be answered and its token stand in it only while the customer may answer."""
    return ReplyOut(
        execution_id=reply.execution_id,
        conversation_id=reply.conversation_id,
        turn_id=reply.turn_id,
        status=reply.status,
        blocks=[block_out(block, trace=trace) for block in reply.blocks],
        expected_input=_expected(reply, trace=trace),
        wait_token=wait_token(reply, keyring, tenant_id),
        wait_expires_at=moment_or_none(reply.wait_expires_at),
        token_usage=usage_out(reply.usage),
        scenario=_scenario(reply, trace=trace),
        progress=reply.progress,
        latency_ms=reply.latency_ms,
        end_reason=reply.end_reason,
        end_code=reply.end_code if trace else None,
    )


def block_out(block: ReplyBlock, *, trace: bool) -> BlockOut:
    """A block of a reply."""
    meta = Origin(flow=block.flow, node=block.node) if trace else None
    return BlockOut(type=block.type, id=block.id, payload=block.payload, meta=meta)


def message_out(view: MessageView, *, trace: bool) -> MessageOut:
    """A message: the customer's with its text, the assistant's with its turn's blocks and usage."""
    message = view.message
    ours = message.role == "assistant"
    reply = decode_reply(view.reply) if ours else None
    return MessageOut(
        id=message.id,
        role=message.role,
        blocks=[block_out(block, trace=trace) for block in reply.blocks] if reply else [],
        text=message.text,
        values=message.values,
        sequence_index=message.sequence,
        replaces=None,
        turn_id=message.turn_id,
        created_at=moment(message.created_at),
        token_usage=usage_out(reply.usage) if reply else None,
        feedback=None,
    )


def _expected(reply: TurnReply, *, trace: bool) -> dict[str, Any] | None:
    if not reply.answerable or reply.expected_input is None:
        return None
    shown = {_CAMEL.get(key, key): value for key, value in reply.expected_input.items()}
    if not trace:
        shown["node"] = None
    return shown


def _scenario(reply: TurnReply, *, trace: bool) -> Scenario | None:
    if reply.flow is None or reply.version is None:
        return None
    return Scenario(id=reply.flow, version=reply.version, step=reply.node if trace else None)
