"""The deliveries' port in one SQLite file: what changes goes through the writer, in pieces small enough for turns to come between."""

from collections.abc import Collection, Hashable, Iterable, Sequence
from sqlite3 import Cursor
from typing import Any, Final

import msgspec

from engine.model.values import Millis
from engine.runtime.clock import SteadyClock
from engine.runtime.store.deliveries import Delivery, DeliveryFilter, Kept, Outlook, Wanted
from engine.runtime.store.rows import DeliveryRow, OutboxRow
from engine.runtime.store.sqlite import delivery_statements as statements
from engine.runtime.store.sqlite.pieces import Statement
from engine.runtime.store.sqlite.readers import Readers
from engine.runtime.store.sqlite.writer import Writer

_AT_ONCE: Final = 500
"""Rows forgotten or replayed in one piece of work."""
_DELIVERY = DeliveryRow.__struct_fields__
_OUTBOX = OutboxRow.__struct_fields__
_unpack = msgspec.msgpack.Decoder().decode


class SqliteDeliveries:
    """Deliveries beside the turns of the same file."""

    def __init__(self, writer: Writer, readers: Readers, clock: SteadyClock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def outlook(self) -> Outlook:
        """One look into two partial indexes."""
        for unspread, due_at in await self._readers.ask(statements.OUTLOOK, {}):
            return Outlook(bool(unspread), due_at)
        raise AssertionError("the question has one answer")

    async def spread(self, wanted: Wanted, limit: int) -> int:
        """In one piece."""
        count: int = await self._writer.run(_Spreading(wanted, limit))
        return count

    async def due(self, endpoints: Sequence[tuple[str, str]], each: int) -> Sequence[Delivery]:
        """One look into the index for each endpoint, all of one moment."""
        asked = {"endpoints": msgspec.json.encode(endpoints).decode(), "now": self._clock.now(), "each": each}
        return _deliveries(await self._readers.ask(statements.DUE_DELIVERIES, asked))

    async def note(self, row: DeliveryRow, was_tries: int) -> bool:
        """With the next of its run in one piece."""
        noted: bool = await self._writer.run(_Noting(row, was_tries))
        return noted

    async def replay(self, tenant_id: str, endpoint_id: str, event_id: str | None = None) -> int:
        """Found by a reader, and let begin again in small pieces."""
        asked = {"tenant": tenant_id, "endpoint": endpoint_id}
        if event_id is not None:
            return await self._renew(await self._readers.ask(statements.FIND_EVENT, {**asked, "event": event_id}))
        total, since, until = 0, "", self._clock.now()
        while places := [*await self._readers.ask(statements.FIND_PARKED, {**asked, "since": since, "until": until, "limit": _AT_ONCE})]:
            total += await self._renew(places)
            since = places[-1][1]  # runs come in their order: those before have been let go on
        return total

    async def _renew(self, places: Iterable[Sequence[Any]]) -> int:
        renewed: int = await self._writer.run(_Renewing([tuple(place) for place in places]))
        return renewed

    async def of_endpoint(self, tenant_id: str, chosen: DeliveryFilter) -> Sequence[Delivery]:
        """In order of the runs' ids, which sort by time."""
        asked = {"tenant": tenant_id, "endpoint": chosen.endpoint_id, "limit": chosen.limit}
        return _deliveries(await self._readers.ask(statements.DELIVERIES[chosen.state], asked))

    async def forget(self, tenant_id: str, endpoint_id: str) -> int:
        """In small pieces."""
        return await self._drop(statements.FIND_OF_ENDPOINT, {"tenant": tenant_id, "endpoint": endpoint_id})

    async def prune(self, kept: Kept) -> int:
        """In small pieces."""
        total = await self._drop(statements.FIND_ENDED, {"ended_as": "delivered", "before": kept.delivered})
        total += await self._drop(statements.FIND_ENDED, {"ended_as": "parked", "before": kept.parked})
        await self._writer.run(Statement(statements.RAISE_FORGOTTEN, {"before": kept.told}))
        while gone := await self._writer.run(Statement(statements.PRUNE_UNWANTED, {"before": kept.told, "limit": _AT_ONCE})):
            total += gone
        return total

    async def _drop(self, which: str, asked: dict[str, Any]) -> int:
        total = 0
        while gone := await self._writer.run(_Dropping(which, {**asked, "limit": _AT_ONCE})):
            total += gone
        return total


class _Spreading:
    """Rows of the outbox become deliveries."""

    concerns: Collection[Hashable] = ("spreading",)
    patient = True

    def __init__(self, wanted: Wanted, limit: int) -> None:
        self._wanted = wanted
        self._limit = limit
        self._now: Millis = 0
        self._rows: Sequence[Any] = ()
        self._made: list[tuple[Any, ...]] = []

    def load(self, cursor: Cursor, now: Millis) -> Collection[Hashable]:
        """The oldest rows."""
        self._now = now
        self._rows = cursor.execute(statements.UNSPREAD, {"limit": self._limit}).fetchall()
        return ()

    def decide(self) -> None:
        """Who is told of which."""
        self._made = [
            (tenant, run, rev, n, endpoint, tenant, endpoint, run, self._now)
            for tenant, run, rev, n, kind in self._rows
            for endpoint in self._wanted(tenant, kind)
        ]

    def save(self, cursor: Cursor) -> int:
        """One delivery after the other, so that each sees those of its run before it."""
        cursor.executemany(statements.MAKE_DELIVERY, self._made)
        wanted = {made[:4] for made in self._made}
        cursor.executemany(statements.MARK_SPREAD, [(row[:4] in wanted, *row[:4]) for row in self._rows])
        return len(self._rows)


class _Changing:
    """A change that needs nothing but the moment."""

    concerns: Collection[Hashable] = ()
    patient = True
    _now: Millis = 0

    def load(self, _cursor: Cursor, now: Millis) -> Collection[Hashable]:
        """The moment."""
        self._now = now
        return ()

    def decide(self) -> None:
        """Nothing."""

    def _promote(self, cursor: Cursor, runs: Iterable[tuple[str, str, str]]) -> None:
        cursor.executemany(statements.PROMOTE, [(self._now, *run, *run) for run in runs])


class _Noting(_Changing):
    """What came of a try; where the delivery ends, the next of its run is due."""

    def __init__(self, row: DeliveryRow, was_tries: int) -> None:
        self._row = row
        self._was_tries = was_tries

    def save(self, cursor: Cursor) -> bool:
        """Whether it was still the try that was made."""
        row = self._row
        changes = (row.due_at, row.tries, row.status, row.code, row.ended_at, row.ended_as)
        key = (row.tenant_id, row.run_id, row.rev, row.n, row.endpoint_id)
        if not cursor.execute(statements.NOTE, (*changes, *key, self._was_tries)).rowcount:
            return False
        if row.ended_at is not None:
            self._promote(cursor, [(row.tenant_id, row.endpoint_id, row.run_id)])
        return True


class _Renewing(_Changing):
    """What has ended begins again."""

    def __init__(self, places: Sequence[tuple[Any, ...]]) -> None:
        self._places = places

    def save(self, cursor: Cursor) -> int:
        """Gives how many there were."""
        count = sum(cursor.execute(statements.RENEW, place).rowcount for place in self._places)
        self._promote(cursor, sorted({(tenant, endpoint, run) for tenant, run, _, _, endpoint in self._places}))
        return count


class _Dropping(_Changing):
    """Deliveries that are forgotten; what they told is wanted no more where none of it is left."""

    def __init__(self, which: str, asked: dict[str, Any]) -> None:
        self._which = which
        self._asked = asked

    def save(self, cursor: Cursor) -> int:
        """Gives how many there were."""
        places = cursor.execute(self._which, self._asked).fetchall()
        cursor.executemany(statements.DROP, places)
        cursor.executemany(statements.MARK_UNWANTED, sorted({place[:4] for place in places}))
        return len(places)


def _deliveries(found: Iterable[Sequence[Any]]) -> list[Delivery]:
    return [Delivery(_delivery_row(row[: len(_DELIVERY)]), _outbox_row(row[len(_DELIVERY) :])) for row in found]


def _delivery_row(values: Sequence[Any]) -> DeliveryRow:
    return DeliveryRow(**dict(zip(_DELIVERY, values, strict=True)))


def _outbox_row(values: Sequence[Any]) -> OutboxRow:
    fields = dict(zip(_OUTBOX, values, strict=True))
    fields["payload"] = _unpack(fields["payload"])
    fields["wanted"] = None if fields["wanted"] is None else bool(fields["wanted"])
    return OutboxRow(**fields)
