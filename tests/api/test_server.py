"""The application behind a real server on a real socket and a real database file."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from api import health
from api.app import stop_taking_requests
from tests.api.served import Served, serving, session
from tests.api.world import CHAT

TRIGGER = {"text": "hello", "intentName": "order_status"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Served, httpx.AsyncClient]]:
    async with serving(tmp_path / "baton.db") as opened:
        yield opened


async def test_a_conversation_goes_over_a_socket(served: tuple[Served, httpx.AsyncClient]) -> None:
    _, client = served
    headers = await session(client)
    reply = (await client.post(f"{CHAT}/messages", json=TRIGGER, headers=headers)).json()["reply"]
    body = {"waitToken": reply["waitToken"], "executionId": reply["executionId"], "text": "A-1"}
    answers = await asyncio.gather(*(client.post(f"{CHAT}/messages", json=body, headers=headers) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    assert {answer.json()["details"]["reason"] for answer in answers if answer.status_code == 409} == {"used"}


async def test_ten_megabytes_in_chunks_are_refused_early(served: tuple[Served, httpx.AsyncClient]) -> None:
    place, client = served
    headers = await session(client)
    head = f"POST {CHAT}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: {headers['authorization']}\r\nContent-Type: application/json\r\n"
    chunked = head.encode() + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = await place.raw(chunked, b"11170\r\n" + b"x" * 70_000 + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 413")
    declared = await place.raw(head.encode() + b"Content-Length: 10485760\r\n\r\n")
    assert declared.startswith(b"HTTP/1.1 413")


async def test_a_client_that_hangs_up_in_the_middle_leaves_nothing_behind(served: tuple[Served, httpx.AsyncClient]) -> None:
    place, client = served
    headers = await session(client)
    head = f"POST {CHAT}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: {headers['authorization']}\r\nContent-Type: application/json\r\n"
    await place.raw(head.encode() + b"Content-Length: 100\r\n\r\n" + b'{"text": ', hang_up=True)
    assert (await client.post(f"{CHAT}/messages", json=TRIGGER, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "target", [b"/%00", b"/%ff%fe", b"//", b"/../../etc/passwd", b"/api/public/v1/chat/executions/%2F%00", b"/schema?%ED%A0%80"]
)
async def test_odd_targets_are_no_server_error(served: tuple[Served, httpx.AsyncClient], target: bytes) -> None:
    place, _ = served
    answer = await place.raw(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.split(b" ", 2)[1][:1] in (b"2", b"4")


@pytest.mark.parametrize(
    "sent",
    [
        b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["unknown method", "TLS", "raw bytes in the path", "NUL in a header", "negative length", "long path"],
)
async def test_what_is_no_request_is_refused_in_the_shape_that_every_refusal_has(
    served: tuple[Served, httpx.AsyncClient], sent: bytes
) -> None:
    place, _ = served
    head, _, body = (await place.raw(sent)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nx-request-id: " in head
    refusal = json.loads(body)
    assert (set(refusal), refusal["error"]) == ({"error", "message", "details"}, "invalid_input")


async def test_a_database_that_somebody_else_keeps_locked_is_not_ready_and_says_so_in_time(
    served: tuple[Served, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, client = served
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    with closing(sqlite3.connect(place.path, isolation_level=None, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")  # the server, which may be writing, is of this process
        answers = await asyncio.gather(*(client.get("/health/ready", timeout=2) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {503}
        assert {answer.json()["details"]["database"] for answer in answers} == {False}
        assert all(answer.headers["retry-after"] for answer in answers)
        other.execute("ROLLBACK")
    monkeypatch.setattr(health, "PATIENCE", 10)
    assert (await client.get("/health/ready", timeout=20)).status_code == 200


async def test_who_asks_again_within_a_second_costs_no_commit(served: tuple[Served, httpx.AsyncClient]) -> None:
    place, client = served
    answers = await asyncio.gather(*(client.get("/health/ready") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    with closing(sqlite3.connect(place.path)) as connection:
        assert connection.execute("SELECT value <= 2 FROM meta WHERE name = 'proofs'").fetchall() == [(1,)]


async def test_a_stop_ends_long_polls_within_its_time(tmp_path: Path) -> None:
    async with serving(tmp_path / "baton.db") as (place, client):
        headers = await session(client)
        reply = (await client.post(f"{CHAT}/messages", json=TRIGGER, headers=headers)).json()["reply"]
        poll = asyncio.create_task(client.get(f"{CHAT}/executions/{reply['executionId']}?wait=30", headers=headers, timeout=40))
        while not place.runtime.executor.bulletin._waiting:  # noqa: ASYNC110, SLF001 - nobody else tells that it has begun
            await asyncio.sleep(0.005)
        stop_taking_requests(place.server.config.app)  # type: ignore[arg-type] # it is ours
        assert (await asyncio.wait_for(poll, 3)).status_code == 200
