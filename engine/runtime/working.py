"""Calls of runs: made with no transaction open, their results kept before the turn goes on, and taken over from workers that died."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol

import msgspec
import structlog

from engine.errors import BatonError
from engine.model.events import Returned
from engine.model.values import Millis
from engine.runtime.clock import Clock
from engine.runtime.performing import Call, Outside, perform
from engine.runtime.replies import TurnReply, decode_reply
from engine.runtime.store.port import LapsedRun, Leased, Noted, Order, Snapshot, Store
from engine.runtime.store.rows import EffectResultRow, RunRow
from engine.runtime.traces import decode_trace
from engine.runtime.turns.deciding import Decider
from engine.runtime.turns.leases import Claim, TakenOver, released, renewed
from engine.runtime.turns.occasion import Begun, Drafted

_log = structlog.get_logger()

_RENEWED: Final = 10.0
"""Seconds after which leases are renewed; a lease lasts three times as long."""
_AT_ONCE: Final = 64
_results: Final = msgspec.msgpack.Decoder(Returned)

Elapsed = Callable[[], Millis]
Change = Callable[[RunRow | None, int, Millis], Leased | None]


class Take(Protocol):
    """The executor's way into the store."""

    def __call__(self, order: Order, decide: Callable[[Snapshot], Drafted | TakenOver | None], /) -> Awaitable[Drafted | TakenOver | None]:
        """One transaction."""


class Worker:
    """Takes runs on from call to call until they ask for no more."""

    def __init__(self, store: Store, decider: Decider, take: Take, outside: Outside, clock: Clock) -> None:
        self._store = store
        self._decider = decider
        self._take = take
        self._outside = outside
        self._clock = clock
        self._claims: dict[str, Claim] = {}
        self._working: set[asyncio.Task[TurnReply]] = set()
        self._renewed = clock.monotonic()

    def begin(self, claim: Claim, elapsed: Elapsed) -> "asyncio.Task[TurnReply]":
        """Work on the claim beside everything else; the task's result is the turn's reply."""
        task = asyncio.create_task(self._carry_on(claim, elapsed))
        self._claims[claim.run_id] = claim
        self._working.add(task)
        task.add_done_callback(partial(self._ended, claim.run_id))
        return task

    async def drain(self) -> None:
        """Let calls under way come to their end."""
        while self._working:
            await asyncio.wait({*self._working})

    async def stop(self, patience: float) -> None:
        """Wait so many seconds for calls under way; those that are left are given back, for whoever comes next."""
        if self._working:
            await asyncio.wait({*self._working}, timeout=patience)
        left = list(self._claims.values())
        for task in list(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        for claim in left:
            await self._change(claim, released)

    async def renew(self) -> None:
        """Renew the leases of what is worked on here, if it is time."""
        if self._clock.monotonic() - self._renewed < _RENEWED:
            return
        self._renewed = self._clock.monotonic()
        for claim in list(self._claims.values()):
            await self._change(claim, renewed)

    async def take_over(self) -> int:
        """Take on the runs whose workers have died; gives how many there were."""
        lapsed = [one for one in await self._store.lapsed(_AT_ONCE) if one.run_id not in self._claims]
        for one in lapsed:
            try:
                await self._claim(one)
            except BatonError as error:
                _log.error("takeover_failed", tenant=one.tenant_id, execution=one.run_id, error=type(error).__name__)
        return len(lapsed)

    async def _claim(self, lapsed: LapsedRun) -> None:
        view = await self._store.run(lapsed.tenant_id, lapsed.run_id)
        if view is None or not view.turns or view.turns[-1].done:
            return
        turn = view.turns[-1]
        begun = Begun(decode_reply(turn.reply), decode_trace(turn.trace))
        order = Order(tenant_id=lapsed.tenant_id, run_id=lapsed.run_id)
        outcome = await self._take(order, partial(self._decider.claim, begun))
        if isinstance(outcome, TakenOver):
            self.begin(outcome.claim, lambda: 0)

    async def _carry_on(self, claim: Claim, elapsed: Elapsed) -> TurnReply:
        """Make the call and take the turn on with its result, until it asks for no more."""
        while True:
            result = await self._result(claim)
            order = Order(tenant_id=claim.tenant_id, run_id=claim.run_id)
            outcome = await self._take(order, partial(self._decider.returned, result, claim.begun, claim.epoch, elapsed))
            if not isinstance(outcome, Drafted):
                return claim.begun.reply
            if outcome.invoke is None:
                return outcome.reply
            claim = Claim.of(outcome, outcome.invoke)
            self._claims[claim.run_id] = claim

    async def _result(self, claim: Claim) -> Returned:
        """What came of the call: as it was kept, as it comes back now, or that nobody can know."""
        if claim.taken_over:
            kept = await self._store.result(claim.tenant_id, claim.run_id, claim.rev, claim.invoke.step)
            if kept is not None:
                return _results.decode(kept.returned)
            if not claim.invoke.repeatable:
                return Returned(at=0, step=claim.invoke.step, code="effect.unknown", message="nobody knows what became of the call")
        self._outside.reach("before_call")
        result = await perform(self._outside.performers, Call(claim.tenant_id, claim.run_id, claim.invoke))
        self._outside.reach("after_call")
        await self._store.save_result(_row(claim, result, self._store.now()))
        self._outside.reach("after_result")
        return result

    async def _change(self, claim: Claim, change: Change) -> None:
        def decide(snapshot: Snapshot) -> tuple[Noted, None]:
            return Noted(leased=change(snapshot.run, claim.epoch, snapshot.now)), None

        try:
            await self._store.take(Order(tenant_id=claim.tenant_id, run_id=claim.run_id), decide)
        except BatonError as error:
            _log.error("lease_unchanged", tenant=claim.tenant_id, execution=claim.run_id, error=type(error).__name__)

    def _ended(self, run_id: str, task: "asyncio.Task[TurnReply]") -> None:
        self._working.discard(task)
        self._claims.pop(run_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("turn_broken_off", execution=run_id, error=type(error).__name__)


def _row(claim: Claim, result: Returned, now: Millis) -> EffectResultRow:
    encoded = msgspec.msgpack.encode(result)
    return EffectResultRow(tenant_id=claim.tenant_id, run_id=claim.run_id, rev=claim.rev, step=claim.invoke.step, at=now, returned=encoded)
