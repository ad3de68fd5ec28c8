"""Many tokens, each answered at its very deadline by one of several clients, while the sweep lets the same deadlines act."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from engine.errors import ExecutionAborted, InvalidWaitToken
from engine.runtime.invariants import check_invariants
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.testing.clock import ManualClock
from scripts.proving.shell import LASTS, TENANT, customer, opened_shell

CLIENTS: Final = 30
_A_MOMENT: Final = 20
"""Runs that begin in the same millisecond, so that deadlines come in small crowds."""
_AROUND: Final = (1, 1, 0, 0, -1)
"""Milliseconds before the deadline at which an answer is sent."""


class Race(Struct, frozen=True):
    """What came of it."""

    tokens: int
    answered: int
    expired: int
    left_over: int
    double: int
    """Tokens whose answer was taken although the deadline acted, or was refused although it did not."""
    broken: list[str]
    seconds: float


class _Token(Struct, frozen=True):
    caller: Caller
    reply: TurnReply
    deadline: int


def prove(folder: Path, tokens: int, seed: int = 0) -> Race:
    """Race them all."""
    return asyncio.run(_race(folder / "deadlines.db", tokens, random.Random(seed)))  # noqa: S311 - chance, no secret


async def _race(database: Path, count: int, chance: random.Random) -> Race:
    async with opened_shell(database) as (runtime, clock):
        tokens = await _begin(runtime, clock, count)
        clock.advance(tokens[0].deadline - 2 - runtime.store.now())
        begun = time.monotonic()
        taken = await _Racing(runtime, clock, tokens, chance).run()
        seconds = time.monotonic() - begun
        answered, expired, double = 0, 0, 0
        for token in tokens:
            turns = await runtime.store.turns(TENANT, token.reply.execution_id)
            events = [turn.event for turn in turns[1:]]
            answered += events == ["answered"]
            expired += events == ["timed_out"]
            double += (events == ["answered"]) != (token.reply.execution_id in taken) or len(events) > 1
        left = await runtime.store.next_due()
    return Race(
        count, answered, expired, count - answered - expired, double + (left is not None), check_invariants(database, bound=0), seconds
    )


async def _begin(runtime: Runtime, clock: ManualClock, count: int) -> list[_Token]:
    tokens: list[_Token] = []
    callers = [await customer(runtime) for _ in range(CLIENTS)]
    for first in range(0, count, _A_MOMENT):
        some = range(first, min(first + _A_MOMENT, count))
        asked = TriggerRequest(intent="once", text="hi")
        taken = await asyncio.gather(*(runtime.executor.trigger(callers[number % CLIENTS], asked) for number in some))
        deadline = runtime.store.now() + LASTS
        tokens += [_Token(callers[number % CLIENTS], one.reply, deadline) for number, one in zip(some, taken, strict=True)]
        clock.advance(1)
    return tokens


class _Racing:
    """The clients, the sweep, and the clock that goes on when all of a moment's answers are on their way."""

    def __init__(self, runtime: Runtime, clock: ManualClock, tokens: list[_Token], chance: random.Random) -> None:
        self._runtime = runtime
        self._clock = clock
        plan = [(token.deadline - chance.choice(_AROUND), token) for token in tokens]
        chance.shuffle(plan)
        self._plan = sorted(plan, key=lambda one: one[0])
        self._next: Iterator[tuple[int, _Token]] = iter(self._plan)
        self._chance = chance
        self._sent = 0
        self._over = False
        self._taken: set[str] = set()

    async def run(self) -> set[str]:
        """The runs whose answers were taken, as their clients were told."""
        sweep, clock = asyncio.create_task(self._sweep()), asyncio.create_task(self._go_on())
        await asyncio.gather(*(self._client() for _ in range(CLIENTS)))
        self._over = True
        await clock
        await sweep
        return self._taken

    async def _client(self) -> None:
        for moment, token in self._next:
            while self._runtime.store.now() < moment:
                await asyncio.sleep(0)
            assert token.reply.wait_id is not None
            wait_token = self._runtime.keyring.wait_token(TENANT, token.reply.wait_id)
            asked = ResumeRequest(run_id=token.reply.execution_id, wait_token=wait_token, text="yes")
            self._sent += 1
            try:
                await self._runtime.executor.resume(token.caller, asked)
                self._taken.add(token.reply.execution_id)
            except (InvalidWaitToken, ExecutionAborted):
                pass

    async def _go_on(self) -> None:
        """A millisecond passes once all of its answers are on their way, after a moment or at once: before, between and behind batches."""
        last = self._plan[-1][1].deadline + 2
        while (now := self._runtime.store.now()) < last:
            while self._sent < len(self._plan) and self._plan[self._sent][0] <= now:
                await asyncio.sleep(0)
            for _ in range(self._chance.randrange(12)):
                await asyncio.sleep(0)
            self._clock.advance(1)

    async def _sweep(self) -> None:
        while not self._over or await self._runtime.store.next_due() is not None:
            await self._runtime.scheduler.sweep()
            await asyncio.sleep(0)
