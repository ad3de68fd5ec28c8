"""The way a turn took, as it is stored and shown."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from engine.model.effects import Visit, Warned
from engine.model.values import Millis
from engine.runtime.store.rows import EventKind, TurnRow


class TurnTrace(Struct, frozen=True, omit_defaults=True):
    """One turn's visits in order, and what the shell itself had to say about it."""

    event: EventKind
    at: Millis
    visits: tuple[Visit, ...] = ()
    notes: tuple[Warned, ...] = ()
    told: int = 0
    """How many things the turn has told the tenant's webhooks so far."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(TurnTrace)


def encode_trace(trace: TurnTrace) -> bytes:
    """The trace as it is stored with its turn."""
    return _encoder.encode(trace)


def decode_trace(stored: bytes) -> TurnTrace:
    """A stored trace."""
    return _decoder.decode(stored)


def shown_trace(turns: Sequence[TurnRow]) -> list[dict[str, Any]]:
    """Every node, edge, warning and effect of the run's turns, oldest first, with the time of its turn in milliseconds."""
    shown: list[dict[str, Any]] = []
    for turn in turns:
        trace = decode_trace(turn.trace)
        common = {"turn_id": turn.id, "rev": turn.rev, "event": trace.event, "at": trace.at}
        shown += [{**common, "warning": msgspec.to_builtins(note)} for note in trace.notes]
        shown += [{**common, **msgspec.to_builtins(visit)} for visit in trace.visits]
    return shown
