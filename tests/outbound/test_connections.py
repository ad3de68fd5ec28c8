"""Connections: their certificates, their number, their end, and the look-up of names."""

import asyncio
import gc
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from engine.runtime.outbound.client import OutboundClient
from engine.runtime.outbound.port import OutboundRequest, SendFailed
from engine.runtime.outbound.resolving import SystemResolver
from tests.outbound.conftest import CERTIFICATE, Bench, Listener, listening, many_loopbacks, plain, pointing


@pytest.fixture
async def secured(bench: Bench) -> AsyncIterator[Listener]:
    """A listener with the certificate of shop.example, which the client trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    bench.trust = ssl.create_default_context(cafile=str(CERTIFICATE))
    async with listening(context=context) as one:
        yield one


def get(url: str) -> OutboundRequest:
    return OutboundRequest(method="GET", url=url, timeout=5_000)


async def test_the_name_is_greeted_and_checked_while_the_address_is_connected_to(bench: Bench, secured: Listener) -> None:
    outcome = await bench.send(get(f"https://shop.example:{secured.port}/"))
    assert outcome.code is None
    assert secured.names == ["shop.example"]
    assert secured.heads[0]["host"] == f"shop.example:{secured.port}"


async def test_a_certificate_for_another_name_is_refused_before_the_request_is_sent(bench: Bench, secured: Listener) -> None:
    bench.names.answers["other.example"] = [["127.0.0.1"]]
    allowed = ("other.example", "127.0.0.1")
    for host in ("other.example", "127.0.0.1"):
        assert (await bench.send(get(f"https://{host}:{secured.port}/"), allowed)).code == "http.refused"
    assert secured.received == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(bench: Bench, secured: Listener) -> None:
    outcome = await OutboundClient(["shop.example"], resolve=bench.names).send(get(f"https://shop.example:{secured.port}/"))
    assert outcome.code == "http.refused"
    assert secured.received == []


async def test_from_https_to_http_nothing_is_followed(bench: Bench, secured: Listener) -> None:
    secured.answers = [pointing(bench.base)]
    assert (await bench.send(get(f"https://shop.example:{secured.port}/"))).code == "http.blocked"
    assert bench.listener.connections == 0


async def test_from_http_to_https_is_followed(bench: Bench, secured: Listener) -> None:
    bench.listener.answers = [pointing(f"https://shop.example:{secured.port}/")]
    assert (await bench.get()).code is None
    assert secured.connections == 1


async def test_plain_http_where_tls_is_spoken_and_the_other_way_round_is_refused(bench: Bench, secured: Listener) -> None:
    assert (await bench.send(get(f"http://shop.example:{secured.port}/"))).code == "http.refused"
    deaf = OutboundRequest(method="GET", url=bench.base.replace("http:", "https:"), timeout=200)
    assert (await bench.send(deaf)).code == "http.timeout"  # it waits for the end of a head that never comes


async def test_a_handshake_that_hangs_ends_in_time_and_leaves_nothing_open(bench: Bench) -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"https://shop.example:{server.sockets[0].getsockname()[1]}/"
    assert (await bench.send(OutboundRequest(method="GET", url=url, timeout=100))).code == "http.timeout"
    await asyncio.wait_for(gone.wait(), 30)
    server.close()
    await server.wait_closed()
    gc.collect()  # a connection left open would warn now


async def test_every_request_has_a_connection_of_its_own_that_ends_with_it(bench: Bench) -> None:
    ended = asyncio.Semaphore(0)

    async def stay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(plain(b"done", "200 OK", "Connection: keep-alive"))
        assert await reader.read() == b""
        ended.release()

    bench.listener.answers = [stay]
    client = bench.client("shop.example")
    for _ in range(3):
        assert (await client.send(get(bench.base))).code is None
        await asyncio.wait_for(ended.acquire(), 30)
    assert bench.listener.connections == 3


async def test_no_more_requests_are_under_way_than_the_client_allows(bench: Bench) -> None:
    under_way, most = 0, 0

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        writer.write(plain(b"done"))

    bench.listener.answers = [count]
    client = bench.client("shop.example", at_once=3)
    outcomes = await asyncio.gather(*[client.send(get(bench.base)) for _ in range(20)])
    assert {outcome.code for outcome in outcomes} == {None}
    assert most == 3


async def test_whose_requests_all_hang_leaves_places_to_others(bench: Bench) -> None:
    go_on, under_way = asyncio.Event(), asyncio.Semaphore(0)

    async def stay(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.release()
        await go_on.wait()
        writer.write(plain(b"late"))

    def asked(owner: str) -> OutboundRequest:
        return OutboundRequest(method="GET", url=bench.base, owner=owner)

    client = bench.client("shop.example", at_once=4)
    bench.listener.answers = [stay, stay, stay, plain(b"at once"), plain(b"late")]
    hanging = [asyncio.create_task(client.send(asked("greedy"))) for _ in range(9)]
    for _ in range(3):
        await under_way.acquire()
    other = await client.send(asked("other"))
    assert other.answer is not None
    assert (other.answer.text, bench.listener.connections) == ("at once", 4)
    go_on.set()
    assert {outcome.code for outcome in await asyncio.gather(*hanging)} == {None}


@many_loopbacks
async def test_an_address_that_takes_no_connection_gives_way_to_the_next(bench: Bench) -> None:
    bench.names.answers["shop.example"] = [["127.0.0.3", "127.0.0.1"]]
    outcome = await bench.get()
    assert outcome.code is None
    assert (bench.listener.connections, bench.names.asked) == (1, ["shop.example"])


@many_loopbacks
async def test_an_address_that_says_nothing_costs_a_part_of_the_time_alone(bench: Bench) -> None:
    bench.names.answers["shop.example"] = [["127.0.0.3", "127.0.0.1"]]
    with dead_end("127.0.0.3", bench.listener.port):
        outcome = await bench.send(OutboundRequest(method="GET", url=bench.base, timeout=2_000))
        assert (outcome.code, bench.listener.connections) == (None, 1)
        bench.names.answers["shop.example"] = [["127.0.0.3"]]
        outcome = await bench.send(OutboundRequest(method="GET", url=bench.base, timeout=200))
        assert (outcome.code, bench.listener.connections) == ("http.timeout", 1)


@contextmanager
def dead_end(host: str, port: int) -> Iterator[None]:
    """An address where a connection is neither taken nor refused: its queue is full, and nobody comes."""
    with ExitStack() as stack:
        door = stack.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(door.getsockname())
        yield


async def test_an_ipv6_address_is_asked_by_its_brackets(bench: Bench) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    async with listening("::1") as other:
        assert (await bench.send(get(f"http://[0:0::1]:{other.port}/"), ("[::1]",))).code is None
        assert other.heads[0]["host"] == f"[::1]:{other.port}"


async def test_a_request_that_is_cancelled_closes_its_connection(bench: Bench) -> None:
    gone = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()

    bench.listener.answers = [hang]
    task = asyncio.create_task(bench.get())
    await bench.listener.asked.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    await asyncio.wait_for(gone.wait(), 30)


async def test_nothing_of_a_request_or_an_answer_is_logged_above_debug(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.listener.answers = [plain(b"sesame", "200 OK", "X-Echo: sesame"), b"sesame\r\n\r\n"]
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            await bench.send(OutboundRequest(method="GET", url=bench.base + "/?k=sesame", headers={"X-Key": "sesame"}))
    assert caplog.records == []


async def test_names_are_looked_up_beside_the_loop_in_threads_that_hold_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def ask(host: bytes, *_: object, **__: object) -> list[tuple[object, ...]]:
        threads.append(threading.current_thread())
        return [(2, 1, 6, "", (address, 0)) for address in ("127.0.0.1", "127.0.0.2", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    assert await SystemResolver()("shop.example", None) == ["127.0.0.1", "127.0.0.2"]
    assert threads[0].daemon
    assert threads[0] is not threading.main_thread()


@pytest.mark.parametrize("error", [socket.gaierror(-2, "x"), OSError(), UnicodeError(), []])
async def test_a_look_up_that_finds_nothing_is_a_failure_by_name(monkeypatch: pytest.MonkeyPatch, error: Exception | list[object]) -> None:
    def ask(*_: object, **__: object) -> list[object]:
        if isinstance(error, Exception):
            raise error
        return error

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    with pytest.raises(SendFailed) as failure:
        await SystemResolver()("shop.example", None)
    assert failure.value.code == "http.dns"


async def test_look_ups_that_hang_keep_their_places_until_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def ask(*_: object, **__: object) -> list[object]:
        begun.release()
        go_on.wait(30)
        return [(2, 1, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    resolver = SystemResolver()
    hanging = [asyncio.create_task(resolver("shop.example", None)) for _ in range(16)]
    for _ in range(16):
        await asyncio.to_thread(begun.acquire)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    waiting = asyncio.create_task(resolver("shop.example", None))
    await asyncio.sleep(0)
    assert not begun.acquire(blocking=False)
    go_on.set()
    assert await waiting == ["127.0.0.1"]


async def test_whose_look_ups_all_hang_leaves_places_to_others(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def ask(host: bytes, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host == b"hangs.example":
            begun.release()
            go_on.wait(30)
        return [(2, 1, 6, "", ("127.0.0.1", 0))]

    def asked(owner: str, host: str) -> OutboundRequest:
        return OutboundRequest(method="GET", url=f"http://{host}:{bench.listener.port}", owner=owner)

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    client = OutboundClient(["shop.example", "hangs.example"])
    hanging = [asyncio.create_task(client.send(asked("greedy", "hangs.example"))) for _ in range(20)]
    for _ in range(12):
        await asyncio.to_thread(begun.acquire)
    assert (await client.send(asked("other", "shop.example"))).code is None
    assert not begun.acquire(blocking=False)
    go_on.set()
    assert {outcome.code for outcome in await asyncio.gather(*hanging)} == {None}
