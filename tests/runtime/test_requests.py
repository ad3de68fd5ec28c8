"""Requests of flows to a real server: what is sent, what the run goes on with, and what nobody else ever sees."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from engine.runtime.callbacks import PATH, Callbacks
from engine.runtime.catalog import Catalog
from engine.runtime.connections import BadConnection, Terms, put_connection
from engine.runtime.outbound.client import OutboundClient
from engine.runtime.replies import TurnReply
from engine.runtime.requesting import HttpPerformer
from engine.runtime.requests import Caller
from engine.runtime.runtime import Runtime
from engine.runtime.tokens import Keyring
from engine.runtime.vault import Vault
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore
from tests.outbound.conftest import Listener, listening, plain
from tests.runtime.conftest import TENANT, World

SECRET = "s3cr3t-of-the-shop"
KEY = b"v" * 32
SHOP = """
flow: shopping
intent: {}
nodes:
  number: {type: ask, prompt: Which order?, next: look}
  look:
    type: http
    method: POST
    url: ORIGIN/orders/{{ vars.number }}/état
    query: {page: 2, tag: [a b, "c&d"], none: null, yes: true}
    headers: {X-Number: "{{ vars.number }}"}
    json: {number: "{{ vars.number }}", run: "{{ run.id }}"}
    idempotency_key: "{{ run.id }}-{{ run.visits.look }}"
    save: answer
    on_error: {404: none, 5xx: down, other: sorry}
    next: tell
  tell: {type: message, text: "{{ vars.answer.status }} {{ vars.answer.json.eta }} {{ nodes.look.retries }}", next: told}
  told: {type: emit, event: order.told, data: {number: "{{ vars.number }}", eta: "{{ vars.answer.json.eta }}"}, next: end}
  none: {type: message, text: "There is none: {{ vars.error.code }} {{ vars.error.status }} {{ vars.answer.json.why }}", next: end}
  down: {type: message, text: "Down: {{ vars.answer.status }}", next: end}
  sorry: {type: message, text: "{{ vars.error.code }} {{ vars.answer }}", next: end}
"""


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as found:
        yield found


@pytest.fixture
async def shop(listener: Listener) -> AsyncIterator[World]:
    clock = ManualClock()
    store, registry = MemoryStore(clock), MemoryRegistry()
    catalog = Catalog(registry)
    performer = HttpPerformer(
        OutboundClient([f"127.0.0.1:{listener.port}"]), catalog, Vault([KEY]), Callbacks(Keyring([KEY]), "https://baton.example")
    )
    runtime = Runtime(store, registry, Keyring([KEY]), clock, catalog=catalog, performers={"http": performer})
    world = World(runtime, clock, None)
    await world.publish_text(SHOP.replace("ORIGIN", f"http://127.0.0.1:{listener.port}"))
    yield world
    await runtime.stop()


def texts(reply: TurnReply) -> list[str]:
    return [block.payload["text"] for block in reply.blocks]


def files(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.iterdir()]


async def ask(world: World, number: str) -> TurnReply:
    caller = await world.customer()
    asked = await world.trigger(caller, "shopping")
    return (await world.executor.resume(caller, world.answer(asked, number))).reply


async def test_a_request_is_what_the_flow_says_with_every_value_encoded(shop: World, listener: Listener) -> None:
    listener.answers = [plain(b'{"eta": "Monday"}', "200 OK", "Content-Type: application/json")]
    reply = await ask(shop, "A/1 ?#ü")
    assert texts(reply) == ["200 Monday 0"]
    assert listener.lines == ["POST /orders/A%2F1%20%3F%23%C3%BC/%C3%A9tat?page=2&tag=a%20b&tag=c%26d&yes=true HTTP/1.1"]
    assert listener.heads[0]["idempotency-key"] == f"{reply.execution_id}-1"
    assert listener.bodies == [f'{{"number":"A/1 ?#ü","run":"{reply.execution_id}"}}'.encode()]
    assert reply.tools_called == ("shopping/look",)
    store = shop.runtime.store
    assert isinstance(store, MemoryStore)
    told = [(row.n, row.type, row.payload) for row in store.outbox(TENANT) if row.run_id == reply.execution_id and row.rev == 2]
    assert [(n, kind) for n, kind, _ in told] == [(0, "order.told"), (1, "chat.execution.completed")]
    assert told[0][2] == {"number": "A/1 ?#ü", "eta": "Monday"}


async def effects(world: World, reply: TurnReply) -> list[tuple[object, object, object]]:
    visits = await world.executor.reader.trace(Caller(tenant_id=TENANT, surface="engine"), reply.execution_id)
    return [(visit["node"], visit["edge"], visit["effects"]) for visit in visits if "effects" in visit]


async def test_a_trace_tells_what_was_done_outside_and_nothing_of_what_was_said_there(shop: World, listener: Listener) -> None:
    listener.answers = [plain(b'{"eta": "Monday"}', "200 OK", "Content-Type: application/json"), plain(b"{}", "404 Not Found")]
    assert await effects(shop, await ask(shop, "A-1")) == [
        ("look", "calls", ({"kind": "asked", "what": "POST"},)),
        ("look", "next", ({"kind": "answered", "what": "200"},)),
        ("told", "next", ({"kind": "emitted", "what": "order.told"},)),
    ]
    assert await effects(shop, await ask(shop, "A-2")) == [
        ("look", "calls", ({"kind": "asked", "what": "POST"},)),
        ("look", "error:http.status", ({"kind": "answered", "what": "404"},)),
    ]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("404 Not Found", "There is none: http.status 404 unknown"),
        ("503 Service Unavailable", "Down: 503"),
        ("418 Teapot", 'http.status {"headers'),
    ],
)
async def test_a_status_leads_where_the_flow_says(shop: World, listener: Listener, status: str, said: str) -> None:
    listener.answers = [plain(b'{"why": "unknown"}', status)]
    assert texts(await ask(shop, "A-1"))[0].startswith(said.partition("{")[0])


async def test_a_server_that_is_not_there_is_a_failure_with_its_code(shop: World, listener: Listener) -> None:
    async def slam(_: object, writer: object) -> None:
        writer.transport.abort()  # type: ignore[attr-defined]

    listener.answers = [slam]
    assert texts(await ask(shop, "A-1")) == ["http.refused "]


@pytest.mark.parametrize("dots", [".", ".."])
async def test_a_value_made_of_dots_leads_nowhere_else(shop: World, listener: Listener, dots: str) -> None:
    assert texts(await ask(shop, dots + " ")) == ["expression.value "]
    assert listener.connections == 0


FORGED = """
flow: forged
intent: {}
nodes:
  ask: {type: http, method: GET, url: ORIGIN/asked, save: came, next: tell}
  tell: {type: http, method: POST, url: ORIGIN/told, json: {text: "{{ vars.came.text }}", json: "{{ vars.came.json }}"}, next: paid}
  paid: {type: wait, event: order.paid, timeout: {after: 1h, next: end}, next: end}
"""


async def test_nobody_gets_the_address_of_a_callback_by_writing_its_placeholder_into_an_answer(shop: World, listener: Listener) -> None:
    await shop.publish_text(FORGED.replace("ORIGIN", f"http://127.0.0.1:{listener.port}"))
    forged = "\0callback:0/paid/1\0"
    listener.answers = [plain(forged.encode()), plain(), plain(msgspec.json.encode({forged: [forged]})), plain()]
    for _ in range(2):
        await shop.trigger(await shop.customer(), "forged")
    assert [line.split(" ")[1] for line in listener.lines] == ["/asked", "/told"] * 2
    assert not any(b"cb_" in body or b"callbacks" in body for body in listener.bodies)


TOLD = """
flow: told
intent: {}
variables: {nothing: null}
nodes:
  tell:
    type: http
    method: POST
    url: "ORIGIN/hooks/{{ callbacks.paid }}/{{ 'to ' ~ callbacks.paid }}?back={{ callbacks.paid }}"
    query: {again: "{{ callbacks.paid }}"}
    json: "{{ vars.nothing }}"
    on_error: end
    next: paid
  paid: {type: wait, event: order.paid, timeout: {after: 1h, next: end}, next: end}
"""


async def told(shop: World, listener: Listener) -> TurnReply:
    await shop.publish_text(TOLD.replace("ORIGIN", f"http://127.0.0.1:{listener.port}"))
    listener.answers = [plain()]
    return await shop.trigger(await shop.customer(), "told")


async def test_the_address_of_a_callback_is_one_component_of_the_address_that_it_stands_in(shop: World, listener: Listener) -> None:
    reply = await told(shop, listener)
    address = f"https://baton.example{PATH}{Keyring([KEY]).callback_token(TENANT, reply.execution_id, '0/paid/1')}"
    encoded = quote(address, safe="")
    assert listener.lines == [f"POST /hooks/{encoded}/to%20{encoded}?back={encoded}&again={encoded} HTTP/1.1"]


async def test_an_expression_that_gives_null_sends_null_as_json(shop: World, listener: Listener) -> None:
    await told(shop, listener)
    assert (listener.bodies, listener.heads[0]["content-type"]) == ([b"null"], "application/json")


async def test_a_request_without_json_sends_nothing(shop: World, listener: Listener) -> None:
    await shop.publish_text(KEYLESS.replace("ORIGIN", f"http://127.0.0.1:{listener.port}"))
    listener.answers = [plain()]
    await shop.trigger(await shop.customer(), "keyless")
    assert (listener.bodies, "content-type" in listener.heads[0]) == ([b""], False)


KEYLESS = """
flow: keyless
intent: {}
variables: {key: null}
nodes:
  pay: {type: http, method: POST, url: ORIGIN/pay, idempotency_key: "{{ vars.key }}", retries: 3, on_error: end, next: end}
"""


async def test_a_request_whose_key_comes_out_empty_is_not_made_again(shop: World, listener: Listener) -> None:
    await shop.publish_text(KEYLESS.replace("ORIGIN", f"http://127.0.0.1:{listener.port}"))
    listener.answers = [b""]
    await shop.trigger(await shop.customer(), "keyless")
    assert (listener.lines, "idempotency-key" in listener.heads[0]) == (["POST /pay HTTP/1.1"], False)


CONNECTED = """
flow: connected
intent: {}
nodes:
  look: {type: http, method: GET, url: /orders, connection: shop, save: answer, on_error: sorry, next: tell}
  tell: {type: message, text: "{{ vars.answer.text }}", next: end}
  sorry: {type: message, text: "{{ vars.error.code }}: {{ vars.error.message }}", next: end}
"""


async def connect(world: World, port: int, kind: str = "bearer", parameter: str | None = None, secret: str = SECRET) -> None:
    terms = Terms(kind=kind, base_url=f"http://127.0.0.1:{port}/v1/", secret=secret, parameter=parameter)  # type: ignore[arg-type]
    await put_connection(world.runtime.registry, Vault([KEY]), TENANT, "shop", terms, 1)
    await world.runtime.catalog.refresh()


@pytest.mark.parametrize(
    ("kind", "parameter", "secret", "header", "value"),
    [
        ("bearer", None, SECRET, "authorization", f"Bearer {SECRET}"),
        ("basic", None, "ada:pw", "authorization", "Basic YWRhOnB3"),
        ("header", "X-Key", SECRET, "x-key", SECRET),
        ("query", "key", SECRET, None, f"/v1/orders?key={SECRET}"),
    ],
)
async def test_a_connection_gives_its_address_and_its_secret(
    shop: World, listener: Listener, kind: str, parameter: str | None, secret: str, header: str | None, value: str
) -> None:
    await shop.publish_text(CONNECTED)
    await connect(shop, listener.port, kind, parameter, secret)
    listener.answers = [plain(b"fine")]
    caller = await shop.customer()
    assert texts(await shop.trigger(caller, "connected")) == ["fine"]
    found = listener.lines[0].split(" ")[1] if header is None else listener.heads[0][header]
    assert found == value


async def test_a_secret_is_in_no_state_trace_or_row(shop: World, listener: Listener) -> None:
    await shop.publish_text(CONNECTED)
    await connect(shop, listener.port)
    caller = await shop.customer()
    reply = await shop.trigger(caller, "connected")
    view = await shop.runtime.store.run(TENANT, reply.execution_id)
    assert view is not None
    register = await shop.runtime.registry.register()
    rows = repr([view, register, await shop.executor.reader.trace(caller, reply.execution_id)])
    assert SECRET not in rows
    assert SECRET.encode().hex() not in rows


async def test_a_connection_that_is_not_there_or_does_not_open_blocks_the_request(shop: World, listener: Listener) -> None:
    await shop.publish_text(CONNECTED)
    caller = await shop.customer()
    assert texts(await shop.trigger(caller, "connected")) == ["http.blocked: there is no connection shop"]
    terms = Terms(kind="bearer", base_url=f"http://127.0.0.1:{listener.port}", secret=SECRET)
    await put_connection(shop.runtime.registry, Vault([b"x" * 32]), TENANT, "shop", terms, 1)
    await shop.runtime.catalog.refresh()
    assert texts(await shop.trigger(caller, "connected"))[0].startswith("http.blocked: the connection's secret cannot be opened")
    assert listener.connections == 0


@pytest.mark.parametrize(
    "terms",
    [
        Terms(kind="bearer", base_url="ftp://shop.example", secret="s"),
        Terms(kind="bearer", base_url="https://ada@shop.example", secret="s"),
        Terms(kind="bearer", base_url="https://shop.example?x=1", secret="s"),
        Terms(kind="bearer", base_url="https://shop.example#", secret="s"),
        Terms(kind="bearer", base_url="https://[::1", secret="s"),
        Terms(kind="bearer", base_url="https://shop.example:70000", secret="s"),
        Terms(kind="bearer", base_url="https://shop.example\\@evil.example", secret="s"),
        Terms(kind="bearer", base_url="https://b\xfccher.example", secret="s"),
        Terms(kind="bearer", base_url="https://2130706433", secret="s"),
        Terms(kind="bearer", base_url="https://shop.example/\r\nX: 1", secret="s"),
        Terms(kind="bearer", base_url="https://shop.example", secret="a\r\nb"),
        Terms(kind="bearer", base_url="https://shop.example", secret=""),
        Terms(kind="basic", base_url="https://shop.example", secret="no colon"),
        Terms(kind="header", base_url="https://shop.example", secret="s"),
        Terms(kind="header", base_url="https://shop.example", secret="s", parameter="X Y"),
        Terms(kind="header", base_url="https://shop.example", secret="s", parameter="Host"),
        Terms(kind="header", base_url="https://shop.example", secret="s", parameter="Proxy-Authorization"),
        Terms(kind="bearer", base_url="https://shop.example", secret="s", parameter="X-Key"),
    ],
)
async def test_a_connection_that_could_not_work_is_refused(terms: Terms) -> None:
    registry = MemoryRegistry()
    with pytest.raises(BadConnection):
        await put_connection(registry, Vault([KEY]), TENANT, "shop", terms, 1)
    assert (await registry.register()).connections == ()


async def test_a_shell_on_a_file_makes_requests_and_keeps_secrets_sealed(tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "baton.db"
    host = f"127.0.0.1:{listener.port}"
    runtime = await Runtime.start(database_url=f"sqlite:///{path}", secret=KEY, clock=ManualClock(), allowed_hosts=[host], serving=False)
    world = World(runtime, ManualClock(), path)
    await world.publish_text(CONNECTED)
    await connect(world, listener.port)
    listener.answers = [plain(b"fine")]
    assert texts(await world.trigger(await world.customer(), "connected")) == ["fine"]
    await runtime.stop()
    assert all(SECRET.encode() not in stored for stored in files(tmp_path))
