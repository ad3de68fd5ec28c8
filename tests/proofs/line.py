"""A connection to a server that costs little: hundreds of them fit beside the server on a small machine."""

import asyncio
from contextlib import suppress
from typing import Any, Self

import msgspec
from msgspec import Struct


class Told(Struct, frozen=True):
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """What the body says."""
        return msgspec.json.decode(self.body)


class Absent(Exception):
    """Nobody listens there."""


class Dropped(Exception):
    """The connection ended, or broke, before the answer was there: the server may have read the request or not."""


class Line:
    """One connection at a time, opened where there is none."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Told:
        """The answer to a request; raises Absent or Dropped."""
        reader, writer = await self._opened()
        raw = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        given = {"Host": "proofs", "Content-Length": str(len(raw)), "Content-Type": "application/json", **(headers or {})}
        head = "".join([f"{method} {path} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in given.items()), "\r\n"])
        try:
            writer.write(head.encode("latin-1") + raw)
            told = await read_answer(reader, head_only=method == "HEAD")
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            raise Dropped from error
        if told.headers.get("connection") == "close":
            self.close()
        return told

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            try:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
            except OSError as error:
                raise Absent from error
        return self._streams

    def close(self) -> None:
        """Let go."""
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].close()
            self._streams = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


async def read_answer(reader: asyncio.StreamReader, *, head_only: bool = False) -> Told:
    """The next answer on a connection; those of our server all tell their length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    length = 0 if head_only else int(headers.get("content-length", "0"))
    return Told(int(head[0].split(" ")[1]), headers, await reader.readexactly(length))
