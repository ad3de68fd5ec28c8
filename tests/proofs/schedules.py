"""Random schedules of events, waits, deadlines and cancels, done on the real executor and compared with the model."""

import asyncio
import itertools
import random
import uuid
from collections.abc import Awaitable, Iterator
from contextvars import ContextVar
from typing import Any, Final

from msgspec import Struct

from engine.errors import ExecutionAborted, IdempotencyConflict, InvalidWaitToken
from engine.loading import Source
from engine.runtime.administration import publish
from engine.runtime.catalog import Catalog
from engine.runtime.executor import Executor
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, CancelRequest, Idempotency, ResumeRequest, SignalRequest, TriggerRequest
from engine.runtime.scheduler import Scheduler
from engine.runtime.store.port import DueWait, Noted, Order, Store
from engine.runtime.store.registry import Registry
from engine.runtime.tokens import Keyring
from engine.runtime.turns.signals import callback_name
from engine.testing.clock import ManualClock
from tests.proofs.model import LASTS, WATCHING, Arrives, Begins, Cancels, Happening, Kind, Passes, State, looked, outcomes

TENANT: Final = "0198d000-0000-7000-8000-000000000001"
_KINDS: Final[tuple[Kind, ...]] = ("A", "B", "C", "failed", "first called", "second called")
_seen: ContextVar[bool] = ContextVar("_seen", default=True)


class Schedule(Struct, frozen=True):
    """What happens to each run of a group, moment by moment; what happens at one moment has no order. Time goes by for all of them."""

    steps: tuple[tuple[tuple[Happening, ...], ...], ...]
    passes: tuple[Passes, ...]


class Wrong(Struct, frozen=True):
    """A run that came to something that it could not come to."""

    happened: list[Any]
    found: tuple[str, str]
    expected: list[tuple[str, str]]


class _Mortal(Executor):
    """Dies after it has kept what it took, where `_seen` says so: nobody looks after the waits that it concerns."""

    async def expire(self, due: DueWait, *, patient: bool = False) -> None:
        if _seen.get():
            await super().expire(due, patient=patient)


def drawn(chance: random.Random, runs: int) -> Schedule:
    """A schedule of three to seven moments."""
    numbers = itertools.count()
    begins = [chance.randrange(4) for _ in range(runs)]
    steps = [
        tuple(tuple(_drawn(chance, numbers, begins=moment == begins[run])) for run in range(runs)) for moment in range(chance.randint(3, 7))
    ]
    passes = tuple(Passes(chance.choice((0, 1, 1, LASTS // 2, LASTS - 1, LASTS)), chance.random() < 0.7) for _ in steps)
    return Schedule(tuple(steps), passes)


def _drawn(chance: random.Random, numbers: Iterator[int], *, begins: bool) -> Iterator[Happening]:
    if begins:
        yield Begins(chance.random() < 0.8)
    for _ in range(chance.choice((0, 1, 1, 2))):
        yield (
            Cancels()
            if chance.random() < 0.08
            else Arrives(chance.choice(_KINDS), next(numbers), chance.random() < 0.8, chance.randrange(3))
        )


class Group:
    """Runs that live through a schedule together."""

    def __init__(self, store: Store, catalog: Catalog, clock: ManualClock, numbers: Iterator[int]) -> None:
        self._keyring = Keyring([b"k" * 32])
        self._clock = clock
        self._store = store
        self._executor = _Mortal(store, catalog, self._keyring, clock, new_id=lambda _at: str(uuid.UUID(int=next(numbers))))
        self._scheduler = Scheduler(store, self._executor, catalog, clock)
        self._caller = Caller(tenant_id=TENANT, surface="engine")

    async def live(self, schedule: Schedule) -> list[Wrong]:
        """Those of its runs that came to what they could not come to."""
        self._clock.advance(1)  # what came before a run began does not concern it
        begun = await asyncio.gather(*(self._begin() for _ in schedule.steps[0]))
        states = [frozenset({State()}) for _ in begun]
        for step, passed in zip(schedule.steps, schedule.passes, strict=True):
            now = self._clock.wall()
            await asyncio.gather(*(self._happens(reply, one) for reply, several in zip(begun, step, strict=True) for one in several))
            await self._executor.settle()
            states = [outcomes(known, several, now) for known, several in zip(states, step, strict=True)]
            self._clock.advance(passed.time)
            if passed.awake:
                states = await self._sweep(states)
        states = await self._sweep(states)
        found = [await self._found(reply) for reply in begun]
        return [
            Wrong([step[run] for step in schedule.steps] + [*schedule.passes], found[run], sorted({(one.at, one.text) for one in known}))
            for run, known in enumerate(states)
            if found[run] not in {(one.at, one.text) for one in known}
        ]

    async def _begin(self) -> TurnReply:
        return (await self._executor.trigger(self._caller, TriggerRequest(intent="watching"))).reply

    async def _sweep(self, states: list[frozenset[State]]) -> list[frozenset[State]]:
        await self._scheduler.sweep()
        await self._executor.settle()
        return [frozenset(looked(state, self._clock.wall()) for state in known) for known in states]

    async def _happens(self, begun: TurnReply, happening: Happening) -> None:
        match happening:
            case Arrives(kind, n, seen, lag):
                for _ in range(lag):
                    await self._store.take(Order(tenant_id=TENANT), lambda _: (Noted(), None))
                await self._unless_dead(self._arrives(begun, kind, n), seen=seen)
            case Begins(seen):
                token = self._keyring.wait_token(TENANT, begun.wait_id or "")
                asked = ResumeRequest(run_id=begun.execution_id, wait_token=token, text="yes")
                await self._unless_dead(self._executor.resume(self._caller, asked), seen=seen)
            case Cancels():
                await self._unless_dead(self._executor.cancel(self._caller, CancelRequest(run_id=begun.execution_id)), seen=True)

    async def _unless_dead(self, happens: Awaitable[object], *, seen: bool) -> None:
        """In a task of its own, so that what it leaves behind knows whether anybody lives to see it."""
        _seen.set(seen)
        try:
            await happens
        except (InvalidWaitToken, ExecutionAborted, IdempotencyConflict):
            """The run was cancelled, or has ended, or was called back before."""

    async def _arrives(self, begun: TurnReply, kind: Kind, n: int) -> None:
        run_id, data = begun.execution_id, {"run": begun.execution_id, "order": kind, "n": n}
        match kind:
            case "first called" | "second called":
                name = callback_name(run_id, f"0/{kind.split(' ')[0]}/1")
                key = Idempotency("callback", name, str(n).encode())
                await self._executor.signal(TENANT, SignalRequest(name=name, data=data, run_id=run_id, idempotency=key))
            case "failed":
                await self._executor.signal(TENANT, SignalRequest(name="order.failed", data=data))
            case _:
                await self._executor.signal(TENANT, SignalRequest(name="order.paid", data=data))

    async def _found(self, begun: TurnReply) -> tuple[str, str]:
        """Where the run is, as the model calls it, and what it has said since it was begun."""
        reply = await self._executor.reader.latest(self._caller, begun.execution_id)
        texts = [block.payload["text"] for block in reply.blocks if block.payload["text"] != "Begin?"]
        assert len(texts) <= 1
        text = texts[0] if texts else ""
        match reply.status:
            case "completed":
                return "late" if text.endswith("late") else "both", text
            case "aborted":
                return "cancelled", text
            case _:
                return reply.node or "", text


async def shelved(registry: Registry) -> Catalog:
    """A catalog with the flow in it."""
    await publish(registry, TENANT, [Source("watching.yaml", WATCHING)], 1)
    catalog = Catalog(registry)
    await catalog.refresh()
    return catalog
