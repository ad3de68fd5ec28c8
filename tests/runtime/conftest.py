"""A whole shell under test, on a store of each kind, with a clock that only the test moves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from engine.loading import Source, load_flow
from engine.model.events import Returned
from engine.model.flow import Flow
from engine.model.run import Invoke
from engine.runtime.catalog import encode_flow
from engine.runtime.invariants import check_invariants
from engine.runtime.performing import Call
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, Idempotency, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.runtime.store.port import Store
from engine.runtime.store.registry import Draft, PriceRow, Registry
from engine.runtime.store.sqlite.open import open_sqlite
from engine.runtime.tokens import Keyring
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore

TENANT = "0198d000-0000-7000-8000-000000000001"
ORDER = """
flow: order_status
intent: {}
inputs: {shop: {type: string, maxLength: 5, default: main}}
variables: {orders: {A-1: tomorrow}}
nodes:
  ask_number:
    type: ask
    prompt: Your order number?
    attempts: 3
    retry: Once more, please.
    on_exhausted: bye
    validation: {pattern: "[A-Z]-[0-9]+"}
    timeout: {after: 10m, next: bye}
    save: number
    next: known
  known:
    type: switch
    cases: [{when: "vars.orders[vars.number] is defined", next: tell}]
    else: ask_number
  tell:
    type: message
    text: It ships {{ vars.orders[vars.number] }} from {{ inputs.shop }}.
    next: remember
  remember: {type: set, values: {conversation.last_order: "{{ vars.number }}"}, next: end}
  bye: {type: message, text: Good-bye., next: end}
"""
STRICT = """
flow: strict
intent: {}
expires_after: 30s
nodes: {age: {type: ask, prompt: Your age?, input: integer, next: end}}
"""


class World:
    """Shorthands for what a customer does."""

    def __init__(self, runtime: Runtime, clock: ManualClock, database: Path | None) -> None:
        self.runtime = runtime
        self.clock = clock
        self.database = database
        self.executor = runtime.executor

    async def publish(self, flow: Flow, source: str = "") -> None:
        draft = Draft(flow=flow.flow, digest=source, intent=flow.intent_name, source=source, document=encode_flow(flow))
        await self.runtime.registry.publish(TENANT, [draft], self.clock.wall())
        await self.runtime.catalog.refresh()

    async def publish_text(self, text: str) -> None:
        loaded = load_flow(Source("flow.yaml", text))
        assert loaded.flow is not None, loaded.diagnostics
        await self.publish(loaded.flow, text)

    async def price(self, row: PriceRow) -> None:
        await self.runtime.registry.put_prices([row])
        await self.runtime.catalog.refresh()

    async def customer(self, customer_id: str | None = None) -> Caller:
        opened = await self.executor.open(TENANT, OpenRequest(public_key_id="key", customer_id=customer_id))
        return Caller(tenant_id=TENANT, conversation_id=opened.conversation_id, customer_id=customer_id, public_key_id="key")

    async def trigger(self, caller: Caller, intent: str = "order_status", key: Idempotency | None = None) -> TurnReply:
        return (await self.executor.trigger(caller, TriggerRequest(intent=intent, text="hi", idempotency=key))).reply

    def answer(self, reply: TurnReply, text: str, key: Idempotency | None = None) -> ResumeRequest:
        assert reply.wait_id is not None
        token = self.runtime.keyring.wait_token(TENANT, reply.wait_id)
        return ResumeRequest(run_id=reply.execution_id, wait_token=token, text=text, idempotency=key)


async def until(happened: Callable[[], bool]) -> None:
    """Let the loop go on until something has happened in it; pytest's own bound on a hanging test is the only clock."""
    while not happened():  # noqa: ASYNC110 - what is waited for has no event of its own
        await asyncio.sleep(0.001)


class Script:
    """A performer that answers from what the test put into it, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Invoke] = []
        self.act: Callable[[Invoke], Awaitable[Returned]] | None = None

    async def __call__(self, call: Call) -> Returned:
        self.asked.append(call.invoke)
        assert self.act is not None
        return await self.act(call.invoke)

    def hold(self, status: int = 200) -> asyncio.Event:
        """Answer with the status once the event is set, and not before."""
        go_on = asyncio.Event()

        async def act(invoke: Invoke) -> Returned:
            await go_on.wait()
            return Returned(at=0, step=invoke.step, result={"status": status})

        self.act = act
        return go_on


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock, script: Script) -> AsyncIterator[World]:
    """A shell on an empty store; when it is over, what the database holds must keep every invariant."""
    store: Store
    registry: Registry
    database = None if request.param == "memory" else tmp_path / "baton.db"
    if database is None:
        store, registry = MemoryStore(clock), MemoryRegistry()
    else:
        store, registry = await open_sqlite(database, clock)
    runtime = Runtime(store, registry, Keyring([b"k" * 32]), clock, performers={"http": script})
    opened = World(runtime, clock, database)
    await opened.publish_text(ORDER)
    await opened.publish_text(STRICT)
    yield opened
    await runtime.stop()
    if database is not None:
        assert check_invariants(database) == []
