"""A mixed load in which every request is sent one to five times, its copies in random order among those of all others."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.errors import Refused, TurnInProgress
from engine.runtime.executor import Executor, Taken
from engine.runtime.invariants import check_invariants
from engine.runtime.replies import Announcement
from engine.runtime.requests import Caller, CancelRequest, Idempotency, ResumeRequest, SignalRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from scripts.proving.shell import TENANT, customer, opened_shell

_MOST: Final = 5
_TOGETHER: Final = 30
Send = Callable[[Executor], Awaitable[Any]]


class Repeated(Struct, frozen=True):
    """What came of it."""

    requests: int
    sent: int
    unequal: int
    """Copies that were answered otherwise than the first."""
    extra: int
    """Turns that there are beside one for each trigger, answer and cancel."""
    broken: list[str]
    seconds: float


def prove(folder: Path, conversations: int, seed: int = 0) -> Repeated:
    """So many conversations of five to fifteen requests each."""
    return asyncio.run(_load(folder / "repeats.db", conversations, random.Random(seed)))  # noqa: S311 - chance, no secret


async def _load(database: Path, conversations: int, chance: random.Random) -> Repeated:
    async with opened_shell(database) as (runtime, _):
        begun = time.monotonic()
        load = _Load(runtime, chance)
        turn = asyncio.Semaphore(_TOGETHER)

        async def converse() -> None:
            async with turn:
                await load.converse(await customer(runtime))

        await asyncio.gather(*(converse() for _ in range(conversations)))
        await load.deliver_late()
        seconds = time.monotonic() - begun
        turns = [await runtime.store.turns(TENANT, run) for run in load.runs]
        extra = sum(map(len, turns)) - load.turns
    return Repeated(load.requests, load.sent, load.unequal, extra, check_invariants(database), seconds)


class _Load:
    """What is sent, and what is still to come late."""

    def __init__(self, runtime: Runtime, chance: random.Random) -> None:
        self._runtime = runtime
        self._chance = chance
        self._late: list[tuple[Send, bytes]] = []
        self.requests = self.sent = self.unequal = self.turns = 0
        self.runs: list[str] = []

    async def converse(self, caller: Caller) -> None:
        """A trigger, answers, now and then an event that concerns nobody, and in the end a word or a cancel."""
        asked = TriggerRequest(intent="talk", text="hi", idempotency=self._key("trigger"))
        reply = (await self._send(lambda executor: executor.trigger(caller, asked))).reply
        self.runs.append(reply.execution_id)
        self.turns += 1
        for left in reversed(range(self._chance.randint(3, 13))):
            if self._chance.random() < 1 / 8:
                event = SignalRequest(name="nobody.listens", data=left, idempotency=self._key(f"event {left}"))
                await self._send(lambda executor, event=event: executor.signal(TENANT, event))  # type: ignore[misc]
            if not left and self._chance.random() < 1 / 4:
                break
            assert reply.wait_id is not None
            token = self._runtime.keyring.wait_token(TENANT, reply.wait_id)
            answer = ResumeRequest(
                run_id=reply.execution_id, wait_token=token, text="more" if left else "stop", idempotency=self._key(f"answer {left}")
            )
            reply = (await self._send(lambda executor, answer=answer: executor.resume(caller, answer))).reply  # type: ignore[misc]
            self.turns += 1
        if reply.status == "waiting_input":
            cancel = CancelRequest(run_id=reply.execution_id, idempotency=self._key("cancel"))
            await self._send(lambda executor: executor.cancel(caller, cancel))
            self.turns += 1

    async def deliver_late(self) -> None:
        """The copies that are left, in whatever order."""
        self._chance.shuffle(self._late)
        await asyncio.gather(*(self._again(send, first) for send, first in self._late))

    def _key(self, what: str) -> Idempotency:
        return Idempotency("proof", f"request {self.requests}", what.encode())

    async def _send(self, send: Send) -> Any:
        """The first answer; some copies are sent at the same time, some when others of any conversation are, some at the very end."""
        self.requests += 1
        copies = self._chance.randint(1, _MOST)
        together = self._chance.randint(1, copies)
        answers = await asyncio.gather(*(self._answer(send) for _ in range(together)))
        first = _bytes(answers[0])
        self.unequal += sum(_bytes(answer) != first for answer in answers)
        self._late += [(send, first)] * (copies - together)
        while self._late and self._chance.random() < 1 / 2:
            await self._again(*self._late.pop(self._chance.randrange(len(self._late))))
        return answers[0]

    async def _again(self, send: Send, first: bytes) -> None:
        self.unequal += _bytes(await self._answer(send)) != first

    async def _answer(self, send: Send) -> Any:
        self.sent += 1
        while True:
            try:
                return await send(self._runtime.executor)
            except TurnInProgress:
                await asyncio.sleep(0)
            except Refused as refusal:
                return refusal


def _bytes(answer: Any) -> bytes:
    match answer:
        case Refused():
            return repr(answer).encode()
        case Taken():
            return msgspec.msgpack.encode(answer.reply)
        case Announcement():  # it says besides that the event had come before
            return msgspec.msgpack.encode(msgspec.structs.replace(answer, replayed=False))
        case _:
            return msgspec.msgpack.encode(answer)
