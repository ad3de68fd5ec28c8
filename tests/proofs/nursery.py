"""Server processes one after the other on one database, each to be killed, stopped or left to die where it was told to."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import httpx
import msgspec

from tests.proofs.mortal import Alive, Dead, Errand

ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """Where server processes come from: at most one lives at a time."""

    def __init__(self, mother: asyncio.subprocess.Process) -> None:
        self._mother = mother
        self.alive: Alive | None = None

    @classmethod
    async def open(cls, log: int | None = None) -> Self:
        """A process that has everything loaded, and forks the others; what they log goes into the file."""
        mother = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.proofs.mortal", cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log
        )
        return cls(mother)

    async def bear(self, errand: Errand) -> Alive:
        """A server that listens."""
        assert self._mother.stdin is not None
        self._mother.stdin.write(msgspec.json.encode(errand) + b"\n")
        self.alive = msgspec.json.decode(await self._line(), type=Alive)
        return self.alive

    async def death(self) -> int:
        """How the server ended, once it has."""
        ended = msgspec.json.decode(await self._line(), type=Dead)
        self.alive = None
        return ended.code

    def send(self, number: signal.Signals) -> None:
        """Send the server a signal, if there is one."""
        if self.alive is not None:
            os.kill(self.alive.pid, number)

    async def kill(self) -> None:
        """End the server as a power cut would."""
        if self.alive is not None:
            self.send(signal.SIGKILL)
            await self.death()

    async def close(self) -> None:
        """End everything."""
        await self.kill()
        assert self._mother.stdin is not None
        self._mother.stdin.close()
        await self._mother.wait()

    async def _line(self) -> bytes:
        assert self._mother.stdout is not None
        line = await asyncio.wait_for(self._mother.stdout.readline(), 60)
        assert line, "the process that forks the others has ended"
        return line


@asynccontextmanager
async def nursery(log: int | None = None) -> AsyncIterator[Nursery]:
    """A nursery whose processes are gone afterwards."""
    opened = await Nursery.open(log)
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def connected(alive: Alive, api_key: str) -> AsyncIterator[httpx.AsyncClient]:
    """The tenant's own server, which speaks to the engine surface."""
    headers = {"Authorization": f"Bearer {api_key}"}
    limits = httpx.Limits(max_connections=None)
    url = f"http://127.0.0.1:{alive.port}/api/v1/engine"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, limits=limits, trust_env=False) as client:
        yield client
