"""The application behind a real server on a real socket and a real database file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn

from api.app import create_app, stop_taking_requests
from api.protocol import BoundedProtocol
from api.settings import Settings
from engine.runtime.runtime import Runtime
from tests.api.world import CHAT, ORIGIN, public_key, stock


class Served:
    """A server that takes requests at `port`."""

    def __init__(self, path: Path, runtime: Runtime, server: uvicorn.Server, port: int) -> None:
        self.path = path
        self.runtime = runtime
        self.server = server
        self.port = port

    async def raw(self, *parts: bytes, hang_up: bool = False) -> bytes:
        """What the server sends back to these bytes; with `hang_up` the connection is closed as soon as they are sent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
        try:
            return b"" if hang_up else await asyncio.wait_for(reader.read(65_536), 10)
        finally:
            writer.close()


@asynccontextmanager
async def serving(path: Path, protocol: type[BoundedProtocol] = BoundedProtocol) -> AsyncIterator[tuple[Served, httpx.AsyncClient]]:
    """A server on a new database, and a client of it."""
    runtime = await Runtime.start(database_url=f"sqlite:///{path}", secret=b"k" * 32, synchronous="normal")
    await stock(runtime.registry, runtime.clock.wall())
    await runtime.catalog.refresh()
    app = create_app(runtime, Settings(rate_limit_sessions=None, rate_limit_messages=None))
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=protocol, log_config=None, proxy_headers=False, timeout_graceful_shutdown=3))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"origin": ORIGIN}) as client:
        yield Served(path, runtime, server, port), client
    stop_taking_requests(app)
    server.should_exit = True
    await running
    await runtime.stop()


async def session(client: httpx.AsyncClient) -> dict[str, str]:
    """The headers of an open session."""
    opened = await client.post(f"{CHAT}/sessions", json={"publicKey": public_key("a")})
    return {"authorization": f"Bearer {opened.json()['sessionToken']}"}
