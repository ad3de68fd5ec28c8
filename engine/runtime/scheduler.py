"""The scheduler: one ticker that lets waits expire, sees what was published, and forgets what is old.

There is no job per wait: the waits' rows are the truth. APScheduler ticks a sweep every second,
and earlier when the next deadline is nearer. A watchdog on the monotonic clock replaces a ticker that has stalled,
as one does whose clock was set back.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from msgspec import Struct

from engine.model.values import Millis
from engine.runtime.catalog import Catalog
from engine.runtime.clock import Clock
from engine.runtime.executor import Executor
from engine.runtime.store.port import DueWait, Store
from engine.runtime.turns.admission import IDEMPOTENCY_LIFE

_BATCH: Final = 64
"""Waits that expire together: enough to share a commit, few enough not to hold up live turns."""
_TICK: Final = 1.0
_STALLED: Final = 3.0
_log = structlog.get_logger()


class Pulse(Struct, frozen=True):
    """How the scheduler is doing: whether it ticks, and how far behind its deadlines it was at the last sweep."""

    ticking: bool
    lag_ms: Millis


class Scheduler:
    """Ticks while it is started; every job may run late, none twice at once."""

    def __init__(self, store: Store, executor: Executor, catalog: Catalog, clock: Clock) -> None:
        self._store = store
        self._executor = executor
        self._catalog = catalog
        self._clock = clock
        self._lag: Millis = 0
        self._last = clock.monotonic()
        self._sweeping = asyncio.Lock()
        self._watchdog: asyncio.Task[None] | None = None
        self._ticker = _ticker()

    def start(self) -> None:
        """Begin to tick, with a sweep for what came due while nobody did."""
        self._begin()
        self._watchdog = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Take no new tick, let the one under way finish, and end."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watchdog
        self._ticker.pause()
        async with self._sweeping:
            self._ticker.shutdown(wait=False)

    def pulse(self) -> Pulse:
        """Whether the ticker ticks, and its lag."""
        return Pulse(self._clock.monotonic() - self._last < _STALLED + _TICK, self._lag)

    async def sweep(self) -> int:
        """Let every wait act whose deadline has passed, in bounded batches; gives how many there were."""
        if self._sweeping.locked():
            return 0
        async with self._sweeping:
            acted = 0
            while due := await self._store.due(_BATCH):
                self._last = self._clock.monotonic()
                self._lag = max(0, self._store.now() - min(wait.deadline for wait in due))
                done = await asyncio.gather(*(self._expire(wait) for wait in due))
                acted += sum(done)
                if not all(done):
                    break
            self._lag = 0 if acted == 0 else self._lag
            self._last = self._clock.monotonic()
            return acted

    async def _expire(self, wait: DueWait) -> bool:
        try:
            await self._executor.expire(wait)
        except Exception as error:  # noqa: BLE001 - one wait that cannot expire must not hold up the others
            _log.error("expiry_failed", tenant=wait.tenant_id, execution=wait.run_id, error=type(error).__name__)
            return False
        return True

    async def _tick(self) -> None:
        await self.sweep()
        nearest = await self._store.next_deadline()
        if nearest is not None and 0 <= (left := nearest - self._store.now()) < _TICK * 1000:
            at = datetime.now(UTC) + timedelta(milliseconds=left + 1)
            self._ticker.add_job(self.sweep, "date", run_date=at, id="soon", replace_existing=True)

    async def _refresh(self) -> None:
        await self._catalog.refresh()

    async def _prune(self) -> None:
        await self._store.prune(self._store.now() - IDEMPOTENCY_LIFE)

    def _begin(self) -> None:
        for job, seconds in ((self._tick, _TICK), (self._refresh, _TICK), (self._prune, 3600.0)):
            self._ticker.add_job(
                _told(job), "interval", seconds=seconds, id=job.__name__, next_run_time=datetime.now(UTC), replace_existing=True
            )
        self._ticker.start()

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


def _told(job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The job, with its failure logged: the next tick tries again."""

    async def told() -> None:
        try:
            await job()
        except Exception as error:  # noqa: BLE001 - a tick that fails must not stop the ticker
            _log.error("tick_failed", job=job.__name__, error=type(error).__name__)

    return told
