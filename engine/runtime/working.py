"""Calls of runs: made with no transaction open, their results kept before the turn goes on, and taken over from workers that died."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol, TypeVar

import msgspec
import structlog

from engine.errors import BatonError, Unavailable
from engine.model.events import Returned
from engine.model.values import Millis
from engine.runtime.clock import Clock
from engine.runtime.performing import Call, Outside, perform
from engine.runtime.replies import TurnReply, decode_reply
from engine.runtime.store.port import LapsedRun, Leased, Noted, Order, Snapshot, StaleRecord, Store
from engine.runtime.store.rows import EffectResultRow, RunRow
from engine.runtime.traces import decode_trace
from engine.runtime.turns.deciding import Decider, Elapsed
from engine.runtime.turns.leases import ATTEMPTS, Claim, TakenOver, released, renewed
from engine.runtime.turns.occasion import LEASE, Begun, Drafted

_log = structlog.get_logger()

_RENEWED: Final = 10.0
"""Seconds after which leases are renewed; a lease lasts three times as long."""
_AT_ONCE: Final = 64
_REST: Final = 60.0
"""Seconds for which a run is left alone that cannot be taken over: it must not keep others from their turn."""
_results: Final = msgspec.msgpack.Decoder(Returned)

Work = asyncio.Task[TurnReply | None]
Change = Callable[[RunRow | None, int, Millis], Leased | None]
Saved = TypeVar("Saved")


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
        self._working: dict[Work, Claim] = {}
        self._last_tries: dict[str, LapsedRun] = {}
        """Runs that would be given up if this process ended under them too, in the order in which they are to be taken on."""
        self._trying: asyncio.Task[None] | None = None
        self._aside: dict[str, float] = {}
        """Runs that cannot be taken over, and the moment of the monotonic clock until which nobody tries."""
        self._renewed = clock.monotonic()
        self._woken = asyncio.Event()

    def begin(self, claim: Claim, elapsed: Elapsed) -> Work:
        """Work on the claim beside everything else; the task's result is the turn's reply, or None where another has the claim now."""
        task = asyncio.create_task(self._carry_on(claim, elapsed))
        self._working[task] = claim
        task.add_done_callback(self._ended)
        return task

    async def drain(self) -> None:
        """Let calls under way come to their end."""
        while waited := {*self._working} or self._trials():
            await asyncio.wait(waited)

    async def stop(self, patience: float) -> None:
        """Wait so many seconds for calls under way; those that are left are given back, for whoever comes next."""
        if self._working:
            await asyncio.wait({*self._working}, timeout=patience)
        left = list(self._working.values())
        ending = [*self._trials(), *self._working]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for claim in left:
            await self._change(claim, released)

    def wake(self) -> None:
        """Let what could not be saved be tried again."""
        self._woken.set()
        self._woken.clear()

    async def renew(self) -> None:
        """Renew the leases of what is worked on here, if it is time."""
        if self._clock.monotonic() - self._renewed < _RENEWED:
            return
        self._renewed = self._clock.monotonic()
        await asyncio.gather(*(self._change(claim, renewed) for claim in list(self._working.values())))

    async def take_over(self) -> int:
        """Take on the runs whose workers have died; gives how many there were.

        Whoever works beside a run that ends its process dies with it, and has done nothing. So a run that would be given up if this
        process ended too is taken on by itself: when no other that was taken over is under way.
        """
        lapsed = await self._lapsed()
        last = {one.run_id: one for one in lapsed if one.attempts == ATTEMPTS - 1}
        await asyncio.gather(*(self._take_on(one) for one in lapsed if one.run_id not in last))
        self._last_tries |= last
        if self._last_tries and not self._trials():
            self._trying = asyncio.create_task(self._try_each_alone())
        return len(lapsed)

    async def _lapsed(self) -> list[LapsedRun]:
        """Runs that nobody works on, without those that wait here already; there are some as long as there are any."""
        now = self._clock.monotonic()
        self._aside = {run_id: until for run_id, until in self._aside.items() if until > now}
        known = {claim.run_id for claim in self._working.values()} | self._last_tries.keys() | self._aside.keys()
        return [one for one in await self._store.lapsed(_AT_ONCE + len(known)) if one.run_id not in known][:_AT_ONCE]

    async def _try_each_alone(self) -> None:
        while self._last_tries:
            while others := [task for task, claim in self._working.items() if claim.taken_over]:
                await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
            run_id, one = next(iter(self._last_tries.items()))
            await self._take_on(one)
            del self._last_tries[run_id]

    def _trials(self) -> "set[asyncio.Task[None]]":
        return set() if self._trying is None or self._trying.done() else {self._trying}

    async def _take_on(self, lapsed: LapsedRun) -> None:
        """Take the run on, unless somebody else has; one that cannot be is left alone for a while."""
        try:
            await self._claim(lapsed)
        except (StaleRecord, Unavailable) as error:
            _log.warning("takeover_postponed", tenant=lapsed.tenant_id, execution=lapsed.run_id, error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one run that cannot be taken over must not hold up the others
            self._aside[lapsed.run_id] = self._clock.monotonic() + _REST
            _log.error("takeover_failed", tenant=lapsed.tenant_id, execution=lapsed.run_id, error=type(error).__name__)

    async def _claim(self, lapsed: LapsedRun) -> None:
        view = await self._store.run(lapsed.tenant_id, lapsed.run_id)
        if view is None or not view.turns or view.turns[-1].done:
            return
        turn = view.turns[-1]
        begun = Begun(decode_reply(turn.reply), decode_trace(turn.trace), turn.previous_id)
        order = Order(tenant_id=lapsed.tenant_id, run_id=lapsed.run_id)
        outcome = await self._take(order, partial(self._decider.claim, begun))
        if isinstance(outcome, TakenOver):
            self.begin(outcome.claim, lambda: 0)

    async def _carry_on(self, claim: Claim, elapsed: Elapsed) -> TurnReply | None:
        """Make the call and take the turn on with its result, until it asks for no more."""
        while True:
            result = await self._result(claim)
            order = Order(tenant_id=claim.tenant_id, run_id=claim.run_id)
            decide = partial(self._decider.returned, result, claim.begun, claim.epoch, elapsed)
            outcome = await self._saved(claim, partial(self._take, order, decide))
            if not isinstance(outcome, Drafted):
                return None
            if outcome.invoke is None:
                return outcome.reply
            claim = Claim.of(outcome, outcome.invoke)
            self._hold(claim)

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
        await self._saved(claim, partial(self._store.save_result, _row(claim, result, self._store.now())))
        self._outside.reach("after_result")
        return result

    async def _saved(self, claim: Claim, save: Callable[[], Awaitable[Saved]]) -> Saved:
        """What saving gives. Where the database cannot take it, such as on a full disk, it is tried again whenever somebody wakes us.

        So a call that was made need not be made again. After the time of a lease the run is left to whoever takes it over.
        """
        until = self._clock.monotonic() + LEASE / 1000
        while True:
            try:
                return await save()
            except Unavailable:
                if self._clock.monotonic() >= until:
                    raise
                _log.warning("turn_unsaved", tenant=claim.tenant_id, execution=claim.run_id)
            await self._woken.wait()

    async def _change(self, claim: Claim, change: Change) -> None:
        def decide(snapshot: Snapshot) -> tuple[Noted, None]:
            return Noted(leased=change(snapshot.run, claim.epoch, snapshot.now)), None

        try:
            await self._store.take(Order(tenant_id=claim.tenant_id, run_id=claim.run_id), decide)
        except BatonError as error:
            _log.error("lease_unchanged", tenant=claim.tenant_id, execution=claim.run_id, error=type(error).__name__)

    def _hold(self, claim: Claim) -> None:
        """The task that asks works on this claim from now on."""
        task = asyncio.current_task()
        if task in self._working:
            self._working[task] = claim

    def _ended(self, task: Work) -> None:
        claim = self._working.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("turn_broken_off", tenant=claim.tenant_id, execution=claim.run_id, error=type(error).__name__)


def _row(claim: Claim, result: Returned, now: Millis) -> EffectResultRow:
    encoded = msgspec.msgpack.encode(result)
    return EffectResultRow(tenant_id=claim.tenant_id, run_id=claim.run_id, rev=claim.rev, step=claim.invoke.step, at=now, returned=encoded)
