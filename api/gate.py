"""What every request passes first and every answer last: the request's id, CORS for the chat surface, and the stop."""

import asyncio
import itertools
import os
import re
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import internal_answer, refusal_answer
from api.logs import log_failure
from api.origins import OriginRules
from api.wire import Answer, Headers
from engine.errors import Malformed, Unavailable
from engine.model.problems import Problem
from engine.runtime.runtime import Runtime

CHAT_PREFIX: Final = "/api/public/"
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
_HOST: Final = re.compile(rb"[^\x00-\x20\x7f\"#/<>?@\\^`{|}]*")
_NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
_PROCESS: Final = os.urandom(8).hex().encode()
_numbers: Final = itertools.count(1)
"""Fresh ids are the process's random part and a number: asking the system for randomness each time would give up the interpreter's lock."""
_RETRY_AFTER: Final = 2
"""Seconds after which another process will have taken over."""


class Gate:
    """The outermost ASGI application; `close` lets nobody in any more and ends every long poll."""

    def __init__(self, inner: ASGIApp, runtime: Runtime, origins: OriginRules) -> None:
        self._inner = inner
        self._runtime = runtime
        self._origins = origins
        self._closed = False

    def close(self) -> None:
        """Refuse every request from now on with 503, and let those that only wait for news answer at once."""
        self._closed = True
        self._runtime.executor.bulletin.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._inner(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id"))
        scope["state"]["request_id"] = request_id.decode()
        extra = [(b"x-request-id", request_id), _NO_SNIFFING]
        early = self._early_answer(scope, headers, extra)
        outgoing = _Outgoing(send, extra)
        if early is not None:
            await early(scope, receive, outgoing)
            return
        try:
            await self._inner(scope, receive, outgoing)
        except asyncio.CancelledError:
            # The server's patience with what was under way is over: the turn may be taken or not, and the client asks again.
            if not self._closed or outgoing.started:
                raise
            await refusal_answer(Unavailable(retry_after=_RETRY_AFTER))(scope, receive, outgoing)
        except Exception as error:  # what no inner layer caught
            log_failure("request_failed", error, request=request_id.decode())
            if outgoing.started:
                raise
            await internal_answer()(scope, receive, outgoing)

    def _early_answer(self, scope: Any, headers: dict[bytes, bytes], extra: Headers) -> Answer | None:
        """The answer to what goes no further: preflights, a host that is none, and anything once the gate is closed.

        Adds the CORS headers of all others.
        """
        origin = headers.get(b"origin")
        if origin is not None and scope["path"].startswith(CHAT_PREFIX):
            page = origin.decode("latin-1")
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
                return self._origins.preflight(page)
            extra.extend(self._origins.headers(page))
        if _HOST.fullmatch(headers.get(b"host", b"")) is None:
            return refusal_answer(Malformed([Problem("", "request", "The Host header names no host.")]))
        return refusal_answer(Unavailable(retry_after=_RETRY_AFTER)) if self._closed else None


class _Outgoing:
    """Sends on, with more headers."""

    __slots__ = ("_extra", "_send", "started")

    def __init__(self, send: Send, extra: Headers) -> None:
        self._send = send
        self._extra = extra
        self.started = False

    async def __call__(self, event: Message) -> None:
        if event["type"] == "http.response.start":
            self.started = True
            event["headers"] = [*event["headers"], *self._extra]
        await self._send(event)


def fresh_id() -> bytes:
    """An id that no other request has."""
    return b"%b%08x" % (_PROCESS, next(_numbers))


def _request_id(given: bytes | None) -> bytes:
    """The caller's own id when it is a sane one, else a fresh one."""
    return given if given is not None and _SANE_ID.fullmatch(given) else fresh_id()
