"""A stored reply as the engine surface shows it: everything, with the wait token written in here."""

from api.engine.wire import EngineBlock, EngineIcon, EngineIntent, Envelope, Metadata, Place
from api.offers import Offer
from api.shared import usage_out, wait_token
from engine.model.values import Json
from engine.runtime.moments import moment_or_none
from engine.runtime.replies import ReplyBlock, TurnReply
from engine.runtime.tokens import Keyring


def envelope(reply: TurnReply, keyring: Keyring, tenant_id: str) -> Envelope:
    """The reply with its metadata."""
    return Envelope(
        execution_id=reply.execution_id,
        status=reply.status,
        blocks=[_block(block) for block in reply.blocks],
        conversation_id=reply.conversation_id,
        expected_input=_expected(reply),
        metadata=_metadata(reply, wait_token(reply, keyring, tenant_id)),
        token_usage=usage_out(reply.usage),
    )


def intent(offer: Offer) -> EngineIntent:
    """A published intent."""
    return EngineIntent(
        name=offer.name,
        display_label=offer.label,
        subtitle=offer.subtitle,
        description=offer.description,
        examples=offer.examples,
        required_entities=offer.required_entities,
        icon=EngineIcon(kind=offer.icon.kind, value=offer.icon.value) if offer.icon else None,
        accent_color=offer.accent_color,
        style_variant=offer.style_variant,
        is_pinned=offer.pinned,
        priority=offer.priority,
        flow=offer.flow,
    )


def _expected(reply: TurnReply) -> dict[str, Json] | None:
    """What the run waits for; a task by its id, which is that of its wait."""
    told = reply.expected_input
    return {**told, "task_id": reply.wait_id} if told is not None and told["kind"] == "task" else told


def _metadata(reply: TurnReply, token: str | None) -> Metadata:
    began = reply.started
    return Metadata(
        wait_token=token,
        wait_expires_at=moment_or_none(reply.wait_expires_at),
        turn_id=reply.turn_id,
        flow=began[0] if reply.flow is None else reply.flow,
        version=began[1] if reply.version is None else reply.version,
        step=reply.node,
        matched_rules=[*reply.matched_rules],
        tools_called=[*reply.tools_called],
        tools_failed=[*reply.tools_failed],
        progress=reply.progress,
        latency_ms=reply.latency_ms,
        end_reason=reply.end_reason,
        code=reply.end_code,
    )


def _block(block: ReplyBlock) -> EngineBlock:
    return EngineBlock(type=block.type, id=block.id, payload=block.payload, meta=Place(flow=block.flow, node=block.node))
