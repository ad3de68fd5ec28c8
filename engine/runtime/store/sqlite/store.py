"""The store's port in one SQLite file."""

import os
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, TypeVar

import msgspec
from msgspec.structs import astuple

from engine.model.values import Millis
from engine.runtime.clock import SteadyClock
from engine.runtime.store.changes import day, share
from engine.runtime.store.port import Decide, DueWait, LapsedRun, MessageView, Order, RunFilter, RunView, UsageKey, UsageSum
from engine.runtime.store.rows import ConversationRow, EffectResultRow, MessageRow, RunRow, SignalRow, TurnRow, UsageRow
from engine.runtime.store.sqlite import load, questions
from engine.runtime.store.sqlite.deliveries import SqliteDeliveries
from engine.runtime.store.sqlite.pieces import Statement, Turn
from engine.runtime.store.sqlite.readers import Readers
from engine.runtime.store.sqlite.save_statements import KEEP_RESULT, PROVE, PRUNE, PRUNE_SIGNALS
from engine.runtime.store.sqlite.writer import Writer

Answer = TypeVar("Answer")

_PRUNED_AT_ONCE = 500
"""Rows forgotten in one piece of work, so that turns come between."""
_BALLAST = 262_144
"""Bytes that a proof of health writes: as many as the state of a run may have."""
_RUN_WIDTH = len(RunRow.__struct_fields__)
_MESSAGE_WIDTH = len(MessageRow.__struct_fields__)


class SqliteStore:
    """Turns through the writer, questions through the readers; `open_sqlite` makes it."""

    def __init__(self, writer: Writer, readers: Readers, clock: SteadyClock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock
        self._deliveries = SqliteDeliveries(writer, readers, clock)

    @property
    def deliveries(self) -> SqliteDeliveries:
        """In the same file."""
        return self._deliveries

    def now(self) -> Millis:
        """The process's clock above the mark kept in the file."""
        return self._clock.now()

    async def take(self, order: Order, decide: Decide[Answer]) -> Answer:
        """Load, decide and save in the writer's next batch."""
        answer: Answer = await self._writer.run(Turn(order, decide, self._writer.recent))
        return answer

    async def save_result(self, row: EffectResultRow) -> None:
        """The first result for its (run, rev, step) stays."""
        await self._writer.run(Statement(KEEP_RESULT, astuple(row)))

    async def result(self, tenant_id: str, run_id: str, rev: int, step: int) -> EffectResultRow | None:
        """By its key."""
        asked = {"tenant": tenant_id, "run": run_id, "rev": rev, "step": step}
        return next(map(load.result_row, await self._readers.ask(questions.RESULT, asked)), None)

    async def signal(self, tenant_id: str, name: str) -> SignalRow | None:
        """The first entry of the index by name."""
        found = await self._readers.ask(questions.OLDEST_SIGNAL, {"tenant": tenant_id, "name": name})
        return next(map(_signal, found), None)

    async def lapsed(self, limit: int) -> Sequence[LapsedRun]:
        """One look into the index."""
        found = await self._readers.ask(questions.LAPSED, {"now": self.now(), "limit": limit})
        return [LapsedRun(tenant_id=tenant, run_id=run, attempts=attempts) for tenant, run, attempts in found]

    async def due(self, limit: int) -> Sequence[DueWait]:
        """One look into the index; only where more is due than may be taken are the tenants' shares measured."""
        now = self.now()
        oldest = _due(await self._readers.ask(questions.DUE, {"now": now, "limit": limit}))
        if len(oldest) < limit:
            return oldest
        tenants = [tenant for (tenant,) in await self._readers.ask(questions.DUE_TENANTS, {"now": now, "limit": limit})]
        each = -(-limit // max(len(tenants), 1))
        asked = {"tenants": msgspec.json.encode(tenants).decode(), "now": now, "each": each}
        shares = _due(await self._readers.ask(questions.DUE_OF_TENANTS, asked))
        return share({wait.wait_id: wait for wait in [*oldest, *shares]}.values(), limit)

    async def next_due(self) -> Millis | None:
        """The first entry of the index."""
        found = await self._readers.ask(questions.NEXT_DUE, {})
        return next((deadline for (deadline,) in found), None)

    async def run(self, tenant_id: str, run_id: str) -> RunView | None:
        """Run and turns as of one moment."""
        found = await self._readers.ask(questions.RUN_VIEW, {"tenant": tenant_id, "run": run_id})
        return next(iter(_views(found)), None)

    async def runs(self, tenant_id: str, chosen: RunFilter) -> Sequence[RunView]:
        """Runs and turns as of one moment."""
        given = msgspec.structs.asdict(chosen)
        wanted = {name: value for name, value in given.items() if name != "limit" and value is not None and value is not False}
        statement = questions.run_views(frozenset(wanted))
        return _views(await self._readers.ask(statement, {**wanted, "tenant": tenant_id, "limit": chosen.limit}))

    async def turns(self, tenant_id: str, run_id: str) -> Sequence[TurnRow]:
        """In order of rev."""
        return [load.turn_row(found) for found in await self._readers.ask(questions.TURNS, {"tenant": tenant_id, "run": run_id})]

    async def conversation(self, tenant_id: str, conversation_id: str) -> ConversationRow | None:
        """By its key."""
        found = await self._readers.ask(questions.CONVERSATION_BY_ID, {"tenant": tenant_id, "id": conversation_id})
        return next(map(load.conversation_row, found), None)

    async def messages(self, tenant_id: str, conversation_id: str) -> Sequence[MessageView]:
        """In sequence."""
        found = await self._readers.ask(questions.MESSAGES, {"tenant": tenant_id, "conversation": conversation_id})
        return [MessageView(message=load.message_row(row[:_MESSAGE_WIDTH]), reply=row[_MESSAGE_WIDTH]) for row in found]

    async def usage_of_turn(self, tenant_id: str, turn_id: str) -> Sequence[UsageRow]:
        """In order of their ids."""
        return load.usage_rows(await self._readers.ask(questions.USAGE_OF_TURN, {"tenant": tenant_id, "turn": turn_id}))

    async def usage(self, tenant_id: str, by: UsageKey) -> Sequence[UsageSum]:
        """Summed up by the database."""
        found = await self._readers.ask(questions.USAGE_BY[by], {"tenant": tenant_id})
        return [
            UsageSum(
                key=day(key) if by == "day" else key, prompt_tokens=asked, completion_tokens=told, cost_micros=cost, unpriced_tokens=free
            )
            for key, asked, told, cost, free in found
        ]

    async def prune(self, before: Millis) -> int:
        """In small pieces, turns between them."""
        asked = {"before": before, "limit": _PRUNED_AT_ONCE}
        return await self._pruned(PRUNE, asked) + await self._pruned(PRUNE_SIGNALS, {**asked, "now": self.now()})

    async def _pruned(self, statement: str, asked: dict[str, int]) -> int:
        total = 0
        while gone := await self._writer.run(Statement(statement, asked)):
            total += gone
        return total

    async def healthy(self) -> None:
        """One question to a reader, one commit by the writer, of more than a turn writes: a few bytes find room where it does not."""
        await self._readers.ask(questions.ANYTHING, {})
        await self._writer.run(Statement(PROVE, (os.urandom(_BALLAST),)))

    async def close(self) -> None:
        """The writer finishes first."""
        await self._writer.close()
        await self._readers.close()


def _signal(found: Sequence[Any]) -> SignalRow:
    tenant, id_, name, at, data, run = found
    return SignalRow(tenant_id=tenant, id=id_, name=name, at=at, data=load.unpack(data), run_id=run)


def _due(found: Iterable[Sequence[Any]]) -> list[DueWait]:
    return [DueWait(*row) for row in found]


def _views(found: Iterable[Sequence[Any]]) -> list[RunView]:
    views: list[RunView] = []
    for _, rows in groupby(found, key=_run_id):
        turns = list(rows)
        run = load.run_row(turns[0][:_RUN_WIDTH])
        its_turns = tuple(load.turn_row(row[_RUN_WIDTH + 1 :]) for row in turns)
        views.append(RunView(run=run, customer_id=turns[0][_RUN_WIDTH], turns=its_turns))
    return views


def _run_id(row: Sequence[Any]) -> Any:
    return row[1]
