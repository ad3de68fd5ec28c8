"""Customers who talk on the chat surface, each request with a key of its own, and who repeat what got no answer until it has one."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from msgspec import Struct

from tests.proofs.crashes import Place
from tests.proofs.mortal import Alive

CHAT: Final = "/api/public/v1/chat"
Reply = dict[str, Any]


class Gone(Exception):
    """The server died over a request, or is not there."""


class _Request(Struct, frozen=True):
    key: str
    body: dict[str, Any]


class Talker:
    """One customer: what was said and acknowledged, and what was asked and not answered yet."""

    def __init__(self, number: int, opened: dict[str, Any]) -> None:
        self._headers = {"Authorization": f"Bearer {opened['sessionToken']}"}
        self._conversation = opened["conversationId"]
        self._keys = (f"{number}-{count}" for count in itertools.count())
        self._open: _Request | None = None
        self.replies: list[Reply] = []
        self.said: list[str] = []
        self.dropped = 0
        """Requests that may have reached the server and got no answer."""
        self.replayed = 0
        """Repeats whose turn had been taken before."""
        self.refused: list[httpx.Response] = []

    async def speak(self, client: httpx.AsyncClient) -> httpx.Response:
        """Ask what is open, or else go on; raises Gone where no answer comes."""
        request = self._open = self._open or self._next()
        headers = {**self._headers, "Idempotency-Key": request.key}
        try:
            answer = await client.post(f"{CHAT}/messages", json=request.body, headers=headers)
        except httpx.ConnectError as error:
            raise Gone from error
        except httpx.TransportError as error:
            self.dropped += 1
            raise Gone from error
        if answer.status_code == httpx.codes.OK:
            self._take(request, answer)
        else:
            self.refused.append(answer)
        return answer

    async def speak_until_gone(self, client: httpx.AsyncClient, pause: float = 0.0) -> None:
        """Turn after turn."""
        while True:
            try:
                await self.speak(client)
            except Gone:
                return
            await asyncio.sleep(pause)

    async def latest(self, client: httpx.AsyncClient) -> Reply:
        """What is true of the run now."""
        answer = await client.get(f"{CHAT}/executions/{self.replies[-1]['executionId']}", headers=self._headers)
        assert answer.status_code == httpx.codes.OK, answer.text
        reply: Reply = answer.json()["reply"]
        return reply

    async def wrong(self, client: httpx.AsyncClient) -> list[str]:
        """What the server tells otherwise than it was acknowledged: nothing lost, nothing doubled, nothing that was not asked for."""
        answer = await client.get(f"{CHAT}/messages", params={"conversationId": self._conversation}, headers=self._headers)
        messages = answer.json()["messages"]
        said = [message["text"] for message in messages if message["role"] == "user"]
        told = [(message["turnId"], block["id"]) for message in messages if message["role"] == "assistant" for block in message["blocks"]]
        expected = [(reply["turnId"], block["id"]) for reply in self.replies for block in reply["blocks"]]
        return [
            *([f"the customer said {self.said}, and is told {said}"] if said != self.said else []),
            *([f"the customer was told {expected}, and is told {told}"] if told != expected else []),
        ]

    def _next(self) -> _Request:
        text = f"turn {len(self.said)}"
        waiting = self.replies[-1] if self.replies else None
        if waiting is None or waiting["waitToken"] is None:
            return _Request(next(self._keys), {"text": text, "intentName": "chatting"})
        return _Request(next(self._keys), {"text": text, "waitToken": waiting["waitToken"], "executionId": waiting["executionId"]})

    def _take(self, request: _Request, answer: httpx.Response) -> None:
        self.replies.append(answer.json()["reply"])
        self.said.append(request.body["text"])
        self.replayed += "idempotent-replayed" in answer.headers
        self._open = None


async def talkers(place: Place, client: httpx.AsyncClient, count: int) -> list[Talker]:
    """So many customers, each with an open session."""
    opened = await asyncio.gather(*(client.post(f"{CHAT}/sessions", json={"publicKey": place.public_key}) for _ in range(count)))
    return [Talker(number, answer.json()) for number, answer in enumerate(opened)]


async def all_wrong(client: httpx.AsyncClient, people: Iterable[Talker]) -> list[str]:
    """What is wrong for any of them."""
    return [one for found in await asyncio.gather(*(talker.wrong(client) for talker in people)) for one in found]


@asynccontextmanager
async def chatting(alive: Alive) -> AsyncIterator[httpx.AsyncClient]:
    """A browser for many customers, each of whom keeps a connection."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{alive.port}", timeout=30, limits=limits, trust_env=False) as client:
        yield client
