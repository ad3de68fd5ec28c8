"""HTTP on a socket: uvicorn's protocol, with bounds on the size and time of an incoming request, answers sent in one piece, refusals in the
shape that all errors have, and a stop that drops no request.
"""

import asyncio
from typing import Any, ClassVar, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.errors import refusal_answer
from api.gate import fresh_id
from engine.errors import Malformed
from engine.model.problems import Problem

MOST_HEAD_BYTES: Final = 65_536
"""Bytes of request line and headers. Whoever sends more is refused; nobody has been asked who they are at that point."""
_MOST_FRAMING: Final = 8
"""Bytes of framing that each byte of a body in chunks may have beside it, above what a head may have: one-byte chunks have five."""
_TOO_LARGE: Final = "The request's head is too large."
_LINGER: Final = 0.5
"""Seconds for which an idle connection stays open when the server stops: what is on its way then is answered, if only with 503."""


class Joined:
    """A transport that gathers what is written to it until it is flushed, at the latest when the loop comes round.

    The head of an answer and its body are two writes: each would be a call of the system, a packet, and a moment when the client wakes.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, patience: float = 30.0) -> None:
        self._transport = transport
        self._loop = loop
        self._patience = patience
        self._watched: asyncio.TimerHandle | None = None
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
        """Close once all of it is sent, or nobody takes it."""
        self.flush()
        self._transport.close()
        self.watch()

    def watch(self) -> None:
        """End the connection when nothing of what is to be sent is taken for a while."""
        if self._watched is None and (left := self._transport.get_write_buffer_size()):
            self._watched = self._loop.call_later(self._patience, self._look, left)

    def _look(self, before: int) -> None:
        self._watched = None
        if self._transport.get_write_buffer_size() >= before:
            self._transport.abort()
        else:
            self.watch()


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request that does not end; told to stop, answers what is on its way before it lets go of the connection."""

    patience: ClassVar[float] = 30.0
    """Seconds that a request has from its first byte to its last, a new connection to its first request, and an answer to be taken."""

    _joined: Joined
    _in_head = False
    _in_body = False
    _packet = 0
    """Bytes of the packet that is being read."""
    _received = 0
    """Bytes of head, or of body, in the packets since the one in which it began, that one included where nothing stood before it."""
    _body_bytes = 0
    _refusal: str | None = None
    """Why the connection ends once the requests before are answered."""
    _overdue: asyncio.TimerHandle | None = None
    _stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        self._joined = Joined(transport, self.loop, self.patience)
        super().connection_made(cast("asyncio.Transport", self._joined))
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what has come, and bound what is not a whole request yet, in bytes and in time."""
        self._packet = len(data)
        self._received += self._packet
        super().data_received(data)
        if not self._in_head and not self._in_body and not self._is_idle():
            self._rest()
        elif not self.transport.is_closing():
            if self._received > MOST_HEAD_BYTES + _MOST_FRAMING * self._body_bytes:
                self.send_400_response("The request's body is framed by too much." if self._in_body else _TOO_LARGE)
            elif self._overdue is None:
                self._watch()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request that the application could be asked, as the application refuses, and let go of the connection.

        The requests before it on the same connection are answered first.
        """
        if self._is_answering():
            self._refusal = msg
            return
        if self._in_head and self._head_bytes() > MOST_HEAD_BYTES:
            msg = _TOO_LARGE
        cycle: RequestResponseCycle | None = self.cycle
        if not (self._in_body and cycle is not None and cycle.response_started):
            self.transport.write(_refusal(self.server_state.default_headers, msg))
        self.transport.close()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        self._body_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is over; raises where it was too large, which the parser tells as a request that is none."""
        if self._received + self._packet > MOST_HEAD_BYTES and self._head_bytes() > MOST_HEAD_BYTES:
            raise ValueError(_TOO_LARGE)
        self._in_head = False
        self._in_body = True
        self._received = 0
        super().on_headers_complete()
        if self._stopping:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there."""
        self._in_body = False
        self._received = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Send the answer: nothing more of it will come."""
        self._joined.flush()
        super().on_response_complete()
        if self._refusal is not None and not self.transport.is_closing():
            self.send_400_response(self._refusal)

    def pause_writing(self) -> None:
        """Let nobody write more than is taken, and wait for that no longer than there is patience."""
        super().pause_writing()
        self._joined.watch()

    def shutdown(self) -> None:
        """Let go after the answer under way, or after a while in which none is asked for."""
        self._stopping = True
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request, whatever its annotation says
        if cycle is None or cycle.response_complete:
            self.loop.call_later(_LINGER, super().shutdown)
        else:
            super().shutdown()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _is_idle(self) -> bool:
        """Whether nothing is under way, and nobody else watches over the connection."""
        cycle: RequestResponseCycle | None = self.cycle
        return self.timeout_keep_alive_task is None and (cycle is None or cycle.response_complete)

    def _is_answering(self) -> bool:
        """Whether requests that came whole are being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return bool(self.pipeline) or (cycle is not None and not cycle.response_complete and not self._in_body)

    def _watch(self) -> None:
        self._overdue = self.loop.call_later(self.patience, self._end_overdue)

    def _rest(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _end_overdue(self) -> None:
        """End what has had its time; where it had to wait for the answers before it, it has the same time again."""
        self._overdue = None
        if self._is_answering():
            self._watch()
        elif self._in_head or self._in_body:
            self.send_400_response(f"The request has not come to its end within {self.patience:g} seconds.")
        else:
            self.transport.close()


def _refusal(default_headers: list[tuple[bytes, bytes]], msg: str) -> bytes:
    answer = refusal_answer(Malformed([Problem("", "request", msg)]))
    length = (b"content-length", b"%d" % len(answer.body))
    headers = [*default_headers, *answer.headers, length, (b"connection", b"close"), (b"x-request-id", fresh_id())]
    return STATUS_LINE[answer.status] + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + answer.body
