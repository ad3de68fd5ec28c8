"""A run as bytes and back: msgpack with a version in front, so that runs of every released version stay readable."""

from typing import Final

import msgspec

from engine.errors import StoreError
from engine.model.run import Run

_VERSION: Final = b"\x01"
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Run)


def encode_run(run: Run) -> bytes:
    """The run as it is stored."""
    return _VERSION + _encoder.encode(run)


def decode_run(stored: bytes) -> Run:
    """A stored run; raises StoreError when it was written by a version that this one does not know."""
    if stored[:1] != _VERSION:
        raise StoreError(f"a run was stored in format {stored[:1].hex() or 'none'}, which this version cannot read")
    return _decoder.decode(memoryview(stored)[1:])
