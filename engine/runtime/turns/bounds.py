"""Sizes as the bounds count them."""

import msgspec

from engine.model.values import Json

_encoder = msgspec.json.Encoder()


def json_size(value: Json) -> int:
    """Bytes of the value as compact UTF-8 JSON."""
    return len(_encoder.encode(value))
