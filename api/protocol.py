"""HTTP on a socket: uvicorn's protocol with a bound on what comes before a request's body, answers that leave in one piece, refusals in the
one shape that all of them have, and a stop that drops no request.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.errors import refusal_answer
from api.gate import fresh_id
from engine.errors import Malformed
from engine.model.problems import Problem

MOST_HEAD_BYTES: Final = 65_536
"""Bytes of request line and headers. Whoever sends more is refused; nobody has been asked who they are at that point."""
_LINGER: Final = 0.25
"""Seconds for which an idle connection stays open when the server stops: what is on its way then is answered, if only with 503."""


class Joined:
    """A transport that gathers what is written to it until it is flushed, at the latest when the loop comes round.

    The head of an answer and its body are two writes: each would be a call of the system, a packet, and a moment when the client wakes.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Take what is to be sent."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)

    def flush(self) -> None:
        """Send what was written."""
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.write(b"".join(parts))

    def close(self) -> None:
        """Close once all of it is sent."""
        self.flush()
        self._transport.close()


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request whose head does not end; told to stop, answers what is on its way before it lets go of the connection."""

    _joined: Joined
    _head_bytes = 0
    _in_head = True
    _stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        self._joined = Joined(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self._joined))

    def data_received(self, data: bytes) -> None:
        """Take in what has come, and count what the head has taken so far."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request's head is too large.")

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request that the application could be asked, as the application refuses, and let go of the connection."""
        answer = refusal_answer(Malformed([Problem("", "request", msg)]))
        headers = [
            *answer.headers,
            (b"content-length", b"%d" % len(answer.body)),
            (b"connection", b"close"),
            (b"x-request-id", fresh_id()),
        ]
        head = b"".join(b"%b: %b\r\n" % header for header in [*self.server_state.default_headers, *headers])
        self.transport.write(STATUS_LINE[answer.status] + head + b"\r\n" + answer.body)
        self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is over."""
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()
        if self._stopping:
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """Send the answer: nothing more of it will come."""
        self._joined.flush()
        super().on_response_complete()

    def shutdown(self) -> None:
        """Let go after the answer under way, or after a while in which none is asked for."""
        self._stopping = True
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request, whatever its annotation says
        if cycle is None or cycle.response_complete:
            self.loop.call_later(_LINGER, super().shutdown)
        else:
            super().shutdown()
