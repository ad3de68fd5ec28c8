"""One server process: the runtime, the application on it, and uvicorn around both; started in order and ended in order."""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Final

import click
import uvicorn
from litestar import Litestar

from api.app import create_app, stop_taking_requests
from api.cli.demo import Demo, ready_demo
from api.cli.samples import with_shop
from api.logs import configure, log
from api.protocol import BoundedProtocol
from api.settings import Settings
from engine.runtime.runtime import Runtime
from engine.runtime.vault import Vault

_GRACE: Final = 3
"""Seconds that answers under way have to be finished; with what comes after it stays under five."""
_LAST: Final = 4.8
"""Seconds after which the process ends whatever still hangs: what it did not finish, the next start does."""

_LAST_PORT: Final = 65_535


class Server(uvicorn.Server):
    """Says when it listens, ends long polls at once when it is told to stop, and leaves signals without a trace."""

    def __init__(self, app: Litestar, listening: str) -> None:
        super().__init__(server_config(app))
        self._app = app
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        click.echo(self._listening)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, and let what was accepted come to its end."""
        stop_taking_requests(self._app)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM stop the server."""
        # uvicorn raises the signal again once it has stopped, which would end the process before the runtime has let go.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, number)
        yield

    def _stop(self, number: int) -> None:
        if not self.should_exit:
            last = threading.Timer(_LAST, os._exit, (1,))
            last.daemon = True
            last.start()
        self.handle_exit(number, None)


async def serve(settings: Settings, secret: bytes, *, dev: bool) -> None:
    """Serve until a signal says stop; what was accepted is finished or left whole for the next start."""
    configure(settings)
    if settings.otel_endpoint is not None:
        log.warning("otel_endpoint_ignored", setting="BATON_OTEL_ENDPOINT")
    with _bound(settings) as listener:
        runtime = await Runtime.start(
            database_url=settings.database_url,
            secret=secret,
            old_secret=settings.old_secret_key,
            synchronous=settings.synchronous,
            allowed_hosts=with_shop(settings.allowed_hosts_outbound) if dev else settings.allowed_hosts_outbound,
            public_url=settings.public_url or _url(listener),
        )
        try:
            demo = await ready_demo(runtime, Vault([secret])) if dev else None
            app = create_app(runtime, settings, dev=dev)
            spare_collector()
            await Server(app, _announcement(listener, demo)).serve([listener])
        finally:
            await runtime.stop()


def spare_collector() -> None:
    """Keep what the program is made of out of every garbage collection, and collect less often.

    A turn makes thousands of values and hardly a cycle: looking through half a million that stay costs tens of milliseconds each time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def server_config(app: Litestar) -> uvicorn.Config:
    """How uvicorn serves the application."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
    )


def _bound(settings: Settings) -> socket.socket:
    """A socket that has the address and does not listen yet; a taken or wrong address is a finding."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        advice = _another_port(settings.port) if error.errno == errno.EADDRINUSE else ""
        raise click.ClickException(f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.{advice}") from error
    return listener


def _another_port(taken: int) -> str:
    return f" Choose another with --port {taken + 1 if taken < _LAST_PORT else taken - 1}, or --port 0 for any free one."


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _announcement(listener: socket.socket, demo: Demo | None) -> str:
    url = _url(listener)
    lines = [f"Baton is listening on {url}"]
    return "\n".join([*lines, *demo.lines(url)] if demo else lines)
