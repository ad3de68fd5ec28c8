"""A client of HTTP/1.1 that costs next to nothing: one request at a time on a connection that stays, answers with a Content-Length."""

import asyncio
from time import perf_counter
from typing import Final, Protocol, cast

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "
_OK: Final = b"HTTP/1.1 200 "


class WrongAnswer(Exception):
    """The server answered otherwise than it must; the figures would mean nothing."""


class Exchange(Protocol):
    """What is asked again and again."""

    def request(self) -> bytes:
        """The next request, whole."""

    def take(self, answer: bytes) -> None:
        """Look at the whole answer, whose status is 200; raises WrongAnswer."""


class Once:
    """A request whose answer is kept."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.answer = b""

    def request(self) -> bytes:
        """The one there is."""
        return self._request

    def take(self, answer: bytes) -> None:
        """Keep it."""
        self.answer = answer


class Connection(asyncio.Protocol):
    """Sends the next request of an exchange as soon as it has the whole answer to the one before."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange = Once(b"")
        self._over: asyncio.Future[list[float]] | None = None
        self._latencies: list[float] = []
        self._got = b""
        self._sent = self._until = 0.0

    async def repeat(self, exchange: Exchange, until: float) -> list[float]:
        """Seconds that each answer took; the last one is the first that came after the moment `until`, by perf_counter."""
        self._exchange, self._until, self._latencies = exchange, until, []
        self._over = asyncio.get_running_loop().create_future()
        self._send()
        return await self._over

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits for an answer."""
        self._transport = None
        self._fail(exc or WrongAnswer("the server hung up"))

    def data_received(self, data: bytes) -> None:
        """Take the answer once it is whole."""
        answer = self._got + data if self._got else data
        try:
            if not _is_whole(answer):
                self._got = answer
                return
            self._got = b""
            now = perf_counter()
            self._latencies.append(now - self._sent)
            self._exchange.take(_accepted(answer))
        except WrongAnswer as error:
            self._fail(error)
            return
        if now < self._until:
            self._send()
        elif self._over is not None:
            self._over.set_result(self._latencies)

    def _send(self) -> None:
        if self._transport is None:
            self._fail(WrongAnswer("there is no connection"))
            return
        request = self._exchange.request()
        self._sent = perf_counter()
        self._transport.write(request)

    def _fail(self, error: Exception) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)


def post(path: str, body: bytes, token: bytes = b"") -> bytes:
    """A whole request with a body of JSON."""
    bearer = b"Authorization: Bearer %b\r\n" % token if token else b""
    return b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        path.encode(),
        bearer,
        len(body),
        body,
    )


def text_after(answer: bytes, mark: bytes) -> bytes:
    """The text of a JSON string that follows the mark; raises WrongAnswer where there is none."""
    at = answer.find(mark)
    if at < 0:
        raise WrongAnswer(answer.decode("latin-1"))
    at += len(mark)
    return answer[at : answer.index(b'"', at)]


def _accepted(answer: bytes) -> bytes:
    if not answer.startswith(_OK):
        raise WrongAnswer(answer.decode("latin-1"))
    return answer


def _is_whole(answer: bytes) -> bool:
    head = answer.find(_HEAD_END)
    if head < 0:
        return False
    at = answer.find(_LENGTH, 0, head)
    if at < 0:
        raise WrongAnswer("an answer came without a Content-Length")
    at += len(_LENGTH)
    return len(answer) >= head + len(_HEAD_END) + int(answer[at : answer.index(b"\r", at)])
