"""Bodies: read up to a bound, decoded by msgspec, and when it refuses, judged as a whole so that every problem is listed.

A body of a wrong shape (not JSON, a wrong type, a missing key) is refused at once with Malformed. What has the right shape
but is not acceptable comes back beside the value, since the order of checks tells it last. Of equal keys the last one counts.
"""

from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.inspect import Field, IntType, StructType, UnionType, type_info

from api.asked import Asked
from api.foreign import clean, is_suspicious, parse
from api.schema import check, validation_schema, without_nulls
from engine.errors import Malformed, PayloadTooLarge, UnsupportedMediaType
from engine.model.problems import Problem

MOST_BYTES: Final = 65_536
_PLAIN_TYPES: Final = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
Kind = TypeVar("Kind", bound=Struct)


async def read_body(asked: Asked, *, most: int = MOST_BYTES) -> bytes:
    """The bytes of the body; raises PayloadTooLarge as soon as there are too many, and keeps no more than that."""
    declared = asked.headers.get(b"content-length", b"0")
    if declared.isdigit() and (len(declared) > len(str(most)) or int(declared) > most):
        raise PayloadTooLarge
    parts: list[bytes] = []
    size = 0
    while True:
        event = await asked.receive()
        if event["type"] != "http.request":
            raise Malformed([Problem("", "incomplete", "The request ended before its body did.")])
        size += len(event["body"])
        if size > most:
            raise PayloadTooLarge
        parts.append(event["body"])
        if not event.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def read_json(asked: Asked, *, most: int = MOST_BYTES) -> bytes:
    """The same, for a route that takes JSON: raises UnsupportedMediaType when the body says that it is something else."""
    raw = await read_body(asked, most=most)
    said = asked.headers.get(b"content-type")
    if said not in _PLAIN_TYPES and (raw or said) and not _is_json(said or b""):
        raise UnsupportedMediaType
    return raw


def _is_json(content_type: bytes) -> bool:
    media, *parameters = (part.strip().lower() for part in content_type.decode("latin-1").split(";"))
    charsets = [value.strip('" ') for name, _, value in (part.partition("=") for part in parameters) if name.strip() == "charset"]
    return media == "application/json" and all(charset in {"utf-8", "utf8"} for charset in charsets)


class Shape(Generic[Kind]):
    """What a body must look like: a Struct that refuses unknown keys, with its bounds as annotations."""

    def __init__(self, kind: type[Kind]) -> None:
        self.kind = kind
        self._decoder = msgspec.json.Decoder(kind)
        self._schema, self._validator = validation_schema(kind)

    def read(self, raw: bytes) -> tuple[Kind, tuple[Problem, ...]]:
        """The body, and what is not acceptable in it; raises Malformed with all problems when the shape is wrong."""
        value = self.quick(raw)
        return (value, ()) if value is not None else self.judge(*clean(parse(raw)))

    def quick(self, raw: bytes) -> Kind | None:
        """The body when it is right in every respect; None when it must be looked at more closely."""
        if is_suspicious(raw):
            return None
        try:
            return self._decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def wrong(self, value: Any) -> list[Problem]:
        """What is wrong with the shape of a parsed body."""
        return check(self._validator, without_nulls(value, self._schema))[0]

    def judge(self, value: Any, unclean: tuple[Problem, ...]) -> tuple[Kind, tuple[Problem, ...]]:
        """The same for a parsed body whose unclean texts were replaced."""
        value = without_nulls(value, self._schema)
        wrong, unfit = check(self._validator, value)
        if wrong:
            raise Malformed([*wrong, *unfit, *unclean])
        kind = type_info(self.kind)
        return _build(kind, value), (*unfit, *unclean)


def _build(kind: Any, value: dict[str, Any]) -> Any:
    """The Struct from a value of the right shape, whose bounds may be passed."""
    given = {field.name: _convert(field, value[field.encode_name]) for field in kind.fields if field.encode_name in value}
    return kind.cls(**given)


def _convert(field: Field, value: Any) -> Any:
    kinds = field.type.types if isinstance(field.type, UnionType) else (field.type,)
    for kind in kinds:
        if isinstance(kind, StructType) and isinstance(value, dict):
            return _build(kind, value)
        if isinstance(kind, IntType) and isinstance(value, float):
            return int(value)  # 5.0 is an integer in JSON Schema's eyes
    return value
