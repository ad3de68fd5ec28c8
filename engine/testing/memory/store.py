"""A store in memory, with the promises of the port: what a test sees here, it sees on a database."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from engine.model.values import Millis
from engine.runtime.clock import Clock, SteadyClock
from engine.runtime.store.changes import DAY, day, share
from engine.runtime.store.port import (
    Decide,
    DueWait,
    LapsedRun,
    MessageView,
    Order,
    RunFilter,
    RunView,
    Snapshot,
    StaleRecord,
    UsageKey,
    UsageSum,
)
from engine.runtime.store.rows import ConversationRow, EffectResultRow, OutboxRow, SignalRow, TaskRow, TurnRow, UsageRow
from engine.testing.memory.deliveries import MemoryDeliveries
from engine.testing.memory.reading import snapshot_of
from engine.testing.memory.rows import Rows
from engine.testing.memory.sums import is_chosen, sum_of
from engine.testing.memory.writing import changes_of

Answer = TypeVar("Answer")

_TRIES = 3


class MemoryStore:
    """Everything in dicts of one process; a turn is one piece of Python that nothing interrupts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = SteadyClock(clock)
        self._rows = Rows()
        self.deliveries = MemoryDeliveries(self._rows.outbox, self._clock)

    def now(self) -> Millis:
        """The given clock, which never goes back here."""
        return self._clock.now()

    async def take(self, order: Order, decide: Decide[Answer]) -> Answer:
        """Load, decide, save."""
        stale: StaleRecord | None = None
        for _ in range(_TRIES):
            snapshot = self._snapshot(order)
            try:
                decision, answer = decide(snapshot)
                changes_of(self._rows, snapshot, decision).apply()
                self._rows.remember(decision)
            except StaleRecord as error:
                stale = error
            else:
                return answer
        raise stale or StaleRecord

    def _snapshot(self, order: Order) -> Snapshot:
        return snapshot_of(self._rows, order, self.now())

    async def save_result(self, row: EffectResultRow) -> None:
        """The first one stays."""
        key = (row.tenant_id, row.run_id, row.rev, row.step)
        if key not in self._rows.results:
            self._rows.results.put(key, msgspec.msgpack.encode(row))

    async def result(self, tenant_id: str, run_id: str, rev: int, step: int) -> EffectResultRow | None:
        """By its key."""
        return self._rows.results.get((tenant_id, run_id, rev, step))

    async def signal(self, tenant_id: str, name: str) -> SignalRow | None:
        """Looks at every signal."""
        named = self._rows.signals.of(lambda row: (row.tenant_id, row.name) == (tenant_id, name))
        return min(named, key=lambda row: (row.at, row.id), default=None)

    async def lapsed(self, limit: int) -> Sequence[LapsedRun]:
        """Looks at every run."""
        out = self._rows.runs.of(lambda run: run.lease_until is not None and run.lease_until <= self.now())
        oldest = sorted(out, key=lambda run: run.lease_until or 0)[:limit]
        return [LapsedRun(tenant_id=run.tenant_id, run_id=run.id, attempts=run.attempts) for run in oldest]

    async def due(self, limit: int) -> Sequence[DueWait]:
        """Looks at every wait."""
        now = self.now()
        due = (DueWait(wait.tenant_id, wait.run_id, wait.id, wait.due_at) for wait in self._rows.open_waits() if wait.due_at <= now)
        return share(due, limit)

    async def next_due(self) -> Millis | None:
        """Looks at every wait."""
        return min((wait.due_at for wait in self._rows.open_waits()), default=None)

    async def run(self, tenant_id: str, run_id: str) -> RunView | None:
        """By its key."""
        run = self._rows.runs.get((tenant_id, run_id))
        return None if run is None else self._rows.view(run)

    async def runs(self, tenant_id: str, chosen: RunFilter) -> Sequence[RunView]:
        """Looks at every run."""
        views = (
            self._rows.view(run) for run in sorted(self._rows.runs, key=lambda run: run.id, reverse=True) if run.tenant_id == tenant_id
        )
        return [view for view in views if is_chosen(view, chosen)][: chosen.limit]

    async def turns(self, tenant_id: str, run_id: str) -> Sequence[TurnRow]:
        """In order of rev."""
        return self._rows.turns_of(tenant_id, run_id)

    async def conversation(self, tenant_id: str, conversation_id: str) -> ConversationRow | None:
        """By its key."""
        return self._rows.conversations.get((tenant_id, conversation_id))

    async def messages(self, tenant_id: str, conversation_id: str) -> Sequence[MessageView]:
        """In sequence."""
        replies = {turn.id: turn.reply for turn in self._rows.turns if turn.tenant_id == tenant_id}
        of_conversation = self._rows.messages.of(lambda row: (row.tenant_id, row.conversation_id) == (tenant_id, conversation_id))
        in_order = sorted(of_conversation, key=lambda row: (row.sequence, row.id))
        return [MessageView(message=row, reply=replies[row.turn_id]) for row in in_order]

    async def usage_of_turn(self, tenant_id: str, turn_id: str) -> Sequence[UsageRow]:
        """In order of their ids."""
        return sorted(self._rows.usage.of(lambda row: (row.tenant_id, row.turn_id) == (tenant_id, turn_id)), key=lambda row: row.id)

    async def usage(self, tenant_id: str, by: UsageKey) -> Sequence[UsageSum]:
        """Looks at every row."""
        of_key: defaultdict[str, list[UsageRow]] = defaultdict(list)
        for row in self._rows.usage.of(lambda row: row.tenant_id == tenant_id):
            of_key[{"day": day(row.at // DAY), "model": row.model, "flow": row.flow}[by]].append(row)
        return [sum_of(key, rows) for key, rows in sorted(of_key.items())]

    def outbox(self, tenant_id: str) -> Sequence[OutboxRow]:
        """What the tenant's webhooks are to be told, in order of each run; for tests to look at."""
        return sorted(self._rows.outbox.of(lambda row: row.tenant_id == tenant_id), key=lambda row: (row.run_id, row.rev, row.n))

    def count_turns(self) -> int:
        """Turns of all runs; for tests to look at."""
        return sum(1 for _ in self._rows.turns)

    def tasks(self, tenant_id: str) -> Sequence[TaskRow]:
        """The tenant's tasks, the oldest first; for tests to look at."""
        return sorted(self._rows.tasks.of(lambda row: row.tenant_id == tenant_id), key=lambda row: row.id)

    def rows(self) -> list[Struct]:
        """Every row of every table; for tests to look at."""
        return self._rows.all()

    def copy(self, clock: Clock) -> "MemoryStore":
        """Another store with the same rows but for those of deliveries, for a test that looks what would happen if."""
        twin = type(self)(clock)
        twin._rows = self._rows.copy()  # noqa: SLF001 - one of its own kind
        twin.deliveries = MemoryDeliveries(twin._rows.outbox, twin._clock)  # noqa: SLF001 - the same
        return twin

    async def prune(self, before: Millis) -> int:
        """All at once."""
        return self._rows.prune(before, self.now())

    async def healthy(self) -> None:
        """Memory always answers."""

    async def close(self) -> None:
        """Nothing to let go of."""
