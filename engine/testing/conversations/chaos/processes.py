"""Processes that die: a store that lets go of its caller at a commit, and the shells that come one after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, TypeVar, cast

from engine.interpreter import decode_run
from engine.runtime.executor import Executor
from engine.runtime.ids import NewId
from engine.runtime.performing import Outside
from engine.runtime.store.port import Decide, Decision, Noted, Order, Record, RunFilter, Snapshot, Store
from engine.runtime.store.rows import EffectResultRow
from engine.runtime.turns.leases import released
from engine.testing.conversations.backstage import Build, Ids
from engine.testing.conversations.chaos.places import Place
from engine.testing.conversations.comparing import Mismatch

Answer = TypeVar("Answer")
Result = TypeVar("Result")

Moment = Literal["before", "after"]
Doom = Callable[[], Moment | None]
"""Asked at every commit at which a process may die unnoticed: whether it does so before it, after it, or not at all."""

_AT_ONCE: Final = 64
_MOST: Final = 200
"""Processes after which an input is lost: no turn has so many commits."""


class Killed(asyncio.CancelledError):
    """The process has died. Whatever it was about to do ends without a word, as what is cancelled does."""


class MortalStore:
    """The store as one process sees it; once that is dead, nothing of it comes through any more."""

    def __init__(self, inner: Store, ids: Ids, doom: Doom) -> None:
        self._inner = inner
        self._ids = ids
        self._doom = doom
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        self._demand_alive()
        return getattr(self._inner, name)

    async def take(self, order: Order, decide: Decide[Answer]) -> Answer:
        """Load, decide, save; or die before or after the commit."""
        self._demand_alive()
        moment: Moment | None = None

        def decided(snapshot: Snapshot) -> tuple[Decision, Answer]:
            nonlocal moment
            last = self._ids.last
            decision, answer = decide(snapshot)
            moment = self._doom() if _may_be_last(decision) else None
            if moment == "before":
                self._ids.last = last  # nobody has seen them
                return Noted(), answer
            return decision, answer

        answer = await self._inner.take(order, decided)
        self.dead = self.dead or moment is not None
        self._demand_alive()
        return answer

    async def save_result(self, row: EffectResultRow) -> None:
        """Keep it, or die after it: before it the call would have to be made again, which its receiver notices."""
        self._demand_alive()
        await self._inner.save_result(row)

    def _demand_alive(self) -> None:
        if self.dead:
            raise Killed


class Processes:
    """One shell after the other on the same place."""

    def __init__(self, place: Place, build: Build, doom: Doom, tenant_id: str) -> None:
        self.place = place
        self.ids = Ids()
        self._build = build
        self._doom = doom
        self._tenant_id = tenant_id
        self._store: MortalStore
        self.executor: Executor

    async def begin(self) -> None:
        """The first process."""
        await self.place.open()
        self._store = MortalStore(self.place.store, self.ids, self._doom)
        self.executor = self._build(cast("Store", self._store), self.ids, None)

    def build_alone(self, store: Store, new_id: NewId) -> Executor:
        """An executor that reaches nobody outside."""
        return self._build(store, new_id, Outside())

    async def do(self, send: Callable[[Executor], Awaitable[Result]]) -> Result:
        """What the request is answered; one whose process dies is sent to the next one again, as its client would."""
        for _ in range(_MOST):
            try:
                result = await send(self.executor)
                await self.executor.settle()
            except asyncio.CancelledError:
                if not self._store.dead:
                    raise
            else:
                if not self._store.dead:
                    return result
            await self._next()
        raise Mismatch(f"was not done by {_MOST} processes, each of which died")

    async def _next(self) -> None:
        """The next process, once one has lived to take on what those before it have left."""
        for _ in range(_MOST):
            if not self._store.dead:
                return
            await self.executor.settle()
            await self.begin()
            try:
                await self._take_on()
            except asyncio.CancelledError:
                if not self._store.dead:
                    raise

    async def _take_on(self) -> None:
        """As a server does when it starts: calls of dead processes, here without waiting for their leases, and what is due."""
        store, executor = self.place.store, self.executor
        for view in await store.runs(self._tenant_id, RunFilter(status="running", limit=_AT_ONCE)):
            order = Order(tenant_id=self._tenant_id, run_id=view.run.id)
            await store.take(order, lambda seen, epoch=view.run.epoch: (Noted(leased=released(seen.run, epoch, seen.now)), None))  # type: ignore[misc]
        await executor.worker.take_over()
        await executor.settle()
        for due in await store.due(_AT_ONCE):
            await executor.expire(due)
        await executor.settle()


def _may_be_last(decision: Decision) -> bool:
    """Whether a process may die at this commit unnoticed: not where a call begins that nobody may make again."""
    match decision:
        case Noted():
            return decision != Noted() and decision.leased is None
        case Record() if decision.run.status == "running":
            pending = decode_run(decision.run.state).pending
            return pending is not None and pending.repeatable
        case Record():
            return True
