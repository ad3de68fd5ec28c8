"""Requests that do not end: each is bounded in bytes and in time, and the requests before it are answered all the same."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from api.protocol import MOST_HEAD_BYTES, BoundedProtocol
from tests.api.served import Served, serving, session
from tests.api.world import CHAT

LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
POST = f"POST {CHAT}/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()


class Impatient(BoundedProtocol):
    patience = 0.3


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Served, httpx.AsyncClient]]:
    async with serving(tmp_path_factory.mktemp("served") / "baton.db", Impatient) as opened:
        yield opened


def said(answer: bytes) -> tuple[int, str]:
    """The status of an answer, and the message of its error."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)["details"]["errors"][0]["message"]


@pytest.mark.parametrize("piece", [b"X-More: " + b"a" * 1_000 + b"\r\n", b"a" * 1_000], ids=["many headers", "one that does not end"])
async def test_a_head_that_does_not_end_is_refused(served: tuple[Served, httpx.AsyncClient], piece: bytes) -> None:
    place, client = served
    begun = b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-One: "
    answer = await place.raw(begun, *[piece] * (MOST_HEAD_BYTES // len(piece) + 1))
    assert answer.startswith(b"HTTP/1.1 400")
    assert (await client.get("/health/live")).status_code == 200


async def test_heads_are_counted_one_by_one(served: tuple[Served, httpx.AsyncClient]) -> None:
    _, client = served
    large = {"X-Large": "a" * 40_000}
    assert [(await client.get("/health/live", headers=large)).status_code for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("before", [b"", LIVE + b"\r\n"], ids=["first", "behind another"])
@pytest.mark.parametrize(
    "head", [LIVE + b"X-Large: " + b"a" * 70_000, LIVE + b"X: y\r\n" * 12_000, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x"]
)
async def test_a_head_that_is_too_large_is_refused_though_it_comes_in_one_piece(
    served: tuple[Served, httpx.AsyncClient], before: bytes, head: bytes
) -> None:
    place, _ = served
    answer = await place.raw(before + head + b"\r\n\r\n")
    if before:
        first, _, answer = answer.partition(b'{"status":"live"}')
        assert first.startswith(b"HTTP/1.1 200")
    assert said(answer)[0] == 400


@pytest.mark.parametrize(
    "begun",
    [
        b"G",
        LIVE,
        LIVE + b"X-One: a",
        POST + b"Content-Length: 100\r\n\r\n{",
        POST + b"Content-Length: 100\r\nAuthorization: SESSION\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\nAuthorization: SESSION\r\n\r\n1\r\n{\r\n",
        LIVE + b"Content-Length: 1\r\n\r\n",
    ],
)
async def test_what_does_not_end_in_time_is_let_go(served: tuple[Served, httpx.AsyncClient], begun: bytes) -> None:
    place, client = served
    token = (await session(client))["authorization"].encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(begun.replace(b"SESSION", token))
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert b" 500 " not in answer
    assert answer.count(b"HTTP/1.1 ") == 1
    if not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 401")):  # it was answered before it had ended
        assert said(answer) == (400, "The request has not come to its end within 0.3 seconds.")


@pytest.mark.parametrize("piece", [b"\r\n", b"x"], ids=["empty lines", "a byte of the body after the other"])
async def test_bytes_that_go_on_and_on_win_no_time(served: tuple[Served, httpx.AsyncClient], piece: bytes) -> None:
    place, client = served
    token = (await session(client))["authorization"].encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    if piece == b"x":
        writer.write(POST + b"Authorization: " + token + b"\r\nContent-Length: 60000\r\n\r\n")
    ended = asyncio.create_task(reader.read())
    async with asyncio.timeout(10):
        while not ended.done():
            writer.write(piece)
            await asyncio.wait({ended}, timeout=0.05)
    writer.close()
    assert b" 200 " not in ended.result()


async def test_a_connection_that_says_nothing_is_let_go(served: tuple[Served, httpx.AsyncClient]) -> None:
    place, _ = served
    assert await asyncio.wait_for(place.raw(), 5) == b""


async def test_who_is_answered_before_the_end_and_then_falls_silent_is_let_go(served: tuple[Served, httpx.AsyncClient]) -> None:
    place, _ = served
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(POST + b"Content-Length: 70000\r\n\r\n")
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 413")
    writer.write(b"x" * 70_000)
    await asyncio.wait_for(reader.read(), 5)
    writer.close()


async def test_an_answer_may_take_longer_than_a_request(served: tuple[Served, httpx.AsyncClient]) -> None:
    place, client = served
    headers = await session(client)
    body = {"text": "hello", "intentName": "order_status"}
    run = (await client.post(f"{CHAT}/messages", json=body, headers=headers)).json()["reply"]["executionId"]
    poll = f"GET {CHAT}/executions/{run}?wait=1 HTTP/1.1\r\nHost: x\r\nAuthorization: {headers['authorization']}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(poll + LIVE)  # the second one is behind the first, and has not ended
    answers = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    first, _, second = answers.partition(b"HTTP/1.1 400")
    assert first.startswith(b"HTTP/1.1 200")
    assert second


async def test_what_is_no_request_behind_one_is_answered_behind_it(served: tuple[Served, httpx.AsyncClient]) -> None:
    place, _ = served
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(LIVE + b"\r\n" + LIVE + b"\r\n" + b"NONSENSE\r\n\r\n")
    answers = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"400"]


async def test_a_body_may_not_be_framed_by_more_than_it_is(served: tuple[Served, httpx.AsyncClient]) -> None:
    place, client = served
    token = (await session(client))["authorization"].encode()
    head = POST + b"Authorization: " + token + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    trailers = [b"1\r\n{\r\n0\r\n", *[b"X-Trailer: " + b"a" * 1_000 + b"\r\n"] * 100]
    assert said(await place.raw(head, *trailers))[0] == 400
    single = b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"text": "' + b"a" * 3_000 + b'", "intentName": "order_status"}')
    assert (await place.raw(head, single, b"0\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_an_answer_that_nobody_takes_is_not_kept_for_ever(served: tuple[Served, httpx.AsyncClient]) -> None:
    place, _ = served
    others = {*place.server.server_state.connections}
    _, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1)
    asked = b"GET /static/swagger/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n"
    writer.write((asked + b"\r\n") * 9 + asked + b"Connection: close\r\n\r\n")
    await writer.drain()
    while not place.server.server_state.connections - others:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    async with asyncio.timeout(10):
        while place.server.server_state.connections - others:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.02)
    assert not writer.transport.is_closing()  # the client has not moved: it is the server that let go
    writer.transport.abort()
