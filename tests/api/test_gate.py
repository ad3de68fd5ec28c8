"""What becomes of a request that is still at work when the server's patience is over."""

import asyncio

import msgspec
import pytest
from litestar.types import HTTPReceiveMessage, Message, Receive, Scope, Send

from api.gate import Gate
from api.origins import OriginRules
from tests.api.world import opened_world


async def stuck(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


async def nothing() -> HTTPReceiveMessage:
    return {"type": "http.disconnect"}


async def cancelled(*, closed: bool) -> tuple[asyncio.Task[None], list[Message]]:
    """A request that is cancelled while it is at work, and what was sent for it."""
    sent: list[Message] = []

    async def send(event: Message) -> None:
        sent.append(event)

    async with opened_world() as world:
        gate = Gate(stuck, world.runtime, OriginRules(world.runtime.catalog, world.runtime.clock.monotonic, dev=False))
        scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "state": {}}  # type: ignore[assignment]
        task = asyncio.create_task(gate(scope, nothing, send))
        await asyncio.sleep(0)
        if closed:
            gate.close()
        task.cancel()
        await asyncio.wait({task})
    return task, sent


async def test_what_a_stop_cuts_off_is_told_to_come_again() -> None:
    task, sent = await cancelled(closed=True)
    assert not task.cancelled()
    head, body = sent
    assert (head["type"], body["type"]) == ("http.response.start", "http.response.body")
    assert head["status"] == 503  # type: ignore[typeddict-item]
    assert (b"retry-after", b"2") in head["headers"]  # type: ignore[typeddict-item]
    assert msgspec.json.decode(body["body"])["error"] == "unavailable"  # type: ignore[typeddict-item]


async def test_what_is_cancelled_otherwise_is_left_so() -> None:
    task, sent = await cancelled(closed=False)
    assert sent == []
    with pytest.raises(asyncio.CancelledError):
        task.result()
