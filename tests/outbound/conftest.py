"""A client under test, with a real server that plays what it is told, and names, time and chance that the test decides."""

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.runtime.outbound.client import OutboundClient
from engine.runtime.outbound.port import DNS, OutboundRequest, Outcome, SendFailed
from engine.testing.clock import ManualClock

CERTIFICATE = Path(__file__).with_name("certificate.pem")
_TRUST = ssl.create_default_context()  # made once: it takes long
PUBLIC = "93.184.215.14"
many_loopbacks = pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")
Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def plain(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    """An answer as it should be."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def pointing(location: str, status: str = "302 Found") -> bytes:
    """A redirect."""
    return plain(b"elsewhere", status, f"Location: {location}")


def words(text: str) -> list[str]:
    """A list, written as a text where quotes would hide what stands between them."""
    return text.split()


class Listener:
    """A server that plays one answer a connection, the last of them again and again, and remembers all that it was sent."""

    def __init__(self) -> None:
        self.answers: list[bytes | Play] = [plain(b"{}")]
        self.connections = 0
        self.received: list[bytes] = []
        self.names: list[str | None] = []
        self.port = 0
        self.asked = asyncio.Event()
        """Set once a whole request has come."""

    @property
    def heads(self) -> list[dict[str, str]]:
        """The headers of each request, by name in small letters."""
        lines = [head.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")[1:] for head in self.received]
        return [{line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in one} for one in lines]

    @property
    def lines(self) -> list[str]:
        """The first line of each request."""
        return [head.split(b"\r\n")[0].decode("latin-1") for head in self.received]

    @property
    def bodies(self) -> list[bytes]:
        """What each request brought behind its headers."""
        return [head.split(b"\r\n\r\n", 1)[1] for head in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection."""
        answer = self.answers[min(self.connections, len(self.answers) - 1)]
        self.connections += 1
        try:
            self.received.append(await _request(reader))
            self.asked.set()
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def learn(self, _: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        """Remember the name in a TLS greeting."""
        self.names.append(name)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return head + await reader.readexactly(sum(sizes))


@asynccontextmanager
async def listening(host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    """A listener on a free port (of all addresses for the host `::`); what still hangs in it at the end is cancelled."""
    listener = Listener()
    if context is not None:
        context.sni_callback = listener.learn
    tasks: set[asyncio.Task[None]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(listener.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    everywhere = host == "::" and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.create_server((host, 0), family=family, dualstack_ipv6=everywhere)
    server = await asyncio.start_server(take, sock=door, ssl=context)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*list(tasks), return_exceptions=True)
        await server.wait_closed()


class Names:
    """The look-up of names: each answers from its list, the last entry again and again."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    async def __call__(self, host: str, _owner: str | None) -> list[str]:
        self.asked.append(host)
        answers = self.answers.get(host)
        if answers is None:
            raise SendFailed(DNS, "The name has no address.", passing=True)
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Bench:
    """The parts of a client, and shorthands for what is asked of it."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.names = Names()
        self.names.answers["shop.example"] = [["127.0.0.1"]]
        self.clock = ManualClock()
        self.naps: list[float] = []
        self.chance = 0.0
        self.trust = _TRUST

    @property
    def base(self) -> str:
        """The listener, by its name."""
        return f"http://shop.example:{self.listener.port}"

    def client(self, *allowed: str, at_once: int = 8) -> OutboundClient:
        """A client for which only these are open."""
        return OutboundClient(
            allowed,
            clock=self.clock,
            resolve=self.names,
            sleep=self.nap,
            chance=lambda: self.chance,
            trust=self.trust,
            at_once=at_once,
        )

    async def nap(self, seconds: float) -> None:
        """Let the time go by at once."""
        self.naps.append(seconds)
        self.clock.advance(round(seconds * 1000))

    async def send(self, request: OutboundRequest, allowed: Sequence[str] = ("shop.example",)) -> Outcome:
        """Send it with a client for which the listener is open."""
        return await self.client(*allowed).send(request)

    async def get(self, path: str = "/") -> Outcome:
        """Ask the listener, within a second or two."""
        return await self.send(OutboundRequest(method="GET", url=self.base + path, timeout=5_000))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as one:
        yield one


@pytest.fixture
def bench(listener: Listener) -> Bench:
    return Bench(listener)
