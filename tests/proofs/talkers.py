"""Customers who talk on the chat surface, each request with a key of its own, and who repeat what got no answer until it has one."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from msgspec import Struct

from tests.proofs.crashes import Place
from tests.proofs.line import Absent, Dropped, Line, Told
from tests.proofs.mortal import Alive

CHAT: Final = "/api/public/v1/chat"
OK: Final = 200
Reply = dict[str, Any]


class Request(Struct, frozen=True):
    """What a customer sends, again and again until there is an answer."""

    key: str
    body: dict[str, Any]


class Talker:
    """One customer: what was said and acknowledged, and what was asked and not answered yet."""

    def __init__(self, number: int, opened: dict[str, Any]) -> None:
        self.headers = {"Authorization": f"Bearer {opened['sessionToken']}"}
        self.line = Line(0)
        self._conversation = opened["conversationId"]
        self._keys = (f"{number}-{count}" for count in itertools.count())
        self._open: Request | None = None
        self.replies: list[Reply] = []
        self.said: list[str] = []
        self.dropped = 0
        """Requests that may have reached the server and got no answer."""
        self.replayed = 0
        """Repeats whose turn had been taken before."""
        self.refused: list[Told] = []

    async def speak(self) -> Told:
        """Ask what is open, or else go on; raises Absent or Dropped where no answer comes."""
        request = self.request()
        try:
            answer = await self.line.ask("POST", f"{CHAT}/messages", request.body, {**self.headers, "Idempotency-Key": request.key})
        except Dropped:
            self.dropped += 1
            raise
        if answer.status == OK:
            self._take(request, answer)
        else:
            self.refused.append(answer)
        return answer

    async def speak_until_gone(self) -> None:
        """Turn after turn."""
        while True:
            try:
                if (await self.speak()).status != OK:
                    await asyncio.sleep(0.05)
            except (Absent, Dropped):
                return

    def request(self) -> Request:
        """What is open, or what comes next, which is open from now on."""
        self._open = self._open or self._next()
        return self._open

    async def latest(self) -> Reply:
        """What is true of the run now."""
        answer = await self.line.ask("GET", f"{CHAT}/executions/{self.replies[-1]['executionId']}", headers=self.headers)
        assert answer.status == OK, answer
        reply: Reply = answer.json()["reply"]
        return reply

    async def wrong(self) -> list[str]:
        """What the server tells otherwise than it was acknowledged: nothing lost, nothing doubled, nothing that was not asked for."""
        answer = await self.line.ask("GET", f"{CHAT}/messages?conversationId={self._conversation}", headers=self.headers)
        messages = answer.json()["messages"]
        said = [message["text"] for message in messages if message["role"] == "user"]
        told = [(message["turnId"], block["id"]) for message in messages if message["role"] == "assistant" for block in message["blocks"]]
        expected = [(reply["turnId"], block["id"]) for reply in self.replies for block in reply["blocks"]]
        return [
            *([f"the customer said {self.said}, and is told {said}"] if said != self.said else []),
            *([f"the customer was told {expected}, and is told {told}"] if told != expected else []),
        ]

    def _next(self) -> Request:
        text = f"turn {len(self.said)}"
        waiting = self.replies[-1] if self.replies else None
        if waiting is None or waiting["waitToken"] is None:
            return Request(next(self._keys), {"text": text, "intentName": "chatting"})
        return Request(next(self._keys), {"text": text, "waitToken": waiting["waitToken"], "executionId": waiting["executionId"]})

    def _take(self, request: Request, answer: Told) -> None:
        self.replies.append(answer.json()["reply"])
        self.said.append(request.body["text"])
        self.replayed += "idempotent-replayed" in answer.headers
        self._open = None


async def talkers(place: Place, alive: Alive, count: int) -> list[Talker]:
    """So many customers, each with an open session."""
    async with Line(alive.port) as line:
        opened = [await line.ask("POST", f"{CHAT}/sessions", {"publicKey": place.public_key}) for _ in range(count)]
    return [Talker(number, answer.json()) for number, answer in enumerate(opened)]


@asynccontextmanager
async def connected_to(alive: Alive, people: Sequence[Talker]) -> AsyncIterator[None]:
    """Let them talk to this server, each over a connection of its own."""
    for talker in people:
        talker.line = Line(alive.port)
    try:
        yield
    finally:
        for talker in people:
            talker.line.close()


async def all_wrong(people: Sequence[Talker]) -> list[str]:
    """What is wrong for any of them."""
    return [one for found in await asyncio.gather(*(talker.wrong() for talker in people)) for one in found]
