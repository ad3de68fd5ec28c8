"""The scheduler: one ticker that lets waits expire, sends the outbox, sees what was published, and forgets what is old.

There is no job per wait: the waits' rows are the truth. APScheduler ticks a sweep every second,
and earlier when the next deadline is nearer. A watchdog on the monotonic clock replaces a ticker that has stalled,
as one does whose clock was set back.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from msgspec import Struct

from engine.errors import Unavailable
from engine.model.values import Millis
from engine.runtime.catalog import Catalog
from engine.runtime.clock import Clock
from engine.runtime.executor import Executor
from engine.runtime.store.port import DueWait, Store
from engine.runtime.suspects import Slate, Suspects
from engine.runtime.turns.admission import IDEMPOTENCY_LIFE
from engine.runtime.webhooks.sender import Sender

_BATCH: Final = 512
"""Waits that expire together: some commits for each look for what is due, few enough that a stop does not wait for them."""
_TICK: Final = 1.0
_MISSED: Final = 2.0
"""Seconds without a tick after which it is said that nothing ticks: before another ticker takes its place, not when it does."""
_STALLED: Final = 3.0
_AGAIN: Final = 0.25
"""Seconds after which deadlines are looked at again when some that have passed could not act."""
_SETTLED: Final = 10.0
"""Seconds after its start in which a process forgets nothing: it takes over what others left, and whoever waits for turns comes first."""
_LONGEST_REST: Final = 64.0
"""Seconds for which a wait that fails again and again is left alone; the first time it is one, then twice as many each time."""
_log = structlog.get_logger()


class Pulse(Struct, frozen=True):
    """How the scheduler is doing: whether it ticks, and how far behind its deadlines it was at the last sweep."""

    ticking: bool
    lag_ms: Millis


class _Aside(Struct, frozen=True):
    """A wait whose expiry failed, left alone until a moment of the monotonic clock."""

    until: float
    rest: float


class Scheduler:
    """Ticks while it is started; every job may run late, none twice at once."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        catalog: Catalog,
        clock: Clock,
        sender: Sender | None = None,
        slate: Slate | None = None,
    ) -> None:
        """On the `slate` stands which deadlines are under way, for whoever starts after this process has died over one."""
        self._store = store
        self._executor = executor
        self._catalog = catalog
        self._clock = clock
        self._sender = sender
        self._lag: Millis = 0
        self._last = clock.monotonic()
        self._sweeping = asyncio.Lock()
        self._stopping = False
        self._aside: dict[str, _Aside] = {}
        """Waits whose expiry failed: they must neither keep others from their turn nor be tried without end."""
        self._suspects = Suspects(slate)
        self._under_way: set[asyncio.Task[Any]] = set()
        """The ticker's tasks that are at a job; its own end would cancel them."""
        self._watchdog: asyncio.Task[None] | None = None
        self._ticker = _ticker()

    def start(self) -> None:
        """Begin to tick, with a sweep for what came due while nobody did."""
        self._stopping = False
        self._begin()
        self._watchdog = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Take no new tick, let the jobs under way finish, a sweep with its batch, and end."""
        self._stopping = True
        if self._watchdog is not None:
            self._watchdog.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watchdog
        self._ticker.pause()
        await asyncio.sleep(0)  # a job that was just handed to the loop begins, and so is under way or has seen that all stops
        while self._under_way:
            await asyncio.wait({*self._under_way})
        async with self._sweeping:
            self._ticker.shutdown(wait=False)

    def pulse(self) -> Pulse:
        """Whether the ticker ticks, and its lag; one that has stalled is told until another one has ticked in its place."""
        return Pulse(self._clock.monotonic() - self._last < _MISSED, self._lag)

    async def sweep(self) -> int:
        """Let every wait act that is due, in bounded batches; gives how many times one acted."""
        if self._sweeping.locked():
            return 0
        async with self._sweeping:
            self._last = self._clock.monotonic()  # it ticks, whatever comes of it
            acted = 0
            before: set[tuple[str, Millis]] = set()
            while (due := await self._next_due()) and not self._stopping:
                self._last = self._clock.monotonic()
                self._lag = max(0, self._store.now() - min(wait.due_at for wait in due))
                with self._suspects.under_way([wait.wait_id for wait in due]):
                    done = await asyncio.gather(*(self._expire(wait, seen=(wait.wait_id, wait.due_at) in before) for wait in due))
                acted += done.count(True)
                if None in done:
                    break
                before = {(wait.wait_id, wait.due_at) for wait in due}
            else:
                self._lag = 0 if acted == 0 else self._lag
            self._last = self._clock.monotonic()
            return acted

    async def _next_due(self) -> list[DueWait]:
        """Due waits without those that are left alone; there are some as long as any are due, however many are left alone.

        One that this process may die over comes by itself, after all others.
        """
        limit = _BATCH + len(self._aside) + len(self._suspects)
        due = await self._store.due(limit)
        if len(due) < limit:  # these are all: what is not among them has ended in another way
            seen = {wait.wait_id for wait in due}
            self._aside = {wait_id: aside for wait_id, aside in self._aside.items() if wait_id in seen}
            self._suspects.keep(seen)
        now = self._clock.monotonic()
        rested = [wait for wait in due if wait.wait_id not in self._aside or self._aside[wait.wait_id].until <= now]
        ready = [wait for wait in rested if not self._suspects.is_hopeless(wait.wait_id)]
        harmless = [wait for wait in ready if not self._suspects.deaths(wait.wait_id)]
        return harmless[:_BATCH] or sorted(ready, key=lambda wait: self._suspects.deaths(wait.wait_id))[:1]

    async def _expire(self, wait: DueWait, *, seen: bool) -> bool | None:
        """Whether the deadline acted; None when nothing can be written at the moment. One `seen` is due still though it acted."""
        if seen:
            self._set_aside(wait, "NothingHappened")
            return False
        deadly = self._suspects.is_deadly(wait.wait_id)
        try:
            await (self._executor.give_up(wait) if deadly else self._executor.expire(wait, patient=True))
            if deadly:
                _log.error("run_given_up", tenant=wait.tenant_id, execution=wait.run_id)
        except Unavailable:
            _log.error("expiry_unavailable", tenant=wait.tenant_id, execution=wait.run_id)
            return None
        except Exception as error:  # noqa: BLE001 - one wait that cannot expire must not hold up the others
            self._set_aside(wait, type(error).__name__)
            return False
        return True

    def _set_aside(self, wait: DueWait, error: str) -> None:
        known = self._aside.get(wait.wait_id)
        rest = 1.0 if known is None else min(2 * known.rest, _LONGEST_REST)
        self._aside[wait.wait_id] = _Aside(self._clock.monotonic() + rest, rest)
        _log.error("expiry_failed", tenant=wait.tenant_id, execution=wait.run_id, error=error, rests_seconds=rest)

    async def _tick(self) -> None:
        """Sweep, and come back for the next wait that is due if that is nearer than the next tick."""
        await self.sweep()
        nearest = await self._store.next_due()
        if nearest is not None and (left := nearest - self._store.now()) < _TICK * 1000 and not self._stopping:
            # One that has passed could not act: it stands before all that come next, so these are looked for soon.
            wait = left + 1 if left >= 0 else round(_AGAIN * 1000)
            at = datetime.now(UTC) + timedelta(milliseconds=wait)
            self._ticker.add_job(self._told(self._tick), "date", run_date=at, id="soon", replace_existing=True)

    async def _work(self) -> None:
        self._executor.worker.wake()
        await self._executor.worker.renew()
        await self._executor.worker.take_over()

    async def _refresh(self) -> None:
        await self._catalog.refresh()

    async def _send(self) -> None:
        if self._sender is not None:
            self._sender.wake()

    async def _prune(self) -> None:
        await self._store.prune(self._store.now() - IDEMPOTENCY_LIFE)
        if self._sender is not None:
            await self._sender.tidy()

    def _begin(self) -> None:
        now = datetime.now(UTC)
        settled = now + timedelta(seconds=_SETTLED)
        jobs = ((self._tick, _TICK, now), (self._work, _TICK, now), (self._refresh, _TICK, now), (self._send, _TICK, now))
        for job, seconds, first in (*jobs, (self._prune, 3600.0, settled)):
            self._ticker.add_job(self._told(job), "interval", seconds=seconds, id=job.__name__, next_run_time=first, replace_existing=True)
        self._ticker.start()

    def _told(self, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """The job, which does not begin any more once all stops; its failure is logged: the next tick tries again."""

        async def told() -> None:
            task = asyncio.current_task()
            if self._stopping or task is None:
                return
            self._under_way.add(task)
            try:
                await job()
            except asyncio.CancelledError:
                _log.warning("tick_cancelled", job=job.__name__)  # the ticker, whose task this is, would tell it as an error
            except Exception as error:  # noqa: BLE001 - a tick that fails must not stop the ticker
                _log.error("tick_failed", job=job.__name__, error=type(error).__name__)
            finally:
                self._under_way.discard(task)

        return told

    async def _watch(self) -> None:
        """Put a new ticker in the place of one that has not ticked for a while."""
        while True:
            await asyncio.sleep(_TICK)
            if self._clock.monotonic() - self._last > _STALLED and not self._sweeping.locked():
                _log.warning("ticker_restarted")
                with contextlib.suppress(Exception):
                    self._ticker.shutdown(wait=False)
                self._ticker = _ticker()
                self._begin()


def _ticker() -> AsyncIOScheduler:
    return AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1})
