"""Kills servers at a named place of a call, starts them again, repeats every request, and counts what the other side has seen."""

import asyncio
import itertools
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

import httpx

from engine.loading import Source
from engine.runtime.administration import KeyTerms, NewTenant, create_tenant, publish
from engine.runtime.faults import CallFault
from engine.runtime.invariants import check_invariants
from engine.runtime.store.sqlite.open import open_registry
from engine.runtime.turns.occasion import LEASE
from tests.proofs.mortal import Alive, Errand
from tests.proofs.nursery import Nursery, connected, nursery
from tests.proofs.shop import Shop, open_shop

AT_ONCE: Final = 6
"""Runs that are under way when a server dies."""
_STUCK: Final = 30.0
"""Seconds after which a run that has not come to its end is stuck: its lease has run out when the server starts."""
FLOWS: Final = {
    "buying": """
flow: buying
intent: {}
nodes:
  keyed: {type: http, method: POST, url: "ORIGIN/keyed", json: {run: "{{ run.id }}"}, idempotency_key: "{{ run.id }}-1", next: plain}
  plain: {type: http, method: POST, url: "ORIGIN/plain", json: {run: "{{ run.id }}"}, repeatable: true, next: once}
  once: {type: http, method: POST, url: "ORIGIN/once", json: {run: "{{ run.id }}"}, on_error: {effect.unknown: again}, next: again}
  again: {type: http, method: POST, url: "ORIGIN/keyed", json: {run: "{{ run.id }}"}, idempotency_key: "{{ run.id }}-2", next: bought}
  bought: {type: message, text: Bought., next: end}
""",
    "talking": """
flow: talking
intent: {}
nodes: {ask: {type: ask, prompt: And then?, next: end}}
""",
    "chatting": """
flow: chatting
intent: {}
nodes:
  ask: {type: ask, prompt: And then?, save: said, next: told}
  told: {type: message, text: "{{ vars.said }}, you say.", next: ask}
""",
    "queued": """
flow: queued
intent: {}
nodes:
  look:
    type: task
    queue: documents
    payload: {file: "{{ trigger.text }}"}
    save: found
    on_error: {other: end}
    timeout: {after: 1h, next: end}
    next: end
""",
    "slow": """
flow: slow
intent: {}
nodes:
  ask: {type: http, method: POST, url: "ORIGIN/slow", json: {run: "{{ run.id }}"}, repeatable: true, save: answer, next: told}
  told: {type: message, text: "{{ vars.answer.json.said }}", next: end}
""",
    "deadly": """
flow: deadly
intent: {}
nodes:
  ask: {type: http, method: POST, url: "ORIGIN/deadly", json: {run: "{{ run.id }}"}, repeatable: true, next: end}
""",
}

Told = tuple[str, bool]
"""A line for people, and whether everything is as it was promised."""


class Place:
    """One database with a tenant and a stranger, their flows and a shop, and one server after the other on it."""

    def __init__(self, database: Path, tenant: NewTenant, stranger: NewTenant, shop: Shop, nursery: Nursery) -> None:
        self.database = database
        self.stranger = stranger
        self.tenant_id = tenant.tenant_id
        self.api_key = tenant.api_key
        self.public_key = tenant.public_key
        self.shop = shop
        self.nursery = nursery
        self.ahead = 0
        self._keys = itertools.count()

    async def bear(
        self,
        fault: str | None = None,
        *,
        past_leases: bool = True,
        beside: Nursery | None = None,
        log_level: Literal["debug", "error"] = "error",
    ) -> Alive:
        """A server, by whose clock every lease of the one before has run out."""
        self.ahead += LEASE + 1_000 if past_leases else 0
        outbound = f"127.0.0.1:{self.shop.port}"
        errand = Errand(str(self.database), outbound, fault, self.ahead, beside=beside is not None, log_level=log_level)
        return await (beside or self.nursery).bear(errand)

    def requests(self, count: int) -> list[str]:
        """Keys of so many new requests."""
        return [f"request-{next(self._keys)}" for _ in range(count)]


@asynccontextmanager
async def opened_place(folder: Path) -> AsyncIterator[Place]:
    """A place in an empty folder."""
    async with nursery() as opened, place_with(opened, folder) as place:
        yield place


@asynccontextmanager
async def place_with(nursery: Nursery, folder: Path) -> AsyncIterator[Place]:
    """A place in an empty folder, whose servers come from there; it leaves none alive."""
    database = folder / "baton.db"
    async with open_shop() as shop:
        sources = [Source(f"{name}.yaml", text.replace("ORIGIN", f"http://127.0.0.1:{shop.port}")) for name, text in FLOWS.items()]
        registry = await open_registry(database)
        at = time.time_ns() // 1_000_000
        tenant, stranger = [await create_tenant(registry, name, KeyTerms(native=True), at) for name in ("proofs", "strangers")]
        for one in (tenant, stranger):
            await publish(registry, one.tenant_id, sources, at)
        await registry.close()
        try:
            yield Place(database, tenant, stranger, shop, nursery)
        finally:
            await nursery.kill()


async def at_a_place(prove: Callable[[Place], Awaitable[Told]]) -> Told:
    """The proof on an empty database."""
    with TemporaryDirectory() as folder:
        async with opened_place(Path(folder)) as place:
            return await prove(place)


async def trigger(client: httpx.AsyncClient, key: str, intent: str = "buying", wait: int = 25) -> httpx.Response | None:
    """The answer to the request; None where the server died over it, or is not there."""
    headers = {"Idempotency-Key": key, "Prefer": f"wait={wait}"}
    try:
        return await client.post("/triggers/chat", json={"intent_name": intent}, headers=headers)
    except httpx.TransportError:
        return None


async def insist(client: httpx.AsyncClient, key: str, intent: str = "buying") -> dict[str, Any] | None:
    """What the request comes to in the end, repeated while its turn is worked on; None where the server dies meanwhile."""
    while (answer := await trigger(client, key, intent)) is not None:
        if answer.status_code == httpx.codes.OK:
            envelope: dict[str, Any] = answer.json()
            return envelope
        assert answer.json()["error"] == "turn_in_progress", answer.text
        await asyncio.sleep(0.02)
    return None


@dataclass
class Figures:
    """What the crashes at one place came to."""

    place: CallFault
    crashes: int = 0
    runs: int = 0
    keyed_requests: int = 0
    more_keyed: int = 0
    """Effects at the receiver that honours keys beyond the one that each of a run's two keys stands for."""
    plain_requests: int = 0
    too_many_plain: int = 0
    """Runs of which the other receiver has seen more than one request and another one for each crash."""
    more_once: int = 0
    """Calls that may not be repeated, and were."""
    stuck: int = 0
    slowest: float = 0.0
    """Seconds from the last start of a round until its last run had come to its end."""
    broken: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""
        return not (self.more_keyed or self.too_many_plain or self.more_once or self.stuck or self.broken)

    def line(self) -> str:
        """The figures for people."""
        return (
            f"{self.place}: {self.crashes} crashes, {self.runs} runs; keyed receiver: {self.keyed_requests} requests for "
            f"{2 * self.runs} effects, {self.more_keyed} of them double; "
            f"other receiver: {self.plain_requests} requests, {self.plain_requests - self.runs} more than runs, "
            f"{self.too_many_plain} runs beyond one a crash; not repeatable: {self.more_once} repeated; {self.stuck} stuck "
            f"(the slowest {self.slowest:.1f} s after its lease); {len(self.broken)} invariants broken"
        )


async def crash(place: Place, fault: CallFault, times: int, seed: int = 7) -> Figures:
    """Let servers die there so many times, in rounds: one dies over new runs, one over those that it takes on, and one finishes them."""
    chance = random.Random(seed)  # noqa: S311 - the same crashes each time
    figures = Figures(fault)
    while figures.crashes < times:
        await _round(place, figures, chance, min(2, times - figures.crashes))
    figures.broken += check_invariants(place.database)
    return figures


async def _round(place: Place, figures: Figures, chance: random.Random, deaths: int) -> None:
    keys = place.requests(AT_ONCE)
    crashes = 0
    for most in (3 * AT_ONCE, 3)[:deaths]:
        crashes += await _dies(place, keys, f"{figures.place}:{chance.randint(1, most)}")
    figures.crashes += crashes
    alive = await place.bear()
    began = time.monotonic()
    async with connected(alive, place.api_key) as client:
        finishing = [asyncio.create_task(insist(client, key)) for key in keys]
        done, late = await asyncio.wait(finishing, timeout=_STUCK)
        figures.slowest = max(figures.slowest, time.monotonic() - began)
        figures.stuck += len(late)
        for task in late:
            task.cancel()
        envelopes = [envelope for task in done if (envelope := task.result()) is not None]
        again = await asyncio.gather(*(insist(client, key) for key in keys if not late))
        figures.broken += [f"another answer the second time: {one}" for one in again if one not in envelopes]
    await place.nursery.kill()
    _count(place.shop, figures, envelopes, crashes)


async def _dies(place: Place, keys: list[str], fault: str) -> bool:
    """Whether a server has died there over the requests; one that has finished all of them is killed."""
    alive = await place.bear(fault)
    async with connected(alive, place.api_key) as client:
        there = None in await asyncio.gather(*(insist(client, key) for key in keys))
    if there:
        assert await place.nursery.death() == -signal.SIGKILL
    await place.nursery.kill()
    return there


def _count(shop: Shop, figures: Figures, envelopes: list[dict[str, Any]], crashes: int) -> None:
    runs = {envelope["execution_id"] for envelope in envelopes}
    figures.runs += len(runs)
    figures.broken += [f"{one['execution_id']} is {one['status']}: {one['blocks']}" for one in envelopes if not _is_bought(one)]
    effects = [key for key, run in shop.effects.items() if run in runs]
    figures.more_keyed += abs(len(effects) - 2 * len(runs))
    keyed, plain, once = (shop.runs(path) for path in ("/keyed", "/plain", "/once"))
    figures.keyed_requests += sum(keyed[run] for run in runs)
    figures.plain_requests += sum(plain[run] for run in runs)
    figures.too_many_plain += sum(not 1 <= plain[run] <= 1 + crashes for run in runs)
    figures.more_once += sum(once.get(run, 0) > 1 for run in runs)
    strangers = {run for _, run in shop.requests} - runs
    figures.broken += [f"the shop was asked for {run}, which nobody was told of" for run in strangers]
    shop.requests.clear()


def _is_bought(envelope: dict[str, Any]) -> bool:
    return bool(envelope["status"] == "completed" and [block["payload"]["text"] for block in envelope["blocks"]] == ["Bought."])
