"""Real servers under load, killed and stopped: no acknowledged turn is lost, no accepted request fails, and deadlines hold."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.runtime.invariants import check_invariants
from tests.support.server import ServerProcess

CHAT = "/api/public/v1/chat"
TALKERS = 12
LOADED = 120
"""Turns that must have been answered before a server is killed or stopped, so that there is load."""
LATEST = 1.0
"""Seconds after its time within which a deadline must have acted."""
BUSY = {503}
"""What a stopping server may answer to a request that it has not accepted."""
FLOWS = {
    "talk": """
flow: talk
intent: {label: Talk}
nodes:
  say: {type: ask, prompt: "And then?", save: said, next: again}
  again: {type: switch, cases: [{when: "vars.said == 'stop'", next: end}], else: say}
""",
    "brief": """
flow: brief
intent: {label: Be quick}
nodes:
  quick: {type: ask, prompt: Quick!, timeout: {after: 2s, next: late}, next: end}
  late: {type: message, text: Too late., next: end}
""",
}
Reply = dict[str, Any]


@dataclass
class Talk:
    """One customer's conversation: what the server has acknowledged of it."""

    client: httpx.AsyncClient
    headers: dict[str, str]
    replies: list[Reply] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    dropped: int = 0
    """Requests whose bytes the server may have read, and that got no answer."""

    async def send(self, body: dict[str, Any]) -> Reply:
        answer = await self.client.post(f"{CHAT}/messages", json=body, headers=self.headers)
        if answer.status_code != httpx.codes.OK:
            self.refused.append(answer.status_code)
            raise ConnectionRefusedError
        reply: Reply = answer.json()["reply"]
        self.replies.append(reply)
        return reply

    async def start(self, intent: str) -> Reply:
        return await self.send({"text": "hello", "intentName": intent})

    async def go_on(self) -> Reply:
        last = self.replies[-1]
        if last["waitToken"] is None:  # the run has come to the bound on its turns
            return await self.start("talk")
        return await self.send({"waitToken": last["waitToken"], "executionId": last["executionId"], "text": f"turn {len(self.replies)}"})

    async def latest(self) -> Reply:
        answer = await self.client.get(f"{CHAT}/executions/{self.replies[-1]['executionId']}", headers=self.headers)
        reply: Reply = answer.json()["reply"]
        return reply

    async def until_nobody_answers(self) -> None:
        """Take turn after turn until the server has gone."""
        while True:
            try:
                await self.go_on()
            except (httpx.ConnectError, ConnectionRefusedError):
                return
            except httpx.TransportError:
                self.dropped += 1
                return


class Place:
    """A folder with flows, and one server after the other on its database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "baton.db"
        self.public_key = ""
        self.server: ServerProcess | None = None
        place = folder / "flows"
        place.mkdir()
        for name, text in FLOWS.items():
            (place / f"{name}.yaml").write_text(text, encoding="utf-8")

    def start(self) -> ServerProcess:
        settings = {"BATON_RATE_LIMIT_SESSIONS": "off", "BATON_RATE_LIMIT_MESSAGES": "off", "BATON_LOG_LEVEL": "warning"}
        self.server = ServerProcess(self.folder, "--dev", settings=settings)
        self.server.wait_until_ready()
        if not self.public_key:
            self.public_key, _ = self.server.read_keys()
        return self.server

    async def talk(self, client: httpx.AsyncClient) -> Talk:
        answer = await client.post(f"{CHAT}/sessions", json={"publicKey": self.public_key})
        return Talk(client, {"Authorization": f"Bearer {answer.json()['sessionToken']}"})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    opened = Place(tmp_path)
    yield opened
    if opened.server is not None:
        opened.server.stop(signal.SIGKILL)


async def talking(place: Place, client: httpx.AsyncClient) -> tuple[list[Talk], "asyncio.Future[list[None]]"]:
    """Conversations that go on at the same time until the server has gone; returned once there is load."""
    talks = [await place.talk(client) for _ in range(TALKERS)]
    await asyncio.gather(*(talk.start("talk") for talk in talks))
    work = asyncio.ensure_future(asyncio.gather(*(talk.until_nobody_answers() for talk in talks)))
    await until(lambda: sum(len(talk.replies) for talk in talks) >= LOADED)
    return talks, work


async def until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110 - what is waited for happens on the other side of a socket
        await asyncio.sleep(0.005)


def connected(server: ServerProcess) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, timeout=30)


async def test_after_a_kill_every_acknowledged_turn_is_there_and_its_token_is_good(place: Place) -> None:
    server = place.start()
    async with connected(server) as client:
        talks, work = await talking(place, client)
        server.process.send_signal(signal.SIGKILL)
        await work
    assert server.stop() == -signal.SIGKILL
    assert check_invariants(place.database) == []
    async with connected(place.start()) as client:
        for talk in talks:
            talk.client = client
            await found_whole(talk)
    assert check_invariants(place.database) == []


async def found_whole(talk: Talk) -> None:
    """What was acknowledged is stored as it was answered; at most the turn that got no answer is there as well."""
    acknowledged = talk.replies[-1]
    told = (await talk.client.get(f"{CHAT}/messages?conversationId={acknowledged['conversationId']}", headers=talk.headers)).json()
    turns = [message["turnId"] for message in told["messages"] if message["role"] == "assistant"]
    assert turns[: len(talk.replies)] == [reply["turnId"] for reply in talk.replies]
    assert len(turns) - len(talk.replies) <= talk.dropped
    latest = await talk.latest()
    if len(turns) == len(talk.replies):
        assert latest == acknowledged
    talk.replies.append(latest)
    assert (await talk.go_on())["status"] == "waiting_input"


async def test_deadlines_that_passed_while_nobody_served_act_within_a_second_of_the_start(place: Place) -> None:
    server = place.start()
    async with connected(server) as client:
        talks = [await place.talk(client) for _ in range(TALKERS)]
        due = [deadline_of(await talk.start("brief")) for talk in talks]
    server.stop(signal.SIGKILL)
    await asyncio.sleep(max(due) - time.time())
    async with connected(place.start()) as client:
        begun = time.monotonic()
        for talk in talks:
            talk.client = client
            await acted(talk)
        assert time.monotonic() - begun < LATEST
    assert check_invariants(place.database) == []


async def test_a_stop_under_load_answers_all_that_was_accepted_and_takes_less_than_five_seconds(
    place: Place, record_property: Callable[[str, object], None]
) -> None:
    server = place.start()
    async with connected(server) as client:
        talks, work = await talking(place, client)
        begun = time.monotonic()
        code = await asyncio.to_thread(server.stop)
        took = time.monotonic() - begun
        await work
    record_property("seconds", took)
    assert (code, took < 5) == (0, True)
    assert {status for talk in talks for status in talk.refused} <= BUSY
    assert [talk.dropped for talk in talks] == [0] * TALKERS
    assert check_invariants(place.database) == []
    async with connected(place.start()) as client:
        for talk in talks:
            talk.client = client
            assert await talk.latest() == talk.replies[-1]


async def test_a_deadline_acts_within_a_second_of_its_time_idle_and_under_load(
    place: Place, record_property: Callable[[str, object], None]
) -> None:
    server = place.start()
    async with connected(server) as client:
        idle = await late_by(await place.talk(client))
        talks, work = await talking(place, client)
        loaded = await asyncio.gather(*[late_by(await place.talk(client)) for _ in range(3)])
        assert not work.done()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        turns = sum(len(talk.replies) for talk in talks)
    record_property("seconds late", {"idle": idle, "loaded": loaded, "turns beside": turns})
    assert 0 <= idle < LATEST
    assert all(0 <= late < LATEST for late in loaded)


async def late_by(talk: Talk) -> float:
    """Seconds from a deadline to the moment at which its customer heard that it had acted."""
    deadline = deadline_of(await talk.start("brief"))
    await acted(talk)
    return time.time() - deadline


async def acted(talk: Talk) -> None:
    """Return once the customer hears that time is up."""
    path = f"{CHAT}/executions/{talk.replies[-1]['executionId']}?wait=10"
    reply = (await talk.client.get(path, headers=talk.headers)).json()["reply"]
    assert (reply["status"], reply["blocks"][-1]["payload"]["text"]) == ("completed", "Too late.")


def deadline_of(reply: Reply) -> float:
    return datetime.fromisoformat(reply["waitExpiresAt"]).timestamp()
