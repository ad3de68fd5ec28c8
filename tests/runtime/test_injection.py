"""What customers type is data in a request, wherever the flow puts it: it chooses neither host nor path, and adds no header."""

from collections.abc import AsyncIterator
from urllib.parse import unquote

import pytest

from engine.runtime.callbacks import Callbacks
from engine.runtime.catalog import Catalog
from engine.runtime.connections import Terms, put_connection
from engine.runtime.outbound.client import OutboundClient
from engine.runtime.replies import TurnReply
from engine.runtime.requesting import HttpPerformer
from engine.runtime.runtime import Runtime
from engine.runtime.tokens import Keyring
from engine.runtime.vault import Vault
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore
from tests.outbound.conftest import Listener, listening, plain
from tests.runtime.conftest import TENANT, World

KEY = b"v" * 32
FLOWS = {
    "path": "url: '/orders/{{ vars.typed }}/state', connection: shop",
    "name": "url: '/orders/state-{{ vars.typed }}.json', connection: shop",
    "query": "url: '/orders?id={{ vars.typed }}', query: {also: '{{ vars.typed }}'}, connection: shop",
    "header": "url: /orders, headers: {X-Order: '{{ vars.typed }}'}, connection: shop",
    "key": "url: /orders, idempotency_key: '{{ vars.typed }}', connection: shop",
    "kind": "url: /orders, headers: {Content-Type: '{{ vars.typed }}'}, body: x, connection: shop",
}
HOSTILE = [
    "../../admin",
    "..%2f..%2fadmin",
    "%2e%2e/%2e%2e/admin",
    "..;/admin",
    "..\\..\\admin",
    "//evil.example/x",
    "@evil.example/",
    ":80@evil.example",
    ".evil.example",
    "http://evil.example/",
    "?admin=1#x",
    "a&b=c",
    "a b",
    "ünï\u202e",
    "x" * 3_000,
]
BREAKING = ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rb", "a\r\n\r\nGET /admin HTTP/1.1\r\n\r\n", "\x7f", "a\x1bb"]


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as found:
        yield found


@pytest.fixture
async def shop(listener: Listener) -> AsyncIterator[World]:
    """A shell whose one connection leads to the listener, below /v1."""
    clock = ManualClock()
    store, registry = MemoryStore(clock), MemoryRegistry()
    catalog, keyring, vault = Catalog(registry), Keyring([KEY]), Vault([KEY])
    client = OutboundClient([f"127.0.0.1:{listener.port}"])
    performer = HttpPerformer(client, catalog, vault, Callbacks(keyring, "https://baton.example"))
    runtime = Runtime(store, registry, keyring, clock, catalog=catalog, performers={"http": performer})
    world = World(runtime, clock, None)
    terms = Terms(kind="bearer", base_url=f"http://127.0.0.1:{listener.port}/v1", secret="sesame")
    await put_connection(registry, vault, TENANT, "shop", terms, 1)
    for name, request in FLOWS.items():
        look = f"{{type: http, method: POST, {request}, save: answer, on_error: sorry, next: end}}"
        sorry = "{type: message, text: '{{ vars.error.code }}', next: end}"
        ask = "{type: ask, input: textarea, prompt: Which?, save: typed, next: look}"
        await world.publish_text(f"flow: to_{name}\nintent: {{}}\nnodes:\n  ask: {ask}\n  look: {look}\n  sorry: {sorry}\n")
    listener.answers = [plain(b"{}")]
    yield world
    await runtime.stop()


async def type_in(world: World, where: str, typed: str) -> TurnReply:
    caller = await world.customer()
    asked = await world.trigger(caller, f"to_{where}")
    return (await world.executor.resume(caller, world.answer(asked, typed))).reply


@pytest.mark.parametrize("typed", HOSTILE, ids=lambda typed: typed[:20])
async def test_what_is_typed_stays_in_its_part_of_the_address(shop: World, listener: Listener, typed: str) -> None:
    for where in ("path", "name", "query"):
        assert (await type_in(shop, where, typed)).status == "completed"
    paths = [line.split(" ")[1] for line in listener.lines]
    assert [line.count(" ") for line in listener.lines] == [2, 2, 2]
    assert [path.count("/") for path in paths] == [4, 3, 2]
    assert paths[0].startswith("/v1/orders/")
    assert unquote(paths[0]) == f"/v1/orders/{typed}/state"
    assert unquote(paths[1]) == f"/v1/orders/state-{typed}.json"
    assert (paths[2].count("&"), paths[2].count("?"), paths[2].count("#")) == (1, 1, 0)
    assert {head["host"] for head in listener.heads} == {f"127.0.0.1:{listener.port}"}


@pytest.mark.parametrize("where", ["header", "key", "kind"])
@pytest.mark.parametrize("typed", BREAKING, ids=repr)
async def test_what_breaks_a_header_is_not_sent(shop: World, listener: Listener, where: str, typed: str) -> None:
    reply = await type_in(shop, where, typed)
    assert [block.payload["text"] for block in reply.blocks] == ["http.blocked"]
    assert listener.connections == 0
