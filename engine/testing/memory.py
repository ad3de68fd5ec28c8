"""A store and a registry in memory, with the promises of the port: what a test sees here, it sees on a database."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from engine.model.values import Millis
from engine.runtime.clock import Clock, SteadyClock
from engine.runtime.store.changes import DAY, changed, day, may_end, share
from engine.runtime.store.port import (
    ConversationChange,
    Decide,
    Decision,
    DueWait,
    LapsedRun,
    Listener,
    MessageView,
    Noted,
    OpenRun,
    Order,
    Record,
    RunFilter,
    RunView,
    Snapshot,
    StaleRecord,
    UsageKey,
    UsageSum,
    WaitClosed,
    WaitMoved,
)
from engine.runtime.store.rows import (
    ConversationRow,
    EffectResultRow,
    IdempotencyRow,
    ListeningRow,
    MessageRow,
    OutboxRow,
    RunRow,
    SignalRow,
    StoredReply,
    TaskRow,
    TurnRow,
    UsageRow,
    WaitRow,
)
from engine.testing.memory_deliveries import MemoryDeliveries
from engine.testing.memory_registry import MemoryRegistry
from engine.testing.memory_sums import is_chosen, sum_of
from engine.testing.memory_tables import Changes, Key, Table

__all__ = ["MemoryRegistry", "MemoryStore"]

Answer = TypeVar("Answer")

_TRIES = 3


class MemoryStore:
    """Everything in dicts of one process; a turn is one piece of Python that nothing interrupts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = SteadyClock(clock)
        self._conversations = Table(ConversationRow)
        self._runs = Table(RunRow)
        self._waits = Table(WaitRow)
        self._turns = Table(TurnRow)
        self._messages = Table(MessageRow)
        self._usage = Table(UsageRow)
        self._outbox = Table(OutboxRow)
        self._idempotency = Table(IdempotencyRow)
        self._results = Table(EffectResultRow)
        self._signals = Table(SignalRow)
        self._listening = Table(ListeningRow)
        self._tasks = Table(TaskRow)
        self._open: dict[tuple[str, str], str] = {}
        """(tenant, run) to its open wait."""
        self._turn_keys: dict[tuple[str, str | None], Key] = {}
        """(tenant, turn) to its key."""
        self.deliveries = MemoryDeliveries(self._outbox, self._clock)

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
                self._changes(snapshot, decision).apply()
                self._remember(decision)
            except StaleRecord as error:
                stale = error
            else:
                return answer
        raise stale or StaleRecord

    def _remember(self, decision: Decision) -> None:
        if not isinstance(decision, Record):
            for record in decision.turns:
                self._remember(record)
            return
        for record in decision.before:
            self._remember(record)
        if decision.closed is not None and decision.closed.listened:
            for row in self._listening.of(lambda row: row.wait_id == decision.closed.id):  # type: ignore[union-attr]
                self._listening.drop((row.tenant_id, row.name, row.wait_id))
        tenant, run_id = decision.run.tenant_id, decision.run.id
        if decision.closed is not None:
            self._open.pop((tenant, run_id), None)
        if decision.opened is not None:
            self._open[tenant, run_id] = decision.opened.id
        self._turn_keys[tenant, decision.turn.id] = (tenant, run_id, decision.turn.rev)

    def _snapshot(self, order: Order) -> Snapshot:
        tenant = order.tenant_id
        if order.task_id is not None:
            task = self._tasks.get((tenant, order.task_id))
            around = Order(tenant_id=tenant) if task is None else Order(tenant_id=tenant, run_id=task.run_id, wait_id=task.wait_id)
            return msgspec.structs.replace(self._snapshot(around), task=task, stored=self._stored(tenant, order.idempotency))
        wait = None if order.wait_id is None else self._waits.get((tenant, order.wait_id))
        run_id = order.run_id if order.run_id is not None or wait is None else wait.run_id
        run = self._runs.get((tenant, run_id))
        if order.wait_id is None and run is not None:
            wait = self._open_wait(tenant, run.id)
        conversation = None if run is None else self._conversations.get((tenant, run.conversation_id))
        return Snapshot(
            now=self.now(),
            stored=self._stored(tenant, order.idempotency),
            conversation=conversation or self._conversations.get((tenant, order.conversation_id)),
            run=run,
            wait=wait,
            open_runs=self._open_runs(order),
            signals=self._signals_for(order, run) if order.signals and run is not None else (),
            listeners=self._listeners(order),
            free=self._free_tasks(order),
        )

    def _free_tasks(self, order: Order) -> tuple[TaskRow, ...]:
        if order.queue is None:
            return ()
        (name, limit), now = order.queue, self.now()
        free = self._tasks.of(lambda row: (row.tenant_id, row.queue, row.status) == (order.tenant_id, name, "open") and row.free_at <= now)
        return tuple(sorted(free, key=lambda row: (row.free_at, row.id))[:limit])

    def _signals_for(self, order: Order, run: RunRow) -> tuple[SignalRow, ...]:
        names = {row.name for row in self._listening if (row.tenant_id, row.wait_id) == (order.tenant_id, order.wait_id)}
        found = self._signals.of(lambda row: row.tenant_id == order.tenant_id and row.name in names and row.at >= run.started_at)
        return tuple(sorted(found, key=lambda row: (row.at, row.id)))

    def _listeners(self, order: Order) -> tuple[Listener, ...]:
        if order.listening_to is None:
            return ()
        found = self._listening.of(lambda row: (row.tenant_id, row.name) == (order.tenant_id, order.listening_to))
        listeners = (Listener(self._waits[row.tenant_id, row.wait_id], row.match) for row in sorted(found, key=lambda row: row.wait_id))
        return tuple(one for one in listeners if one.wait.ended_at is None)

    def _open_runs(self, order: Order) -> tuple[OpenRun, ...]:
        if order.open_of is None:
            return ()
        key = (order.tenant_id, order.conversation_id, order.open_of)
        runs = self._runs.of(lambda run: (run.tenant_id, run.conversation_id, run.flow) == key and run.ended_at is None)
        in_order = sorted(runs, key=lambda run: run.id)
        return tuple(OpenRun(run, self._open_wait(run.tenant_id, run.id)) for run in in_order)

    def _stored(self, tenant_id: str, asked: tuple[str, str] | None) -> StoredReply | None:
        row = None if asked is None else self._idempotency.get((tenant_id, *asked))
        if row is None:
            return None
        turn = self._turns.get(self._turn_keys.get((tenant_id, row.turn_id), ()))
        if turn is not None and not turn.done:  # one that a cancel has overtaken is never done
            turn = self._turns.get((tenant_id, turn.run_id, turn.rev + 1))
        reply = row.reply if row.reply is not None or turn is None or not turn.done else turn.reply
        return StoredReply(digest=row.digest, at=row.at, done=reply is not None, reply=reply)

    def _open_wait(self, tenant_id: str, run_id: str) -> WaitRow | None:
        wait_id = self._open.get((tenant_id, run_id))
        return None if wait_id is None else self._waits.get((tenant_id, wait_id))

    def _open_waits(self) -> list[WaitRow]:
        return [self._waits[tenant_id, wait_id] for (tenant_id, _), wait_id in self._open.items()]

    def _changes(self, snapshot: Snapshot, decision: Decision) -> Changes:
        changes = Changes()
        match decision:
            case Record():
                for record in (*decision.before, decision):
                    self._change_run(changes, snapshot, record)
                self._change_conversation(changes, snapshot, decision, decision.turn.at)
            case Noted():
                if decision.leased is not None:
                    self._put_run(changes, decision.leased.run, decision.leased.expected)
                if decision.signal is not None:
                    changes.insert(self._signals, (decision.signal.tenant_id, decision.signal.id), decision.signal)
                for moved in decision.moved:
                    self._move(changes, moved)
                for change in decision.tasks:
                    task, before = change.task, self._tasks.get((change.task.tenant_id, change.task.id))
                    if before is None or before.status != "open" or before.attempt != change.was_attempt:
                        raise StaleRecord(f"Task {task.id} has ended, or is at another attempt.")
                    changes.put(self._tasks, (task.tenant_id, task.id), task)
                for record in decision.turns:
                    self._change_run(changes, snapshot, record)
                    self._change_conversation(changes, snapshot, record, record.turn.at)
                self._change_conversation(changes, snapshot, decision, snapshot.now)
                self._tell(changes, decision.outbox)
        if decision.idempotency is not None:
            kept = decision.idempotency
            changes.put(self._idempotency, (kept.tenant_id, kept.scope, kept.key), kept)
        return changes

    def _change_run(self, changes: Changes, snapshot: Snapshot, record: Record) -> None:
        run, turn, tenant = record.run, record.turn, record.run.tenant_id
        self._put_run(changes, run, record.expected)
        ended = None if record.closed is None else self._end(changes, tenant, record.closed, snapshot.now)
        if record.moved is not None:
            self._move(changes, record.moved)
        before = self._turns.get((tenant, turn.run_id, turn.rev))
        if before is not None and before.id != turn.id:
            raise StaleRecord(f"Run {run.id} has another turn {turn.rev} already.")
        changes.put(self._turns, (tenant, turn.run_id, turn.rev), turn)
        if record.opened is not None:
            still = self._open_wait(tenant, record.opened.run_id)
            if still is not None and still.id != ended:
                raise StaleRecord(f"Run {run.id} has an open wait already.")
            changes.insert(self._waits, (tenant, record.opened.id), record.opened)
        if record.task is not None:
            changes.insert(self._tasks, (tenant, record.task.id), record.task)
        for row in record.listening:
            changes.insert(self._listening, (tenant, row.name, row.wait_id), row)
        for message in record.messages:
            changes.insert(self._messages, (tenant, message.id), message)
        for usage in record.usage:
            changes.insert(self._usage, (tenant, usage.id), usage)
        self._tell(changes, record.outbox)

    def _tell(self, changes: Changes, outbox: Sequence[OutboxRow]) -> None:
        for told in outbox:
            changes.insert(self._outbox, (told.tenant_id, told.run_id, told.rev, told.n), told)

    def _put_run(self, changes: Changes, run: RunRow, expected: tuple[int, int] | None) -> None:
        stored = self._runs.get((run.tenant_id, run.id))
        if expected != (None if stored is None else (stored.rev, stored.epoch)):
            raise StaleRecord(f"Run {run.id} is not at {expected} any more.")
        changes.put(self._runs, (run.tenant_id, run.id), run)

    def _end(self, changes: Changes, tenant_id: str, closed: WaitClosed, now: Millis) -> str:
        wait = self._waits.get((tenant_id, closed.id))
        if wait is None or wait.ended_at is not None or not may_end(wait.deadline, closed.by, now):
            raise StaleRecord(f"Wait {closed.id} cannot be {closed.by} now.")
        changes.put(self._waits, (tenant_id, wait.id), msgspec.structs.replace(wait, ended_at=now, ended_by=closed.by))
        if closed.task is not None:
            for task in self._tasks.of(lambda row: (row.tenant_id, row.wait_id, row.status) == (tenant_id, wait.id, "open")):
                changes.put(self._tasks, (tenant_id, task.id), msgspec.structs.replace(task, status=closed.task))
        return wait.id

    def _move(self, changes: Changes, moved: WaitMoved) -> None:
        tenant_id = moved.tenant_id
        wait = self._waits.get((tenant_id, moved.id))
        if wait is None or wait.ended_at is not None or wait.due_at != moved.was_due_at:
            raise StaleRecord(f"Wait {moved.id} is not due at {moved.was_due_at} any more.")
        changes.put(self._waits, (tenant_id, wait.id), msgspec.structs.replace(wait, due_at=moved.due_at))

    def _change_conversation(self, changes: Changes, snapshot: Snapshot, decision: Decision, at: Millis) -> None:
        opened: ConversationRow | None = decision.opened_conversation
        change: ConversationChange | None = decision.conversation
        after = opened if change is None else changed(opened or snapshot.conversation, change, at)
        if after is not None:
            write = changes.put if opened is None else changes.insert
            write(self._conversations, (after.tenant_id, after.id), after)

    async def save_result(self, row: EffectResultRow) -> None:
        """The first one stays."""
        key = (row.tenant_id, row.run_id, row.rev, row.step)
        if key not in self._results:
            self._results.put(key, msgspec.msgpack.encode(row))

    async def result(self, tenant_id: str, run_id: str, rev: int, step: int) -> EffectResultRow | None:
        """By its key."""
        return self._results.get((tenant_id, run_id, rev, step))

    async def lapsed(self, limit: int) -> Sequence[LapsedRun]:
        """Looks at every run."""
        out = self._runs.of(lambda run: run.lease_until is not None and run.lease_until <= self.now())
        oldest = sorted(out, key=lambda run: run.lease_until or 0)[:limit]
        return [LapsedRun(tenant_id=run.tenant_id, run_id=run.id, attempts=run.attempts) for run in oldest]

    async def due(self, limit: int) -> Sequence[DueWait]:
        """Looks at every wait."""
        now = self.now()
        due = (DueWait(wait.tenant_id, wait.run_id, wait.id, wait.due_at) for wait in self._open_waits() if wait.due_at <= now)
        return share(due, limit)

    async def next_due(self) -> Millis | None:
        """Looks at every wait."""
        return min((wait.due_at for wait in self._open_waits()), default=None)

    async def run(self, tenant_id: str, run_id: str) -> RunView | None:
        """By its key."""
        run = self._runs.get((tenant_id, run_id))
        return None if run is None else self._view(run)

    def _view(self, run: RunRow) -> RunView:
        conversation = self._conversations.get((run.tenant_id, run.conversation_id))
        turns = tuple(turn for turn in self._turns_of(run.tenant_id, run.id) if turn.rev >= run.input_rev)
        return RunView(run=run, customer_id=None if conversation is None else conversation.customer_id, turns=turns)

    async def runs(self, tenant_id: str, chosen: RunFilter) -> Sequence[RunView]:
        """Looks at every run."""
        views = (self._view(run) for run in sorted(self._runs, key=lambda run: run.id, reverse=True) if run.tenant_id == tenant_id)
        return [view for view in views if is_chosen(view, chosen)][: chosen.limit]

    async def turns(self, tenant_id: str, run_id: str) -> Sequence[TurnRow]:
        """In order of rev."""
        return self._turns_of(tenant_id, run_id)

    def _turns_of(self, tenant_id: str, run_id: str) -> list[TurnRow]:
        return sorted(self._turns.of(lambda turn: (turn.tenant_id, turn.run_id) == (tenant_id, run_id)), key=lambda turn: turn.rev)

    async def conversation(self, tenant_id: str, conversation_id: str) -> ConversationRow | None:
        """By its key."""
        return self._conversations.get((tenant_id, conversation_id))

    async def open_conversation_of(self, tenant_id: str, customer_id: str) -> ConversationRow | None:
        """The newest by its creation."""
        of_customer = self._conversations.of(lambda row: (row.tenant_id, row.customer_id) == (tenant_id, customer_id))
        return max((row for row in of_customer if row.archived_at is None), key=lambda row: (row.created_at, row.id), default=None)

    async def messages(self, tenant_id: str, conversation_id: str) -> Sequence[MessageView]:
        """In sequence."""
        replies = {turn.id: turn.reply for turn in self._turns if turn.tenant_id == tenant_id}
        of_conversation = self._messages.of(lambda row: (row.tenant_id, row.conversation_id) == (tenant_id, conversation_id))
        in_order = sorted(of_conversation, key=lambda row: (row.sequence, row.id))
        return [MessageView(message=row, reply=replies[row.turn_id]) for row in in_order]

    async def usage_of_turn(self, tenant_id: str, turn_id: str) -> Sequence[UsageRow]:
        """In order of their ids."""
        return sorted(self._usage.of(lambda row: (row.tenant_id, row.turn_id) == (tenant_id, turn_id)), key=lambda row: row.id)

    async def usage(self, tenant_id: str, by: UsageKey) -> Sequence[UsageSum]:
        """Looks at every row."""
        of_key: defaultdict[str, list[UsageRow]] = defaultdict(list)
        for row in self._usage.of(lambda row: row.tenant_id == tenant_id):
            of_key[{"day": day(row.at // DAY), "model": row.model, "flow": row.flow}[by]].append(row)
        return [sum_of(key, rows) for key, rows in sorted(of_key.items())]

    def outbox(self, tenant_id: str) -> Sequence[OutboxRow]:
        """What the tenant's webhooks are to be told, in order of each run; for tests to look at."""
        return sorted(self._outbox.of(lambda row: row.tenant_id == tenant_id), key=lambda row: (row.run_id, row.rev, row.n))

    def count_turns(self) -> int:
        """Turns of all runs; for tests to look at."""
        return len(self._turn_keys)

    def tasks(self, tenant_id: str) -> Sequence[TaskRow]:
        """The tenant's tasks, the oldest first; for tests to look at."""
        return sorted(self._tasks.of(lambda row: row.tenant_id == tenant_id), key=lambda row: row.id)

    def rows(self) -> list[Struct]:
        """Every row of every table; for tests to look at."""
        return [row for kept in vars(self).values() if isinstance(kept, Table) for row in kept]

    def copy(self, clock: Clock) -> "MemoryStore":
        """Another store with the same rows but for those of deliveries, for a test that looks what would happen if."""
        twin = type(self)(clock)
        for name, kept in vars(self).items():
            if isinstance(kept, Table | dict):
                getattr(twin, name).update(kept)
        return twin

    async def prune(self, before: Millis) -> int:
        """All at once."""
        old = self._idempotency.of(lambda row: row.at < before)
        for row in old:
            self._idempotency.drop((row.tenant_id, row.scope, row.key))
        gone = self._signals.of(lambda row: row.at < before and not self._is_kept(row))
        for signal in gone:
            self._signals.drop((signal.tenant_id, signal.id))
        return len(old) + len(gone)

    def _is_kept(self, signal: SignalRow) -> bool:
        run = self._runs.get((signal.tenant_id, signal.run_id))
        listening = self._listening.of(lambda row: (row.tenant_id, row.name) == (signal.tenant_id, signal.name))
        waits = (self._waits[row.tenant_id, row.wait_id] for row in listening)
        looks = any(wait.ended_at is None and wait.due_at <= self.now() for wait in waits)
        return looks or (run is not None and run.ended_at is None)

    async def healthy(self) -> None:
        """Memory always answers."""

    async def close(self) -> None:
        """Nothing to let go of."""
