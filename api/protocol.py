"""HTTP on a socket: uvicorn's protocol with a bound on what comes before a request's body, and with a stop that drops no request."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MOST_HEAD_BYTES: Final = 65_536
"""Bytes of request line and headers. Whoever sends more is refused; nobody has been asked who they are at that point."""
_LINGER: Final = 0.25
"""Seconds for which an idle connection stays open when the server stops: what is on its way then is answered, if only with 503."""


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request whose head does not end; told to stop, answers what is on its way before it lets go of the connection."""

    _head_bytes = 0
    _in_head = True
    _stopping = False

    def data_received(self, data: bytes) -> None:
        """Take in what has come, and count what the head has taken so far."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request's head is too large.")

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

    def shutdown(self) -> None:
        """Let go after the answer under way, or after a while in which none is asked for."""
        self._stopping = True
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request, whatever its annotation says
        if cycle is None or cycle.response_complete:
            self.loop.call_later(_LINGER, super().shutdown)
        else:
            super().shutdown()
