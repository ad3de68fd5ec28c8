"""Everything that a store in memory keeps: a table for each kind of row, and what is looked up often."""

from msgspec import Struct

from engine.model.values import Millis
from engine.runtime.store.port import Decision, Record, RunView
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
from engine.testing.memory.tables import Table


class Rows:
    """The tables."""

    def __init__(self) -> None:
        self.conversations = Table(ConversationRow)
        self.runs = Table(RunRow)
        self.waits = Table(WaitRow)
        self.turns = Table(TurnRow)
        self.messages = Table(MessageRow)
        self.usage = Table(UsageRow)
        self.outbox = Table(OutboxRow)
        self.idempotency = Table(IdempotencyRow)
        self.results = Table(EffectResultRow)
        self.signals = Table(SignalRow)
        self.listening = Table(ListeningRow)
        self.tasks = Table(TaskRow)
        self._open: dict[tuple[str, str], str] = {}
        """(tenant, run) to its open wait."""

    def remember(self, decision: Decision) -> None:
        """What a decision that was put into the tables changes of what is known about them."""
        if not isinstance(decision, Record):
            for record in decision.turns:
                self.remember(record)
            return
        for record in decision.before:
            self.remember(record)
        if decision.closed is not None and decision.closed.listened:
            for row in self.listening.of(lambda row: row.wait_id == decision.closed.id):  # type: ignore[union-attr]
                self.listening.drop((row.tenant_id, row.name, row.wait_id))
        tenant, run_id = decision.run.tenant_id, decision.run.id
        if decision.closed is not None:
            self._open.pop((tenant, run_id), None)
        if decision.opened is not None:
            self._open[tenant, run_id] = decision.opened.id

    def open_wait(self, tenant_id: str, run_id: str) -> WaitRow | None:
        """The wait that the run is at."""
        wait_id = self._open.get((tenant_id, run_id))
        return None if wait_id is None else self.waits.get((tenant_id, wait_id))

    def open_waits(self) -> list[WaitRow]:
        """The waits of all runs that have not ended."""
        return [self.waits[tenant_id, wait_id] for (tenant_id, _), wait_id in self._open.items()]

    def stored(self, tenant_id: str, asked: tuple[str, str] | None) -> StoredReply | None:
        """What is kept under an idempotency key, if anything is."""
        row = None if asked is None else self.idempotency.get((tenant_id, *asked))
        if row is None:
            return None
        turn = self.turns.get((tenant_id, row.turn_id))
        if turn is not None and not turn.done:  # one that a cancel has overtaken is never done
            last = self.turns[tenant_id, self.runs[tenant_id, turn.run_id].turn_id]
            turn = last if last.previous_id == turn.id else None
        reply = row.reply if row.reply is not None or turn is None or not turn.done else turn.reply
        return StoredReply(digest=row.digest, at=row.at, done=reply is not None, reply=reply)

    def view(self, run: RunRow) -> RunView:
        """The run with its turns since the customer's last input."""
        conversation = self.conversations.get((run.tenant_id, run.conversation_id))
        turns = tuple(turn for turn in self.turns_of(run.tenant_id, run.id) if turn.rev >= run.input_rev)
        return RunView(run=run, customer_id=None if conversation is None else conversation.customer_id, turns=turns)

    def turns_of(self, tenant_id: str, run_id: str) -> list[TurnRow]:
        """The run's turns, in order of rev."""
        return sorted(self.turns.of(lambda turn: (turn.tenant_id, turn.run_id) == (tenant_id, run_id)), key=lambda turn: turn.rev)

    def prune(self, before: Millis, now: Millis) -> int:
        """Forget idempotency keys and events of earlier than that; gives how many there were. What a run may still ask for stays."""
        old = self.idempotency.of(lambda row: row.at < before)
        for row in old:
            self.idempotency.drop((row.tenant_id, row.scope, row.key))
        gone = self.signals.of(lambda row: row.at < before and not self._is_kept(row, now))
        for signal in gone:
            self.signals.drop((signal.tenant_id, signal.id))
        return len(old) + len(gone)

    def _is_kept(self, signal: SignalRow, now: Millis) -> bool:
        run = self.runs.get((signal.tenant_id, signal.run_id))
        listening = self.listening.of(lambda row: (row.tenant_id, row.name) == (signal.tenant_id, signal.name))
        waits = (self.waits[row.tenant_id, row.wait_id] for row in listening)
        looks = any(wait.ended_at is None and wait.due_at <= now for wait in waits)
        return looks or (run is not None and run.ended_at is None)

    def all(self) -> list[Struct]:
        """Every row of every table."""
        return [row for kept in vars(self).values() if isinstance(kept, Table) for row in kept]

    def copy(self) -> "Rows":
        """Other tables with the same rows."""
        twin = type(self)()
        for name, kept in vars(self).items():
            getattr(twin, name).update(kept)
        return twin
