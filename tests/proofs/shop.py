"""The other side of the flows' requests: a real HTTP server that counts what it is asked for."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"


class Shop:
    """Takes POST /keyed, which honours the idempotency key, and any other path, which does not."""

    def __init__(self) -> None:
        self.port = 0
        self.effects: dict[str, str] = {}
        """What /keyed has done: the key to its run."""
        self.requests: Counter[tuple[str, str]] = Counter()
        """(path, run) to how often it was asked for."""
        self.acts: dict[str, Callable[[str], Awaitable[Any]]] = {}
        """What is to happen at a path before it is answered, given the run; what it gives is the answer's `said`."""

    def runs(self, path: str) -> dict[str, int]:
        """How often each run has asked for the path."""
        return {run: count for (asked, run), count in self.requests.items() if asked == path}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request; whoever has gone meanwhile gets nothing."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            path, run = head[0].split(" ")[1], str(json.loads(body)["run"])
            said = await self._take(path, run, headers.get("idempotency-key"))
            answer = json.dumps({"said": said}).encode()
            writer.write(_ANSWER % (len(answer), answer))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _take(self, path: str, run: str, key: str | None) -> Any:
        self.requests[path, run] += 1
        if path == "/keyed":
            assert key is not None
            assert self.effects.setdefault(key, run) == run
        act = self.acts.get(path)
        return None if act is None else await act(run)


@asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    """A shop on a free port; whoever still hangs in it at the end is sent away."""
    shop = Shop()
    tasks: set[asyncio.Task[None]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(shop.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(take, "127.0.0.1", 0, backlog=1024)
    shop.port = server.sockets[0].getsockname()[1]
    try:
        yield shop
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*list(tasks), return_exceptions=True)
        await server.wait_closed()
