"""Which headers a request carries, and which of them still go with it when an answer points elsewhere."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import UNSET

from engine.runtime.outbound.port import MOST_BYTES, REQUEST_SIZE, Credentials, OutboundRequest, SendFailed, blocked
from engine.runtime.outbound.targets import Target

Headers = tuple[tuple[str, str], ...]

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS: Final = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    },
)
"""What says how the message itself is sent; an author's would contradict ours."""
_ACROSS: Final = frozenset({"accept", "accept-language", "content-language", "content-type", "idempotency-key", "user-agent"})
"""What may follow a redirect to another origin. Everything else may be a secret, whatever its name."""
_OF_THE_BODY: Final = frozenset({"content-encoding", "content-language", "content-location", "content-type"})


def read_body(request: OutboundRequest) -> tuple[bytes | None, str | None]:
    """The bytes to send and the type that they have unless the author names one; raises SendFailed."""
    try:
        if request.json is not UNSET:
            body, kind = msgspec.json.encode(request.json), "application/json"
        elif request.body is None:
            return None, None
        elif isinstance(request.body, str):
            body, kind = request.body.encode(), "text/plain; charset=utf-8"
        else:
            body, kind = request.body, "application/octet-stream"
    except (TypeError, ValueError, RecursionError, OverflowError):
        raise blocked("The body cannot be written.") from None
    if len(body) > MOST_BYTES:
        raise SendFailed(REQUEST_SIZE, "The body is larger than 256 KiB.")
    return body, kind


def first_headers(request: OutboundRequest, kind: str | None) -> Headers:
    """The author's headers, checked, with what belongs to every request; raises SendFailed (`http.blocked`)."""
    headers = {"user-agent": "baton", "accept": "*/*"}
    if kind is not None:
        headers["content-type"] = kind
    headers.update(_checked(request.headers.items()))
    if request.idempotency_key is not None:
        headers.update(_checked([("Idempotency-Key", request.idempotency_key)]))
        if not headers["idempotency-key"]:
            raise blocked("The idempotency key is empty.")
    # What the answer may be packed in is for the one who unpacks it.
    headers["accept-encoding"] = "gzip, deflate"
    return tuple(headers.items())


def with_credentials(headers: Headers, credentials: Credentials) -> Headers:
    """The headers with those of the credentials, which stand before the author's; raises SendFailed (`http.blocked`)."""
    return tuple({**dict(headers), **_checked(credentials.headers.items())}.items())


def across_origins(headers: Headers) -> Headers:
    """What is left of the headers for another origin."""
    return tuple((name, value) for name, value in headers if name in _ACROSS | {"accept-encoding"})


def without_body(headers: Headers) -> Headers:
    """What is left of the headers when the body stays behind."""
    return tuple((name, value) for name, value in headers if name not in _OF_THE_BODY)


def on_the_wire(method: str, target: Target, headers: Headers, body: bytes | None) -> list[tuple[bytes, bytes]]:
    """The headers as they are sent, with those that describe the message itself."""
    about = [("host", target.authority), *headers]
    if body is not None or method in {"POST", "PUT", "PATCH"}:
        about.append(("content-length", str(len(body or b""))))
    return [(name.title().encode(), value.encode()) for name, value in [*about, ("connection", "close")]]


def may_name(header: str) -> bool:
    """Whether a header of that name may be set: none that belongs to the connection."""
    return header.lower() not in _OURS and not header.lower().startswith("proxy-")


def _checked(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise blocked("The name of a header has characters that names cannot have.")
        if _UNPRINTABLE.search(value) or not _exists(value):
            raise blocked("The value of a header has control characters or such as do not exist.")
        if not may_name(name):
            raise blocked("A header belongs to the connection, and is not the author's to set.")
        kept[name.lower()] = value.strip(" \t")
    return kept


def _exists(value: str) -> bool:
    try:
        value.encode()
    except UnicodeError:
        return False
    return True
