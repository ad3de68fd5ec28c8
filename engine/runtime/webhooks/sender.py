"""The sender: delivers what is in the outbox to the endpoints that want it, at least once and in order within each run.

Rows decide what is sent and when; memory holds only what is under way. A try is noted when it is over: after a crash in between it is
sent again, with the same `webhook-id`. Each that ends makes room for the next, so the ticker is needed only for what is new or has
become due.
"""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog
from msgspec import Struct

from engine.errors import Unavailable
from engine.model.values import Millis
from engine.runtime.callbacks import Callbacks
from engine.runtime.catalog import Catalog
from engine.runtime.clock import Clock
from engine.runtime.outbound.port import Outbound, OutboundRequest, Outcome
from engine.runtime.performing import Outside
from engine.runtime.store.deliveries import Delivery, Kept
from engine.runtime.store.port import Store
from engine.runtime.store.registry import Registry, WebhookRow
from engine.runtime.store.rows import DeliveryRow
from engine.runtime.vault import SealBroken, Vault
from engine.runtime.webhooks import message
from engine.runtime.webhooks.endpoints import signing_secrets, wants
from engine.runtime.webhooks.health import Health
from engine.runtime.webhooks.places import OF_ENDPOINT, Allotment, Place, endpoint_of, place_of
from engine.runtime.webhooks.plan import BROKEN, DISABLED, SECRET, after

_DAY: Final[Millis] = 86_400_000
DELIVERED_LIFE: Final = 7 * _DAY
PARKED_LIFE: Final = 30 * _DAY
TOLD_LIFE: Final = _DAY
"""How long a row of the outbox is kept that nobody wants, or no delivery is left of."""
_GONE: Final[Millis] = 60_000
"""After this time no server knows a deleted endpoint any more."""
_SPREAD_AT_ONCE: Final = 64
_LOOKED_AT: Final = 512
"""Deliveries that are looked at together, unless there are more endpoints."""
_AGAIN: Final = 1.0
"""Seconds after which a try is noted again that could not be."""
_log = structlog.get_logger()


class Post(Struct, frozen=True, eq=False):
    """What sending takes."""

    outbound: Outbound
    vault: Vault
    callbacks: Callbacks
    chance: Callable[[], float] = random.SystemRandom().random


class Sender:
    """Sends what is due, as far as there are places for it."""

    def __init__(
        self, store: Store, registry: Registry, catalog: Catalog, clock: Clock, post: Post, outside: Outside | None = None
    ) -> None:
        self._store = store
        self._deliveries = store.deliveries
        self._registry = registry
        self._catalog = catalog
        self._clock = clock
        self._post = post
        self._outside = outside or Outside()
        self._under_way: dict[Place, asyncio.Task[None]] = {}
        self._lately: set[Place] = set()
        """What has come to its end since the last look for what is due: the look may show it as it was before."""
        self._health = Health()
        self._following: set[asyncio.Task[None]] = set()
        self._sweeping = False
        self._again = False
        self._stopping = False

    def wake(self) -> None:
        """See soon what there is to send; however long that takes, whoever wakes it does not wait."""
        if self._sweeping:
            self._again = True
        elif not self._stopping:
            following = asyncio.create_task(self._follow())
            self._following.add(following)
            following.add_done_callback(self._following.discard)

    async def sweep(self) -> None:
        """Spread what is new, and begin to send what is due. A sweep that another one comes across goes round once more."""
        self._again = True
        if self._sweeping:
            return
        self._sweeping = True
        try:
            while self._again and not self._stopping:
                self._again = False
                outlook = await self._deliveries.outlook()
                self._again = self._again or outlook.unspread
                if outlook.unspread:
                    await self._deliveries.spread(self._wanted, _SPREAD_AT_ONCE)
                if outlook.unspread or (outlook.due_at is not None and outlook.due_at <= self._store.now()):
                    await self._begin()
        finally:
            self._sweeping = False

    async def rest(self) -> None:
        """Return once nothing is under way, and nothing follows from it."""
        while self._under_way or self._following:
            await asyncio.wait({*self._under_way.values(), *self._following})

    async def stop(self, patience: float) -> None:
        """Begin nothing more, wait so many seconds for what is under way, and break off the rest: it is sent again."""
        self._stopping = True
        if self._under_way:
            await asyncio.wait({*self._under_way.values()}, timeout=patience)
        left = [*self._under_way.values(), *self._following]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def tidy(self) -> None:
        """Forget what is old: secrets that sign no more, endpoints that were deleted, deliveries, and rows of the outbox."""
        now = self._store.now()
        await self._registry.drop_old_secrets(now)
        self._health.forget_others({(row.tenant_id, row.id) for row in self._catalog.webhooks()})
        for row in self._catalog.webhooks():
            if row.status == "deleted" and row.modified_at < now - _GONE:
                await self._deliveries.forget(row.tenant_id, row.id)
                await self._registry.drop_webhook(row.tenant_id, row.id)
        await self._deliveries.prune(Kept(delivered=now - DELIVERED_LIFE, parked=now - PARKED_LIFE, told=now - TOLD_LIFE))

    def _wanted(self, tenant_id: str, event: str) -> list[str]:
        return [row.id for row in self._catalog.webhooks_of(tenant_id) if wants(row, event)]

    async def _begin(self) -> None:
        places, now = Allotment(self._under_way.keys(), self._health.failing), self._clock.monotonic()
        endpoints = {(row.tenant_id, row.id): row for row in self._catalog.webhooks() if row.status != "deleted"}
        free = [endpoint for endpoint in endpoints if places.free(endpoint) and not self._health.rests(endpoint, now)]
        if not free:
            return
        self._lately.clear()
        due = await self._deliveries.due(free, max(1, min(OF_ENDPOINT, _LOOKED_AT // len(free))))
        fresh = [delivery for delivery in due if place_of(delivery.row) not in self._lately]
        for delivery in [] if self._stopping else Allotment(self._under_way.keys(), self._health.failing).fill(fresh):
            place = place_of(delivery.row)
            task = asyncio.create_task(self._deliver(delivery, endpoints[endpoint_of(delivery.row)]))
            self._under_way[place] = task
            task.add_done_callback(partial(self._ended, place))

    async def _deliver(self, delivery: Delivery, endpoint: WebhookRow) -> None:
        self._outside.reach("before_delivery")
        outcome = await self._outcome(delivery, endpoint)
        self._outside.reach("after_delivery")
        tried = after(delivery.row, outcome, self._store.now(), self._post.chance())
        await self._note(tried, delivery.row.tries)
        self._health.note(endpoint_of(tried), self._clock.monotonic(), failed=tried.code not in {None, DISABLED})
        _tell(delivery, tried)

    async def _outcome(self, delivery: Delivery, endpoint: WebhookRow) -> Outcome:
        """What came of the try; whatever goes wrong with it is an outcome."""
        if endpoint.status == "disabled":
            return Outcome(code=DISABLED)
        try:
            return await self._post.outbound.send(self._request(delivery, endpoint))
        except SealBroken:
            return Outcome(code=SECRET)
        except Exception as error:  # noqa: BLE001 - one delivery that cannot be made must not hold up the others
            _log.error("webhook_broken", tenant=endpoint.tenant_id, webhook=endpoint.id, error=type(error).__name__)
            return Outcome(code=BROKEN)

    def _request(self, delivery: Delivery, endpoint: WebhookRow) -> OutboundRequest:
        told = delivery.told
        data = self._post.callbacks.filled(told.payload, told.tenant_id, told.run_id)
        secrets = signing_secrets(self._post.vault, endpoint, self._store.now())
        return message.request(endpoint.url, told, data, secrets, self._clock.wall())

    async def _note(self, tried: DeliveryRow, was_tries: int) -> None:
        """Keep what came of the try; while the database does not take it, the delivery keeps its place and is not sent again."""
        while True:
            try:
                await self._deliveries.note(tried, was_tries)
            except Unavailable:
                if self._stopping:
                    raise
                await asyncio.sleep(_AGAIN)
            else:
                return

    def _ended(self, place: Place, task: "asyncio.Task[None]") -> None:
        del self._under_way[place]
        self._lately.add(place)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._health.note(place[:2], self._clock.monotonic(), failed=True)  # so that it is not sent again without end
            _log.error("webhook_broken", tenant=place[0], webhook=place[1], error=type(error).__name__)
        self.wake()

    async def _follow(self) -> None:
        try:
            await self.sweep()
        except Exception as error:  # noqa: BLE001 - the ticker wakes it again
            _log.error("sending_failed", error=type(error).__name__)


def _tell(delivery: Delivery, tried: DeliveryRow) -> None:
    if tried.code is None:
        return
    _log.warning(
        "webhook_failed" if tried.ended_at is None else "webhook_parked",
        tenant=tried.tenant_id,
        webhook=tried.endpoint_id,
        webhook_event=delivery.told.id,
        tries=tried.tries,
        code=tried.code,
        status=tried.status,
    )
