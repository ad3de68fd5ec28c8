"""The executor: takes requests and deadlines to the store, one path for all of them.

load -> decide (pure) -> save, in one transaction of the store; then, where the turn asked for a call, the call with no
transaction open and the same path again with its result.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
import structlog
from msgspec import Struct

from engine.errors import InvalidWaitToken
from engine.model.values import Limits, Millis
from engine.runtime.bulletin import Bulletin
from engine.runtime.catalog import Catalog, MissingVersion
from engine.runtime.clock import Clock
from engine.runtime.ids import FreshIds, NewId
from engine.runtime.performing import Outside
from engine.runtime.reading import Reader, latest_reply
from engine.runtime.replies import Announcement, TurnReply, decode_announcement, decode_reply, encode_reply
from engine.runtime.requests import Caller, CancelRequest, Idempotency, OpenRequest, ResumeRequest, SignalRequest, TriggerRequest
from engine.runtime.store.port import Decision, DueWait, Noted, Order, Snapshot, Store
from engine.runtime.store.rows import IdempotencyRow, WaitRow
from engine.runtime.tokens import Keyring
from engine.runtime.turns import tasks
from engine.runtime.turns.admission import stored_reply
from engine.runtime.turns.announcing import Announcer
from engine.runtime.turns.deciding import Decider
from engine.runtime.turns.leases import Claim, TakenOver
from engine.runtime.turns.memory import RecentRuns, RunMemory
from engine.runtime.turns.occasion import Announced, Drafted, Postponed
from engine.runtime.turns.opening import Opened, decide_opening
from engine.runtime.working import Worker

Outcome = TypeVar("Outcome", bound=Drafted | TakenOver | Postponed | Announced | tasks.Held | bytes | None)

_log = structlog.get_logger()

PATIENCE = 25.0
"""Seconds for which a request waits for its turn, unless it says otherwise."""


class Taken(Struct, frozen=True):
    """What a request is answered; `replayed`: the reply was stored under its key before."""

    reply: TurnReply
    replayed: bool = False


class Executor:
    """Runs turns against one store."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        keyring: Keyring,
        clock: Clock,
        *,
        limits: Limits | None = None,
        outside: Outside | None = None,
        new_id: NewId | None = None,
        memory: RunMemory | None = None,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._keyring = keyring
        self._clock = clock
        self._new_id = new_id or FreshIds()
        memory = memory or RecentRuns()
        self._decider = Decider(catalog, limits or Limits(), self._new_id, memory)
        self._tasks = tasks.TaskDecider(self._decider, memory)
        self._announcer = Announcer(self._decider, catalog, self._new_id, memory)
        self._looking: set[asyncio.Task[None]] = set()
        self.bulletin = Bulletin()
        self.reader = Reader(store, self.bulletin, clock)
        self.worker = Worker(store, self._decider, self._take, outside or Outside(), clock)

    async def open(self, tenant_id: str, asked: OpenRequest) -> Opened:
        """Open a conversation for a session, or continue the one that the session or its customer had."""
        order = Order(
            tenant_id=tenant_id, conversation_id=asked.continued, customer_id=asked.customer_id, idempotency=_key(asked.idempotency)
        )
        return await self._store.take(order, partial(decide_opening, tenant_id, asked, self._decider.limits, self._new_id))

    async def trigger(self, caller: Caller, asked: TriggerRequest, *, patience: float = PATIENCE) -> Taken:
        """Start a run of the intent's flow."""
        elapsed = self._stopwatch()
        order = Order(
            tenant_id=caller.tenant_id,
            conversation_id=asked.conversation_id or caller.conversation_id,
            customer_id=asked.customer_id,
            open_of=self._decider.rival(caller, asked),
            idempotency=_key(asked.idempotency),
        )
        outcome = await self._take(order, partial(self._decider.trigger, caller, asked, elapsed))
        return await self._answer(outcome, asked.idempotency, elapsed, patience)

    async def resume(self, caller: Caller, asked: ResumeRequest, *, patience: float = PATIENCE) -> Taken:
        """Answer the run's open wait; InvalidWaitToken tells what is true now."""
        elapsed = self._stopwatch()
        wait_id = self._keyring.wait_id(caller.tenant_id, asked.wait_token)
        order = Order(tenant_id=caller.tenant_id, run_id=asked.run_id, wait_id=wait_id, idempotency=_key(asked.idempotency))
        try:
            outcome = await self._take(order, partial(self._decider.resume, caller, asked, wait_id, elapsed))
        except InvalidWaitToken as refusal:
            refusal.current = await self.reader.latest(caller, asked.run_id)
            raise
        return await self._answer(outcome, asked.idempotency, elapsed, patience)

    async def cancel(self, caller: Caller, asked: CancelRequest) -> Taken:
        """End the run; one that has ended is left as it is."""
        elapsed = self._stopwatch()
        order = Order(tenant_id=caller.tenant_id, run_id=asked.run_id, idempotency=_key(asked.idempotency))
        outcome = await self._take(order, partial(self._decider.cancel, caller, asked, elapsed))
        if outcome is None:
            return await self._unchanged(caller.tenant_id, await self.reader.latest(caller, asked.run_id), asked.idempotency)
        return await self._answer(outcome, asked.idempotency, elapsed, PATIENCE)

    async def expire(self, due: DueWait, *, patient: bool = False) -> None:
        """Let a deadline act; nothing happens where an answer or a cancel was first. A patient one lets customers go before it."""
        order = Order(tenant_id=due.tenant_id, run_id=due.run_id, wait_id=due.wait_id, signals=True, patient=patient)
        outcome = await self._take(order, self._decider.expire)
        if isinstance(outcome, Drafted):
            await self._answer(outcome, None, self._stopwatch(), 0)

    async def give_up(self, due: DueWait) -> None:
        """End the run of a deadline that ends every process in which it acts."""
        order = Order(tenant_id=due.tenant_id, run_id=due.run_id, wait_id=due.wait_id, patient=True)
        await self._take(order, self._decider.give_up)

    async def claim_tasks(self, tenant_id: str, queue: str, limit: int, lease: Millis, key: Idempotency | None = None) -> tasks.Held:
        """Give free tasks of the queue to a worker, each until its `free_at`; callbacks in their payloads are still placeholders."""
        order = Order(tenant_id=tenant_id, queue=(queue, limit), idempotency=_key(key))
        return await self._take(order, partial(tasks.claim, tenant_id, lease, key))

    async def keep_task(
        self, tenant_id: str, task_id: str, attempt: int | None, lease: Millis, key: Idempotency | None = None
    ) -> tasks.Held:
        """Let a claim last so long from now on; 0 gives the task back. No attempt: whoever asks has no claim of this task."""
        order = Order(tenant_id=tenant_id, task_id=task_id, idempotency=_key(key))
        return await self._take(order, partial(tasks.keep, tenant_id, attempt, lease, key))

    async def deliver(
        self, tenant_id: str, task_id: str, attempt: int | None, verdict: tasks.Verdict, key: Idempotency | None = None
    ) -> Taken:
        """Let the run go on with what its task came to."""
        order = Order(tenant_id=tenant_id, task_id=task_id, idempotency=_key(key))
        outcome = await self._take(order, partial(self._tasks.deliver, attempt, verdict, key))
        return await self._answer(outcome, key, self._stopwatch(), 0)

    async def signal(self, tenant_id: str, asked: SignalRequest) -> Announcement:
        """Take an event from outside; the waits that it ends go on at once, and so do the runs that it starts.

        It is taken once it is kept: a run that cannot go on at this moment does so later, and keeps no other from it.
        """
        order = Order(tenant_id=tenant_id, run_id=asked.run_id, listening_to=asked.name, idempotency=_key(asked.idempotency))
        earlier = None if asked.run_id is None else await self._store.signal(tenant_id, asked.name)
        outcome = await self._take(order, partial(self._announcer.signal, tenant_id, asked, earlier))
        if isinstance(outcome, bytes):
            return msgspec.structs.replace(decode_announcement(outcome), replayed=True)
        for drafted in outcome.started:
            await self._answer(drafted, None, self._stopwatch(), 0)
        if woken := [self._look(wait) for wait in outcome.woken]:
            await asyncio.wait(woken)
        return Announcement(outcome.event_id, [*(wait.run_id for wait in outcome.woken), *(one.record.run.id for one in outcome.started)])

    def _stopwatch(self) -> Callable[[], Millis]:
        began = self._clock.monotonic()
        return lambda: round((self._clock.monotonic() - began) * 1000)

    async def _take(self, order: Order, decide: Callable[[Snapshot], Outcome]) -> Outcome:
        """One transaction; a flow version that is not in memory is fetched, and the turn taken again."""
        while True:
            try:
                outcome = await self._store.take(order, partial(_decision, decide))
            except MissingVersion as missing:
                if await self._catalog.fetch(missing.tenant_id, missing.ref) is None:
                    raise
                continue
            if isinstance(outcome, Drafted):
                for turn in outcome.replaced:
                    self.bulletin.post(turn.reply.execution_id)
                self.bulletin.post(outcome.reply.execution_id)
                if outcome.record.listening and outcome.record.opened is not None:
                    self._look(outcome.record.opened)
            return outcome

    def _look(self, wait: WaitRow) -> "asyncio.Task[None]":
        """See soon whether the event that the wait listens to has come; if nobody lives to see it, the sweep does."""
        task = asyncio.create_task(self.expire(DueWait(wait.tenant_id, wait.run_id, wait.id, wait.due_at)))
        self._looking.add(task)
        task.add_done_callback(self._looked)
        return task

    def _looked(self, task: "asyncio.Task[None]") -> None:
        self._looking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("look_failed", error=type(error).__name__)

    async def settle(self) -> None:
        """Let everything that goes on by itself come to rest."""
        while self._looking:
            await asyncio.wait({*self._looking})
        await self.worker.drain()

    async def _answer(self, outcome: Drafted | bytes, key: Idempotency | None, elapsed: Callable[[], Millis], patience: float) -> Taken:
        """The turn's reply, or what is known of it when patience runs out or another works on it now; the turn goes on then."""
        if isinstance(outcome, bytes):
            return Taken(decode_reply(outcome), replayed=True)
        if outcome.invoke is None:
            return Taken(outcome.reply)
        work = self.worker.begin(Claim.of(outcome, outcome.invoke), elapsed)
        reply = work.result() if await self.bulletin.wait(work, patience) else None
        return Taken(reply or await self._unfinished(outcome, key))

    async def _unfinished(self, drafted: Drafted, key: Idempotency | None) -> TurnReply:
        """What is known while the turn goes on; the first answer sent is the one that is kept under the request's key."""
        view = await self._store.run(drafted.record.run.tenant_id, drafted.reply.execution_id)
        reply = drafted.reply if view is None else latest_reply(view)
        if key is not None:
            row = self._kept(drafted.record.run.tenant_id, reply, key)
            await self._store.take(Order(tenant_id=row.tenant_id), lambda _: (Noted(idempotency=row), None))
        return reply

    async def _unchanged(self, tenant_id: str, reply: TurnReply, key: Idempotency | None) -> Taken:
        """The answer to a request that had nothing to change; it uses up its key like any other that is not refused."""
        if key is None:
            return Taken(reply)
        row = self._kept(tenant_id, reply, key)

        def decide(snapshot: Snapshot) -> tuple[Decision, bytes | None]:
            earlier = stored_reply(key, snapshot)
            return Noted(idempotency=row if earlier is None else None), earlier

        earlier = await self._store.take(Order(tenant_id=tenant_id, idempotency=_key(key)), decide)
        return Taken(reply) if earlier is None else Taken(decode_reply(earlier), replayed=True)

    def _kept(self, tenant_id: str, reply: TurnReply, key: Idempotency) -> IdempotencyRow:
        return IdempotencyRow(
            tenant_id=tenant_id,
            scope=key.scope,
            key=key.key,
            digest=key.digest,
            at=self._store.now(),
            turn_id=reply.turn_id,
            reply=encode_reply(reply),
        )


def _decision(decide: Callable[[Snapshot], Outcome], snapshot: Snapshot) -> tuple[Decision, Outcome]:
    outcome = decide(snapshot)
    match outcome:
        case Drafted():
            return outcome.record, outcome
        case TakenOver():
            return Noted(leased=outcome.leased), outcome
        case Postponed():
            return Noted(moved=(outcome.moved,)), outcome
        case Announced() | tasks.Held():
            return outcome.noted, outcome
        case _:
            return Noted(), outcome


def _key(asked: Idempotency | None) -> tuple[str, str] | None:
    return None if asked is None else (asked.scope, asked.key)
