"""Deliveries in memory, with the promises of the port."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from engine.runtime.clock import SteadyClock
from engine.runtime.store.deliveries import Delivery, DeliveryFilter, Kept, Outlook, Wanted
from engine.runtime.store.rows import DeliveryRow, OutboxRow
from engine.testing.memory.tables import Key, Table

_encode = msgspec.msgpack.encode


class MemoryDeliveries:
    """Looks at every row."""

    def __init__(self, outbox: Table[OutboxRow], clock: SteadyClock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._rows = Table(DeliveryRow)

    async def outlook(self) -> Outlook:
        """As it stands."""
        due = [row.due_at for row in self._rows if row.due_at is not None]
        return Outlook(any(row.wanted is None for row in self._outbox), min(due, default=None))

    async def spread(self, wanted: Wanted, limit: int) -> int:
        """Nothing comes between."""
        now = self._clock.now()
        fresh = sorted((row for row in self._outbox if row.wanted is None), key=_age)[:limit]
        for row in fresh:
            endpoints = wanted(row.tenant_id, row.type)
            for endpoint_id in endpoints:
                made = DeliveryRow(tenant_id=row.tenant_id, run_id=row.run_id, rev=row.rev, n=row.n, endpoint_id=endpoint_id)
                if _key(made) not in self._rows:
                    self._put(made if self._left(made) else replace(made, due_at=now))
            self._mark(row, wanted=bool(endpoints))
        return len(fresh)

    async def due(self, endpoints: Sequence[tuple[str, str]], each: int) -> Sequence[Delivery]:
        """In order."""
        now, of_endpoint = self._clock.now(), defaultdict[tuple[str, str], list[DeliveryRow]](list)
        for row in sorted((row for row in self._rows if row.due_at is not None and row.due_at <= now), key=_due):
            of_endpoint[row.tenant_id, row.endpoint_id].append(row)
        return self._whole(sorted((row for endpoint in endpoints for row in of_endpoint[endpoint][:each]), key=_due))

    async def note(self, row: DeliveryRow, was_tries: int) -> bool:
        """The next one follows."""
        before = self._rows.get(_key(row))
        if before is None or before.ended_at is not None or before.tries != was_tries:
            return False
        self._put(row)
        if row.ended_at is not None:
            self._promote(row)
        return True

    async def replay(self, tenant_id: str, endpoint_id: str, event_id: str | None = None) -> int:
        """All at once."""
        ended = [row for row in self._of(tenant_id, endpoint_id) if row.ended_at is not None]
        again = [row for row in ended if (row.ended_as == "parked" if event_id is None else self._told(row).id == event_id)]
        for row in again:
            self._put(replace(row, due_at=None, tries=0, status=None, code=None, ended_at=None, ended_as=None))
        for row in again:
            self._promote(row)
        return len(again)

    async def of_endpoint(self, tenant_id: str, chosen: DeliveryFilter) -> Sequence[Delivery]:
        """In order of the runs' ids."""
        rows = [row for row in self._of(tenant_id, chosen.endpoint_id) if chosen.state in (None, row.ended_as or "pending")]
        return self._whole(sorted(rows, key=_place, reverse=True)[: chosen.limit])

    async def forget(self, tenant_id: str, endpoint_id: str) -> int:
        """All at once."""
        return self._drop(self._of(tenant_id, endpoint_id))

    async def prune(self, kept: Kept) -> int:
        """All at once."""
        before = {"delivered": kept.delivered, "parked": kept.parked}
        count = self._drop([row for row in self._rows if row.ended_as and (row.ended_at or 0) < before[row.ended_as]])
        old = [told for told in self._outbox if told.wanted is False and told.at < kept.told]
        for told in old:
            self._outbox.drop((told.tenant_id, told.run_id, told.rev, told.n))
        return count + len(old)

    def _mark(self, told: OutboxRow, *, wanted: bool) -> None:
        self._outbox.put((told.tenant_id, told.run_id, told.rev, told.n), _encode(replace(told, wanted=wanted)))

    def _promote(self, row: DeliveryRow) -> None:
        left = self._left(row)
        if left and left[0].due_at is None:
            self._put(replace(left[0], due_at=self._clock.now()))

    def _left(self, row: DeliveryRow) -> list[DeliveryRow]:
        of_run = (one for one in self._of(row.tenant_id, row.endpoint_id) if one.run_id == row.run_id and one.ended_at is None)
        return sorted(of_run, key=_place)

    def _of(self, tenant_id: str, endpoint_id: str) -> list[DeliveryRow]:
        return [row for row in self._rows if (row.tenant_id, row.endpoint_id) == (tenant_id, endpoint_id)]

    def _whole(self, rows: Iterable[DeliveryRow]) -> list[Delivery]:
        return [Delivery(row, self._told(row)) for row in rows]

    def _told(self, row: DeliveryRow) -> OutboxRow:
        return self._outbox[row.tenant_id, row.run_id, row.rev, row.n]

    def _put(self, row: DeliveryRow) -> None:
        self._rows.put(_key(row), _encode(row))

    def _drop(self, rows: Sequence[DeliveryRow]) -> int:
        for row in rows:
            self._rows.drop(_key(row))
        left = {(row.tenant_id, row.run_id, row.rev, row.n) for row in self._rows}
        for row in rows:
            if (row.tenant_id, row.run_id, row.rev, row.n) not in left:
                self._mark(self._told(row), wanted=False)
        return len(rows)


def _key(row: DeliveryRow) -> Key:
    return row.tenant_id, row.run_id, row.rev, row.n, row.endpoint_id


def _place(row: DeliveryRow) -> tuple[str, int, int]:
    return row.run_id, row.rev, row.n


def _due(row: DeliveryRow) -> tuple[int, str, int, int]:
    return row.due_at or 0, *_place(row)


def _age(row: OutboxRow) -> tuple[int, str, str, int, int]:
    return row.at, row.tenant_id, row.run_id, row.rev, row.n
