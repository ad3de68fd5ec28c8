"""Servers whose time of day is set back and forward while they run: nothing is due early, and deadlines act within seconds."""

import asyncio
import shutil
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
from msgspec import Struct

from tests.support.server import ServerProcess

_SOURCE: Final = Path(__file__).with_name("stepped_clock.c")
_CHAT: Final = "/api/public/v1/chat"
_HOUR: Final = 3_600
HOURS: Final = (-1, 1, 25)
LASTS: Final = 3
"""Seconds for which the flow waits."""
_WATCHED: Final = 6.0
"""Seconds for which readiness is watched: as long as a ticker that has stalled may take to tick again, and more."""
_FLOW: Final = f"""
flow: brief
intent: {{label: Be quick}}
nodes:
  quick: {{type: ask, prompt: Quick!, timeout: {{after: {LASTS}s, next: late}}, next: end}}
  late: {{type: message, text: Too late., next: end}}
"""
Reply = dict[str, Any]


class Stepped(Struct, frozen=True):
    """What came of one step."""

    hours: int
    late: float
    """Seconds from the deadline to the moment at which its customer heard of it; negative: it was early."""
    after: float
    """The same for a deadline that began when the clock had been set."""
    unready: float
    """Seconds for which the server said that it was not ready."""


def compiler() -> str | None:
    """What compiles the clock; None where there is nothing."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def prove(folder: Path, hours: Sequence[int] = HOURS) -> list[Stepped]:
    """Each step on a server of its own, all at the same time."""
    clock = folder / "stepped_clock.so"
    subprocess.run([compiler() or "cc", "-shared", "-fPIC", "-O1", "-o", clock, _SOURCE, "-ldl"], check=True)
    return asyncio.run(_all(folder, clock, hours))


async def _all(folder: Path, clock: Path, hours: Sequence[int]) -> list[Stepped]:
    servers = [_Server(folder / f"{step:+d}h", clock) for step in hours]
    try:
        return list(await asyncio.gather(*(_step(server, step) for server, step in zip(servers, hours, strict=True))))
    finally:
        for server in servers:
            server.process.stop()


class _Server:
    """A server, and the file that its clock reads."""

    def __init__(self, folder: Path, clock: Path) -> None:
        (folder / "flows").mkdir(parents=True)
        (folder / "flows" / "brief.yaml").write_text(_FLOW, encoding="utf-8")
        self._seconds = folder / "seconds"
        self.set(0)
        settings = {"LD_PRELOAD": str(clock), "STEPPED_CLOCK": str(self._seconds), "BATON_LOG_LEVEL": "warning"}
        self.process = ServerProcess(folder, "--dev", settings=settings)

    def set(self, seconds: int) -> None:
        """From now on the time of day is that much ahead."""
        with self._seconds.open("r+b" if self._seconds.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    async def begin(self) -> str:
        """Its public key, once it listens."""
        await asyncio.to_thread(self.process.wait_until_ready)
        return (await asyncio.to_thread(self.process.read_keys))[0]


async def _step(server: _Server, hours: int) -> Stepped:
    key = await server.begin()
    async with httpx.AsyncClient(base_url=server.process.url, timeout=30) as client:
        opened = (await client.post(f"{_CHAT}/sessions", json={"publicKey": key})).json()
        headers = {"Authorization": f"Bearer {opened['sessionToken']}"}
        first = asyncio.create_task(_late_by(client, headers))
        await asyncio.sleep(LASTS / 6)
        watching = asyncio.create_task(_unready(client))
        server.set(hours * _HOUR)
        second = asyncio.create_task(_late_by(client, headers))
        late, after = await first, await second
        return Stepped(hours, late, after, await watching)


async def _late_by(client: httpx.AsyncClient, headers: dict[str, str]) -> float:
    """Seconds that a deadline comes after its time, by a clock that nobody sets."""
    begun = time.monotonic()
    body = {"text": "hello", "intentName": "brief"}
    run = (await client.post(f"{_CHAT}/messages", json=body, headers=headers)).json()["reply"]["executionId"]
    answered = time.monotonic()
    while True:
        reply: Reply = (await client.get(f"{_CHAT}/executions/{run}?wait=10", headers=headers)).json()["reply"]
        if reply["status"] == "completed":
            break
    # Early is measured from the beginning of the request, late from its end: the wait began in between.
    past = time.monotonic() - LASTS
    return past - begun if past < begun else max(0.0, past - answered)


async def _unready(client: httpx.AsyncClient) -> float:
    """For how long the server said that it was not ready, until it is sure to be again."""
    begun, unready = time.monotonic(), 0.0
    before = begun
    while (now := time.monotonic()) < begun + _WATCHED:
        if not await _ready(client):
            unready += now - before
        before = now
        await asyncio.sleep(0.05)
    return unready


async def _ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == httpx.codes.OK
