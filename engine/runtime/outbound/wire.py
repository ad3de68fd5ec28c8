"""One message and its answer over a connection of its own, to addresses that were checked before."""

import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpcore

from engine.runtime.outbound.addresses import Address
from engine.runtime.outbound.port import MOST_ANSWER_HEADER_BYTES, MOST_BYTES, REFUSED, RESPONSE_SIZE, SendFailed
from engine.runtime.outbound.redirects import Message

_MOST_OF_HEAD: Final = 2 * MOST_ANSWER_HEADER_BYTES
"""Bytes as they come up to the end of an answer's headers: endless headers and interim answers end here."""
_MOST_OF_BODY: Final = MOST_BYTES + 65_536
"""The same for a body: however it is cut into chunks, little more may come than it holds."""
_AT_A_TIME: Final = 8_192
"""Bytes between which others get their turn: taken apart, they may be a thousand chunks."""
_MOST_ADDRESSES: Final = 4
"""Of one name, tried one after the other until a connection stands."""


@asynccontextmanager
async def exchange(
    message: Message, addresses: Sequence[Address], context: ssl.SSLContext, patience: float
) -> AsyncIterator[httpcore.Response]:
    """The answer to the message, its body not read yet; the connection is closed at the end, however it comes.

    The name goes into `Host`, SNI and the check of the certificate; the connection goes to the given addresses, and no name is
    looked up. `patience` (seconds) is shared by the attempts to connect. Raises SendFailed.
    """
    target, backend = message.target, _CheckedBackend(addresses, patience)
    host = target.host.encode()
    connection = httpcore.AsyncHTTPConnection(
        httpcore.Origin(target.scheme.encode(), host, target.port), ssl_context=context, network_backend=backend
    )
    url = httpcore.URL(scheme=target.scheme.encode(), host=host, port=target.port, target=target.path.encode())
    request = httpcore.Request(message.method, url, headers=message.headers, content=message.body)
    try:
        response = await connection.handle_async_request(request)
        backend.meter.left += _MOST_OF_BODY
        yield response
    except (httpcore.ConnectError, httpcore.ConnectTimeout):
        raise SendFailed(REFUSED, "No connection could be made.", passing=True) from None
    except (httpcore.NetworkError, httpcore.TimeoutException, OSError):
        raise SendFailed(REFUSED, "The connection broke.", passing=True) from None
    except httpcore.ProtocolError:
        raise SendFailed(REFUSED, "The answer is not HTTP as it should be.", passing=True) from None
    finally:
        await connection.aclose()
        await backend.close()


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the checked addresses, whatever name the connection is for."""

    def __init__(self, addresses: Sequence[Address], patience: float) -> None:
        self._addresses = addresses[:_MOST_ADDRESSES]
        self._patience = patience
        self._opened: list[httpcore.AsyncNetworkStream] = []
        self.meter = _Meter()

    async def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - never looked up again
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the whole try has one, and this is the library's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A stream to the first address that takes the connection."""
        failure: Exception = httpcore.ConnectError()
        for left, address in zip(range(len(self._addresses) - 1, -1, -1), self._addresses, strict=True):
            # The last one has all that is left of the try's own time.
            share = self._patience / len(self._addresses) if left else None
            try:
                stream = await httpcore.AnyIOBackend().connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refusal:
                failure = refusal
                continue
            self._opened.append(stream)
            return _MeteredStream(stream, self.meter)
        raise failure

    async def close(self) -> None:
        """Close what was opened: a handshake that is cut short leaves its connection open otherwise."""
        for stream in self._opened:
            await stream.aclose()


class _Meter:
    """Bytes that may still come in."""

    def __init__(self) -> None:
        self.left = _MOST_OF_HEAD


class _MeteredStream(httpcore.AsyncNetworkStream):
    """A stream that gives up on whoever sends too much, before anything is made of it."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, meter: _Meter) -> None:
        self._stream = stream
        self._meter = meter

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the library's signature
        received = await self._stream.read(min(max_bytes, _AT_A_TIME), timeout)
        self._meter.left -= len(received)
        if self._meter.left < 0:
            raise SendFailed(RESPONSE_SIZE, "The answer is too large.")
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the same
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the same
    ) -> httpcore.AsyncNetworkStream:
        return _MeteredStream(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._meter)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
