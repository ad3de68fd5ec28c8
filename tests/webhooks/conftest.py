"""A whole shell whose tenants have endpoints, on a store of each kind, with a clock and a chance that only the test moves."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engine.loading import Source, load_flow
from engine.runtime.callbacks import Callbacks
from engine.runtime.catalog import encode_flow
from engine.runtime.invariants import check_invariants
from engine.runtime.outbound.client import OutboundClient
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.runtime.store.deliveries import Delivery, DeliveryFilter, DeliveryState
from engine.runtime.store.port import Store
from engine.runtime.store.registry import Draft, Registry, WebhookRow
from engine.runtime.store.sqlite.open import open_sqlite
from engine.runtime.tokens import Keyring
from engine.runtime.vault import Vault
from engine.runtime.webhooks.endpoints import add_webhook
from engine.runtime.webhooks.places import OF_CLIENT
from engine.runtime.webhooks.sender import Post, Sender
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore
from tests.outbound.conftest import Listener, listening
from tests.webhooks.receiver import Receiver, receiving

TENANT, OTHER = "0198d000-0000-7000-8000-000000000001", "0198d000-0000-7000-8000-000000000002"
KEY = b"k" * 32
ASK = """
flow: order
intent: {}
nodes:
  number: {type: ask, prompt: Your order?, timeout: {after: 10m, next: late}, next: told}
  told: {type: emit, event: order.named, data: {number: "{{ vars.number }}"}, next: end}
  late: {type: message, text: Too late., next: end}
"""


class World:
    """Shorthands for what tenants and their customers do."""

    def __init__(self, runtime: Runtime, clock: ManualClock, vault: Vault, database: Path | None) -> None:
        assert runtime.sender is not None
        self.runtime = runtime
        self.clock = clock
        self.vault = vault
        self.database = database
        self.sender: Sender = runtime.sender
        self.deliveries = runtime.store.deliveries
        self.registry = runtime.registry

    async def publish(self, text: str, tenant: str = TENANT) -> None:
        loaded = load_flow(Source("flow.yaml", text))
        assert loaded.flow is not None, loaded.diagnostics
        flow = loaded.flow
        draft = Draft(flow=flow.flow, digest=text, intent=flow.intent_name, source=text, document=encode_flow(flow))
        await self.registry.publish(tenant, [draft], self.clock.wall())
        await self.runtime.catalog.refresh()

    async def endpoint(self, url: str, *events: str, tenant: str = TENANT) -> tuple[WebhookRow, str]:
        made = await add_webhook(self.registry, self.vault, tenant, url, events, self.clock.wall())
        await self.runtime.catalog.refresh()
        return made

    async def customer(self, tenant: str = TENANT) -> Caller:
        opened = await self.runtime.executor.open(tenant, OpenRequest(public_key_id="key"))
        return Caller(tenant_id=tenant, conversation_id=opened.conversation_id, public_key_id="key")

    async def start(self, tenant: str = TENANT, intent: str = "order") -> tuple[Caller, TurnReply]:
        """A run that waits for its answer."""
        caller = await self.customer(tenant)
        return caller, (await self.runtime.executor.trigger(caller, TriggerRequest(intent=intent, text="hi"))).reply

    async def answer(self, caller: Caller, reply: TurnReply, text: str = "A-1") -> TurnReply:
        assert reply.wait_id is not None
        token = self.runtime.keyring.wait_token(caller.tenant_id, reply.wait_id)
        asked = ResumeRequest(run_id=reply.execution_id, wait_token=token, text=text)
        return (await self.runtime.executor.resume(caller, asked)).reply

    async def run(self, tenant: str = TENANT) -> str:
        """A run from its beginning to its end; gives its id."""
        caller, reply = await self.start(tenant)
        return (await self.answer(caller, reply)).execution_id

    async def send(self) -> None:
        """Whatever can be sent now, and what follows from it."""
        await self.sender.sweep()
        await self.sender.rest()

    async def listed(self, endpoint: WebhookRow, state: DeliveryState | None = None) -> list[Delivery]:
        chosen = DeliveryFilter(endpoint_id=endpoint.id, state=state, limit=1000)
        return [*reversed(await self.deliveries.of_endpoint(endpoint.tenant_id, chosen))]


class Chance:
    """What the jitter is made of."""

    def __init__(self) -> None:
        self.value = 0.0

    def __call__(self) -> float:
        return self.value


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> ManualClock:
    """Receivers judge signatures by the true time."""
    return ManualClock(time.time_ns() // 1_000_000)


@pytest.fixture
def chance() -> Chance:
    return Chance()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def opened(store: Store, registry: Registry, clock: ManualClock, chance: Chance, database: Path | None, *allowed: str) -> World:
    """A world on the store, from which the allowed hosts can be reached."""
    keyring, vault = Keyring([KEY]), Vault([KEY])
    callbacks = Callbacks(keyring, "https://baton.example")
    post = Post(OutboundClient(allowed, at_once=OF_CLIENT), vault, callbacks, chance)
    return World(Runtime(store, registry, keyring, clock, callbacks=callbacks, post=post), clock, vault, database)


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock, chance: Chance) -> AsyncIterator[World]:
    """When it is over, what the database holds must keep every invariant."""
    store: Store
    registry: Registry
    database = None if request.param == "memory" else tmp_path / "baton.db"
    if database is None:
        store, registry = MemoryStore(clock), MemoryRegistry()
    else:
        store, registry = await open_sqlite(database, clock)
    made = opened(store, registry, clock, chance, database, "127.0.0.1")
    for tenant in (TENANT, OTHER):
        await made.publish(ASK, tenant)
    yield made
    await made.runtime.stop()
    if database is not None:
        assert check_invariants(database) == []


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as one:
        yield one
