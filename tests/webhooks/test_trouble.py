"""Endpoints that are dead, slow, hostile or not to be reached: they hold up nobody else, and get nothing that they should not."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from engine.errors import Unavailable
from engine.runtime.faults import FaultPoints, fail
from engine.runtime.performing import Outside
from engine.runtime.store.registry import WebhookRow
from engine.runtime.store.rows import DeliveryRow
from engine.runtime.vault import Vault
from engine.runtime.webhooks import message
from engine.runtime.webhooks.endpoints import add_webhook
from engine.runtime.webhooks.places import OF_ENDPOINT
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore
from tests.outbound.conftest import Listener, listening
from tests.webhooks.conftest import ASK, OTHER, TENANT, Chance, World, opened
from tests.webhooks.receiver import Receiver, receiving

FREE_PORT = "http://127.0.0.1:9/"
STARTED = "chat.execution.started"


async def until(happened: Callable[[], bool]) -> None:
    """Let the loop go on until something has happened in another thread, but not for ever."""
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - threads have no event for a loop
            await asyncio.sleep(0.001)


async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.001)


async def codes(world: World, endpoint: WebhookRow) -> list[tuple[str | None, int | None]]:
    return [(one.row.code, one.row.status) for one in await world.listed(endpoint) if one.row.tries]


@pytest.mark.parametrize("play", [hang, drip])
async def test_whoever_hangs_or_drips_holds_up_neither_other_endpoints_nor_other_tenants(
    world: World, receiver: Receiver, play: Callable[..., None]
) -> None:
    async with listening() as dead:
        dead.answers = [play]  # type: ignore[list-item]
        for number in range(10):
            await world.endpoint(f"http://127.0.0.1:{dead.port}/{number}", STARTED)
        await world.endpoint(receiver.url, STARTED)
        await world.endpoint(receiver.url, STARTED, tenant=OTHER)
        for _ in range(OF_ENDPOINT):
            await world.start(TENANT)
            await world.start(OTHER)
        await world.sender.sweep()
        await until(lambda: len(receiver.received) == 2 * OF_ENDPOINT)
        assert dead.connections > 0
        await world.sender.stop(0)


async def test_where_nobody_listens_is_a_failure_and_others_hear_everything(world: World, receiver: Receiver) -> None:
    endpoint, _ = await world.endpoint(FREE_PORT, STARTED)
    await world.endpoint(receiver.url, STARTED)
    for _ in range(3):
        await world.start()
    await world.send()
    assert await codes(world, endpoint) == [("http.refused", None)] * 3
    assert len(receiver.received) == 3


async def test_a_dead_endpoint_is_not_asked_for_each_of_many_runs_at_once(world: World) -> None:
    endpoint, _ = await world.endpoint(FREE_PORT, STARTED)
    for _ in range(40):
        await world.start()
    await world.send()
    assert len(await codes(world, endpoint)) == OF_ENDPOINT
    world.clock.advance(64_000)
    await world.send()
    assert len(await codes(world, endpoint)) == OF_ENDPOINT + 1
    assert {one.row.tries for one in await world.listed(endpoint)} <= {0, 1, 2}


async def test_a_try_that_takes_too_long_is_a_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "TIMEOUT", 50)
    async with listening() as dead:
        dead.answers = [hang]
        endpoint, _ = await world.endpoint(f"http://127.0.0.1:{dead.port}/", STARTED)
        await world.start()
        await world.send()
        assert await codes(world, endpoint) == [("http.timeout", None)]


async def test_a_place_that_is_freed_goes_to_the_tenant_that_has_the_fewest(world: World) -> None:
    gate = threading.Semaphore(0)

    def slow(_: object) -> int:
        gate.acquire()
        return 200

    with receiving() as slowly:
        slowly.status = slow
        for number in range(10):
            await world.endpoint(f"{slowly.url}/{number}", STARTED)
        await world.endpoint(f"{slowly.url}/other", STARTED, tenant=OTHER)
        for _ in range(OF_ENDPOINT):
            await world.start(TENANT)
        await world.sender.sweep()
        await until(lambda: len(slowly.received) == 64)
        await world.start(OTHER)
        await world.sender.sweep()
        assert len(slowly.received) == 64
        gate.release()
        await until(lambda: len(slowly.received) == 65)
        assert slowly.received[-1].path == "/hook/other"
        gate.release(200)
        await world.sender.rest()
        assert len(slowly.received) == 81


async def test_a_body_that_never_ends_is_not_waited_for(world: World) -> None:
    async with listening() as one:
        one.answers = [_endless]
        endpoint, _ = await world.endpoint(f"http://127.0.0.1:{one.port}/", STARTED)
        await world.start()
        await world.send()
        assert [delivery.row.ended_as for delivery in await world.listed(endpoint)] == ["delivered"]


async def _endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 400, 404, 410, 429, 500, 503])
async def test_whatever_is_no_2xx_is_a_failure_and_a_redirect_is_not_followed(clock: ManualClock, chance: Chance, status: int) -> None:
    world = opened(MemoryStore(clock), MemoryRegistry(), clock, chance, None, "127.0.0.1")
    await world.publish(ASK)
    with receiving() as first, receiving() as second:
        first.location = second.url
        first.status = lambda _: status
        endpoint, _ = await world.endpoint(first.url, STARTED)
        await world.start()
        await world.send()
        assert await codes(world, endpoint) == [("http.status", status)]
        assert (len(first.received), second.received) == (1, [])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"])  # noqa: S104 - reached from nowhere
async def test_an_address_that_may_not_be_reached_gets_not_a_byte(
    clock: ManualClock, chance: Chance, listener: Listener, host: str
) -> None:
    world = opened(MemoryStore(clock), MemoryRegistry(), clock, chance, None)
    await world.publish(ASK)
    endpoint, _ = await world.endpoint(f"http://{host}:{listener.port}/", STARTED)
    await world.start()
    await world.send()
    assert await codes(world, endpoint) == [("http.blocked", None)]
    assert (listener.connections, listener.received) == (0, [])


async def test_a_secret_that_the_servers_key_does_not_open_signs_nothing(world: World, receiver: Receiver) -> None:
    endpoint, _ = await add_webhook(world.registry, Vault([b"o" * 32]), TENANT, receiver.url, [STARTED], 1)
    await world.runtime.catalog.refresh()
    await world.start()
    await world.send()
    assert await codes(world, endpoint) == [("webhook.secret", None)]
    assert receiver.received == []


async def test_a_try_whose_end_cannot_be_noted_keeps_its_place_and_is_not_made_again(
    clock: ManualClock, chance: Chance, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runtime.webhooks.sender._AGAIN", 0.001)
    store = MemoryStore(clock)
    world = opened(store, MemoryRegistry(), clock, chance, None, "127.0.0.1")
    note, refused = store.deliveries.note, iter([True] * 3)

    async def full(row: DeliveryRow, was_tries: int) -> bool:
        if next(refused, False):
            raise Unavailable(retry_after=1)
        return await note(row, was_tries)

    monkeypatch.setattr(store.deliveries, "note", full)
    await world.publish(ASK)
    endpoint, _ = await world.endpoint(receiver.url, STARTED)
    await world.start()
    await world.sender.sweep()
    await world.sender.sweep()
    await world.sender.rest()
    assert len(receiver.received) == 1
    assert [one.row.ended_as for one in await world.listed(endpoint)] == ["delivered"]


async def test_what_was_sent_and_not_noted_is_sent_again_with_the_same_id(world: World, receiver: Receiver) -> None:
    await world.endpoint(receiver.url, STARTED)
    world.sender._outside = Outside(faults=FaultPoints({"after_delivery": 1}, fail))  # noqa: SLF001 - where tests let it break
    await world.start()
    await world.send()
    assert [one.id for one in receiver.received] == [receiver.received[0].id] * 2
    assert receiver.received[0].body == receiver.received[1].body


async def test_a_stop_lets_what_is_under_way_come_to_its_end_and_sends_the_rest_later(world: World, receiver: Receiver) -> None:
    gate = threading.Event()
    receiver.status = lambda _: 200 if gate.wait(10) else 500
    endpoint, _ = await world.endpoint(receiver.url, STARTED)
    await world.start()
    await world.sender.sweep()
    await until(lambda: len(receiver.received) == 1)
    stopping = asyncio.create_task(world.sender.stop(10))
    await asyncio.sleep(0)
    gate.set()
    await stopping
    assert [one.row.ended_as for one in await world.listed(endpoint)] == ["delivered"]
    await world.start()
    await world.sender.sweep()
    assert len(receiver.received) == 1


async def test_no_secret_no_address_and_nothing_that_is_told_stands_in_the_log(
    world: World, receiver: Receiver, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = lambda _: 500
    endpoint, secret = await world.endpoint(f"{receiver.url}?token=canary-address")
    caller, reply = await world.start()
    await world.answer(caller, reply, "canary-text")
    while not await world.listed(endpoint, "parked"):
        await world.send()
        world.clock.advance(200_000_000)
    told = "".join(capsys.readouterr()) + caplog.text
    assert "webhook_parked" in told
    assert endpoint.id in told
    signatures = [one.headers["webhook-signature"] for one in receiver.received]
    assert [canary for canary in ("canary", secret, secret.removeprefix("whsec_"), receiver.url, *signatures) if canary in told] == []
