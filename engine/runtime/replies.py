"""What a turn answers: one value, stored with the turn, from which each surface renders its own shape.

It holds the wait's id, never its token: a token is made at the door, so that a copy of the database answers nothing.
"""

from typing import Any

import msgspec
from msgspec import Struct, field

from engine.model.run import EndReason, Status
from engine.model.values import Json, Millis


class ReplyBlock(Struct, frozen=True, omit_defaults=True):
    """A block with its stable id, and where it came from."""

    id: str
    type: str
    payload: dict[str, Any]
    node: str
    flow: str


class Price(Struct, frozen=True):
    """Counts of one model in one turn; cost in millionths of a dollar, null where the model has no price."""

    model: str
    prompt_tokens: int
    completion_tokens: int
    cached_prompt_tokens: int | None
    cost_micros: int | None


class TurnReply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The stored answer of one turn."""

    execution_id: str
    conversation_id: str
    turn_id: str
    rev: int
    status: Status
    blocks: tuple[ReplyBlock, ...] = ()
    expected_input: dict[str, Json] | None = None
    """As `engine.interpreter.answers.published` gives it, for every wait; the chat surface shows it only where `answerable`."""
    answerable: bool = False
    wait_id: str | None = None
    wait_expires_at: Millis | None = None
    usage: tuple[Price, ...] = ()
    flow: str | None = None
    """Where the run stands (flow, version, node); None once it has ended."""
    version: int | None = None
    node: str | None = None
    progress: int = 0
    latency_ms: int = 0
    end_reason: EndReason | None = None
    end_code: str | None = None
    matched_rules: tuple[str, ...] = ()
    """`flow/node#case` of each switch that was passed."""
    tools_called: tuple[str, ...] = ()
    tools_failed: tuple[str, ...] = ()
    started: tuple[str, int] = field(default_factory=lambda: ("", 0))
    """The flow and version that the run was triggered with."""


class Announcement(Struct, frozen=True, omit_defaults=True):
    """What came of an event: its id, and the runs that it has woken or started; `replayed`: it was told before, under the same key."""

    event_id: str
    execution_ids: list[str]
    replayed: bool = False


_announcements = msgspec.msgpack.Decoder(Announcement)
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(TurnReply)


def encode_reply(reply: TurnReply) -> bytes:
    """The reply as it is stored."""
    return _encoder.encode(reply)


def decode_reply(stored: bytes) -> TurnReply:
    """A stored reply."""
    return _decoder.decode(stored)


def encode_announcement(announcement: Announcement) -> bytes:
    """The announcement as it is stored under its key."""
    return _encoder.encode(announcement)


def decode_announcement(stored: bytes) -> Announcement:
    """A stored announcement."""
    return _announcements.decode(stored)
