"""`baton serve` as it is, its lease as long as it is: killed under load, started again, and left to itself."""

import asyncio
import signal
import time

import httpx
from msgspec import Struct

from engine.runtime.invariants import check_invariants
from tests.proofs.crashes import Place, insist
from tests.support.server import ServerProcess

_RUNS = 40
_LATEST = 60.0


class Recovered(Struct, frozen=True):
    """What came of the runs that were under way."""

    runs: int
    under_way: int
    stuck: int
    slowest: float
    """Seconds from the kill until the last of them had come to its end."""
    broken: list[str]

    def line(self) -> str:
        """The figures for people."""
        return (
            f"baton serve, killed with {self.under_way} of {self.runs} runs in a call: {self.stuck} stuck after one lease, "
            f"the last one done {self.slowest:.1f} s after the kill; {len(self.broken)} invariants broken"
        )


async def recover(place: Place) -> Recovered:
    """Kill a server while its runs are in their calls, and repeat every request until it is answered by the next one."""
    all_in = asyncio.Event()

    async def linger(_: str) -> str:
        if len(place.shop.runs("/slow")) == _RUNS:
            all_in.set()
        await (asyncio.sleep(0) if all_in.is_set() else all_in.wait())
        return "well"

    place.shop.acts["/slow"] = linger
    keys = place.requests(_RUNS)
    server = _server(place)
    async with _client(place, server) as client:
        asking = [asyncio.create_task(insist(client, key, "slow")) for key in keys]
        await all_in.wait()
        server.process.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        before = await asyncio.gather(*asking)
    await asyncio.to_thread(server.stop)
    server = await asyncio.to_thread(_server, place)
    async with _client(place, server) as client:
        done, late = await asyncio.wait([asyncio.create_task(insist(client, key, "slow")) for key in keys], timeout=_LATEST)
        slowest = time.monotonic() - killed
        for task in late:
            task.cancel()
    await asyncio.to_thread(server.stop)
    said = [envelope["blocks"][0]["payload"]["text"] for task in done if (envelope := task.result()) is not None]
    broken = [*check_invariants(place.database), *(f"a run has said {text}" for text in said if text != "well")]
    return Recovered(_RUNS, before.count(None), len(late), slowest, broken)


def _server(place: Place) -> ServerProcess:
    settings = {"BATON_ALLOWED_HOSTS_OUTBOUND": f"127.0.0.1:{place.shop.port}", "BATON_LOG_LEVEL": "error"}
    server = ServerProcess(place.database.parent, settings=settings)
    server.wait_until_ready()
    return server


def _client(place: Place, server: ServerProcess) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {place.api_key}"}
    return httpx.AsyncClient(base_url=f"{server.url}/api/v1/engine", headers=headers, timeout=30, trust_env=False)
