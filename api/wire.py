"""What goes over the wire: answers as ready bytes, and entity tags."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, Final, Protocol

import msgspec
from litestar.types import HTTPScope, Receive, Send
from msgspec import UNSET, Meta

Headers = list[tuple[bytes, bytes]]
Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Id = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]

_encoder: Final = msgspec.json.Encoder()
_JSON_TYPE: Final = (b"content-type", b"application/json")
_BODILESS: Final = frozenset({204, 304})
"""Statuses whose answers have no body, and so no length (RFC 9110, 8.6)."""
REPLAYED: Final = (b"idempotent-replayed", b"true")
"""The header of an answer that was given before, under the same idempotency key."""


class Answer:
    """A response whose status, headers and body are ready to be sent; HEAD gets it without the body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.status = status
        self.body = body
        self.headers: Headers = [*headers]

    async def __call__(self, scope: HTTPScope, _receive: Receive, send: Send) -> None:
        """Send it as ASGI wants it."""
        if self.status not in _BODILESS:
            self.headers.append((b"content-length", b"%d" % len(self.body)))
        body = b"" if scope["method"] == "HEAD" else self.body
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})


def json_answer(value: Any, status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> Answer:
    """The value as JSON."""
    return Answer(status, _encoder.encode(value), (_JSON_TYPE, *headers))


class Repeatable(Protocol):
    """An outcome that may have been kept under an idempotency key."""

    @property
    def replayed(self) -> bool:
        """Whether it was given before."""


def replayed(outcome: Repeatable) -> Headers:
    """The header of an answer that was given before."""
    return [REPLAYED] if outcome.replayed else []


def tagged_answer(value: Any, tag: str, if_none_match: str | None) -> Answer:
    """The value as JSON with its entity tag; 304 without a body when the asker has that one already."""
    quoted = f'"{tag}"'
    headers = ((b"etag", quoted.encode()), (b"cache-control", b"private, no-cache"))
    if if_none_match is not None and matches(quoted, if_none_match):
        return Answer(304, b"", headers)
    return json_answer(value, headers=headers)


def matches(tag: str, if_none_match: str) -> bool:
    """Whether the header names the quoted tag, by the weak comparison that RFC 9110 asks for."""
    return if_none_match.strip() == "*" or tag in known_tags(if_none_match)


def known_tags(if_none_match: str) -> list[str]:
    """The quoted tags that the header names, weak ones as if they were strong."""
    return [part.strip().removeprefix("W/") for part in if_none_match.split(",")]


def fingerprint(value: Any) -> str:
    """A tag that changes whenever the value's JSON does."""
    return hashlib.sha256(_encoder.encode(value)).hexdigest()[:32]


def or_unset(value: Any) -> Any:
    """The value, or UNSET for None: the key is then left out."""
    return UNSET if value is None else value
