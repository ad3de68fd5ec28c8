"""One hop of a try, and the hop that an answer points to."""

from typing import Final

from msgspec import Struct

from engine.runtime.outbound.heads import Headers, across_origins, first_headers, on_the_wire, read_body, with_credentials, without_body
from engine.runtime.outbound.port import MOST_HEAD_BYTES, REQUEST_SIZE, Credentials, OutboundRequest, SendFailed, blocked
from engine.runtime.outbound.targets import Target, read_target, redirected, with_query

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_AS_GET: Final = {301: {"POST"}, 302: {"POST"}, 303: _METHODS - {"GET", "HEAD"}, 307: set[str](), 308: set[str]()}
"""The methods that become GET, without a body, by the status of the redirect."""


class Hop(Struct, frozen=True):
    """One request to one target, with no credentials in it. `repr` shows the method and the origin."""

    method: str
    target: Target
    headers: Headers
    body: bytes | None
    credentials: Credentials | None
    """Those that still apply: gone for good once a redirect has left their origin."""

    def __repr__(self) -> str:
        return f"Hop({self.method} {self.target!r})"


class Message(Struct, frozen=True):
    """A hop as it is sent, credentials included. `repr` shows nothing."""

    method: str
    target: Target
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def __repr__(self) -> str:
        return "Message(...)"


def first_hop(request: OutboundRequest) -> Hop:
    """The request, checked and written out; raises SendFailed (`http.blocked`, `http.request_size`)."""
    if request.method not in _METHODS:
        raise blocked("The method is none that may be used.")
    body, kind = read_body(request)
    target = with_query(read_target(request.url), request.query)
    credentials = request.credentials
    if credentials is not None and read_target(credentials.origin).origin != target.origin:
        credentials = None
    return Hop(request.method, target, first_headers(request, kind), body, credentials)


def next_hop(hop: Hop, status: int, location: str | None) -> Hop | None:
    """Where the answer to the hop points; None when it is no redirect. Raises SendFailed where it may not be followed."""
    if status not in _AS_GET or location is None:
        return None
    target = redirected(hop.target, location)
    if (hop.target.scheme, target.scheme) == ("https", "http"):
        raise blocked("The answer points from https to http.")
    same = target.origin == hop.target.origin
    headers = hop.headers if same else across_origins(hop.headers)
    credentials = hop.credentials if same else None
    if hop.method in _AS_GET[status]:
        return Hop("GET", target, without_body(headers), None, credentials)
    return Hop(hop.method, target, headers, hop.body, credentials)


def written(hop: Hop) -> Message:
    """The hop as it goes out; raises SendFailed (`http.request_size`) for a head that is too large."""
    target, headers = hop.target, hop.headers
    if hop.credentials is not None:
        target = with_query(target, hop.credentials.query)
        headers = with_credentials(headers, hop.credentials)
    wire = on_the_wire(hop.method, target, headers, hop.body)
    if len(target.path) + sum(len(name) + len(value) for name, value in wire) > MOST_HEAD_BYTES:
        raise SendFailed(REQUEST_SIZE, "The address and the headers are larger than 64 KiB together.")
    return Message(hop.method, target, wire, hop.body or b"")
