"""What to do about each request, as a function from what is true: admit or refuse it, advance the run, draft the turn.

Everything here is pure given the catalog's view and the ids it is handed, so that a store may ask for a decision again.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from engine.errors import AnswerRefused, EventRefused, Unfit
from engine.interpreter import advance, matched_inputs
from engine.model.events import Answered, Cancelled, Event, GivenUp, Reminded, Returned, Signalled, Started, TimedOut
from engine.model.problems import Problem
from engine.model.run import Run, Trigger
from engine.model.values import Limits, Millis
from engine.runtime.catalog import Catalog
from engine.runtime.ids import NewId
from engine.runtime.requests import Caller, CancelRequest, Idempotency, ResumeRequest, TriggerRequest
from engine.runtime.store.port import OpenRun, Snapshot, WaitMoved
from engine.runtime.store.rows import ConversationRow, EventKind, RunRow, WaitEnd
from engine.runtime.turns import admission
from engine.runtime.turns.drafting import draft
from engine.runtime.turns.leases import ATTEMPTS, Claim, TakenOver, claimed, has_lapsed
from engine.runtime.turns.memory import RunMemory
from engine.runtime.turns.occasion import Begun, Drafted, Input, Occasion, Postponed
from engine.runtime.turns.signals import heard

Elapsed = Callable[[], Millis]
"""Milliseconds since the request came in."""

Outcome = Drafted | bytes | None
"""A new turn; the reply that was stored under the request's key; or nothing to be done."""


class Decider:
    """Decides turns by the catalog's view, within the limits."""

    def __init__(self, catalog: Catalog, limits: Limits, new_id: NewId, memory: RunMemory) -> None:
        self._catalog = catalog
        self.limits = limits
        self._new_id = new_id
        self._memory = memory

    def rival(self, caller: Caller, asked: TriggerRequest) -> str | None:
        """The flow whose open runs the trigger concerns; None where they go on beside it."""
        script = self._catalog.triggered(caller.tenant_id, asked.intent)
        return None if script is None or script.flow.on_trigger == "parallel" else script.ref.flow

    def trigger(self, caller: Caller, asked: TriggerRequest, elapsed: Elapsed, snapshot: Snapshot) -> Drafted | bytes:
        """Start a run in the conversation that was named, or the customer's; the tenant's server may leave a new one to be opened."""
        stored = admission.stored_reply(asked.idempotency, snapshot)
        if stored is not None:
            return stored
        script = admission.admitted_flow(caller, asked.intent, self._catalog)
        opens = caller.trusted and asked.conversation_id is None and snapshot.conversation is None
        found = self._opened(caller, asked, snapshot.now) if opens else snapshot.conversation
        conversation = admission.owned_conversation(caller, found, asked.customer_id)
        admission.demand_alone(script, snapshot)
        inputs, context, unfit = matched_inputs(script.flow, asked.context, "/context")
        taken = self._input(caller, asked, conversation, (*asked.unfit, *unfit))
        run_id = self._new_id(snapshot.now)
        occasion = Occasion(
            tenant_id=caller.tenant_id,
            event="started",
            snapshot=snapshot,
            conversation=conversation,
            run_id=run_id,
            flow=script.ref.flow,
            version=script.ref.version,
            intent=asked.intent,
            opened_conversation=conversation if opens else None,
            input=taken,
            idempotency=asked.idempotency,
        )
        locale = caller.locale or conversation.locale or script.flow.locale
        run = self._memory.begin(run_id, locale, Trigger(asked.intent, asked.text, context))
        event = Started(at=snapshot.now, conversation=occasion.variables, flow=script.ref.flow, version=script.ref.version, inputs=inputs)
        ended = (
            () if script.flow.on_trigger == "parallel" else tuple(self._ended(one, snapshot, conversation) for one in snapshot.open_runs)
        )
        return _with(self.advanced(occasion, run, event, elapsed), ended)

    def _opened(self, caller: Caller, asked: TriggerRequest, now: Millis) -> ConversationRow:
        return ConversationRow(
            tenant_id=caller.tenant_id, id=self._new_id(now), created_at=now, modified_at=now, customer_id=asked.customer_id
        )

    def resume(self, caller: Caller, asked: ResumeRequest, wait_id: str | None, elapsed: Elapsed, snapshot: Snapshot) -> Drafted | bytes:
        """Give the answer to the run that waits for it."""
        stored = admission.stored_reply(asked.idempotency, snapshot)
        if stored is not None:
            return stored
        row, conversation = admission.owned_run(caller, snapshot)
        admission.open_wait(row, snapshot, wait_id)
        admission.demand_open(conversation)
        event = partial(Answered, at=snapshot.now, values=asked.values, text=asked.text, context=asked.context)
        run = self._memory.recall(row)
        try:
            taken = self._input(caller, asked, conversation, asked.unfit)
        except Unfit as unfit:
            raise self._all_unfit(caller, unfit, run, event(conversation=conversation.variables)) from None
        occasion = occasion_of(row, conversation, snapshot, "answered", taken=taken, closed="answered", key=asked.idempotency)
        return self.advanced(occasion, run, event(conversation=occasion.variables), elapsed)

    def expire(self, snapshot: Snapshot) -> Drafted | Postponed | None:
        """Let the wait go on that is due, by a signal, a reminder or its deadline; it may turn out to be due only later."""
        row, conversation, wait = snapshot.run, snapshot.conversation, snapshot.wait
        if row is None or conversation is None or wait is None or wait.ended_at is not None or wait.due_at > snapshot.now:
            return None
        run = self._memory.recall(row)
        around = partial(occasion_of, row, conversation, snapshot)
        found = heard(run, wait, snapshot.signals)
        if found is not None:
            signal, place = found
            event = Signalled(at=snapshot.now, conversation=conversation.variables, id=signal.id, listening=place, data=signal.data)
            return self.advanced(around("signalled", closed="signalled"), run, event, _at_once)
        due = wait.deadline if run.pause is None else run.pause.due
        if due > snapshot.now:
            return Postponed(WaitMoved(wait.tenant_id, wait.id, wait.due_at, due))
        if run.pause is not None and run.pause.reminders:
            return self.advanced(around("reminded"), run, Reminded(at=snapshot.now, conversation=conversation.variables), _at_once)
        timed_out = TimedOut(at=snapshot.now, conversation=conversation.variables)
        return self.advanced(around("timed_out", closed="expired"), run, timed_out, _at_once)

    def give_up(self, snapshot: Snapshot) -> Drafted | None:
        """End the run whose wait is due, without a look at its flow: whoever let it go on died of it."""
        row, conversation, wait = snapshot.run, snapshot.conversation, snapshot.wait
        if row is None or conversation is None or wait is None or wait.ended_at is not None or wait.due_at > snapshot.now:
            return None
        return self._given_up(occasion_of(row, conversation, snapshot, "given_up", closed="cancelled"), self._memory.recall(row))

    def cancel(self, caller: Caller, asked: CancelRequest, elapsed: Elapsed, snapshot: Snapshot) -> Drafted | bytes | None:
        """End the run; a run that has ended stays as it is."""
        stored = admission.stored_reply(asked.idempotency, snapshot)
        if stored is not None:
            return stored
        row, conversation = admission.owned_run(caller, snapshot)
        run = self._memory.recall(row)
        if run.ended:
            return None
        waits = snapshot.wait is not None and snapshot.wait.ended_at is None
        closed: WaitEnd | None = "cancelled" if waits else None
        occasion = occasion_of(row, conversation, snapshot, "cancelled", closed=closed, key=asked.idempotency)
        return self.advanced(occasion, run, Cancelled(at=snapshot.now, conversation=conversation.variables), elapsed)

    def claim(self, begun: Begun, snapshot: Snapshot) -> TakenOver | Drafted | None:
        """Take over the call of a run whose worker has died; a run that has cost too many workers is given up."""
        row, conversation = snapshot.run, snapshot.conversation
        if row is None or conversation is None or not has_lapsed(row, snapshot.now):
            return None
        run = self._memory.recall(row)
        if row.attempts >= ATTEMPTS or run.pending is None:
            return self._given_up(occasion_of(row, conversation, snapshot, "given_up", begun=begun), run)
        leased = claimed(row, snapshot.now)
        claim = Claim(row.tenant_id, row.id, row.rev, leased.run.epoch, run.pending, begun, taken_over=True)
        return TakenOver(leased, claim)

    def returned(self, result: Returned, begun: Begun, epoch: int, elapsed: Elapsed, snapshot: Snapshot) -> Drafted | None:
        """Go on with a call's result; nothing happens where the claim is not ours any more."""
        row, conversation = snapshot.run, snapshot.conversation
        if row is None or conversation is None or row.status != "running" or row.epoch != epoch:
            return None
        occasion = occasion_of(row, conversation, snapshot, "returned", begun=begun)
        event = Returned(
            at=snapshot.now,
            conversation=conversation.variables,
            step=result.step,
            result=result.result,
            code=result.code,
            message=result.message,
        )
        return self.advanced(occasion, self._memory.recall(row), event, elapsed)

    def advanced(self, occasion: Occasion, run: Run, event: Event, elapsed: Elapsed) -> Drafted:
        """Take the event, and draft the turn."""
        step = advance(self._catalog.book(occasion.tenant_id), run, event, self.limits)
        self._memory.keep(step)
        return draft(occasion, step, self._catalog, self._new_id, elapsed)

    def _given_up(self, occasion: Occasion, run: Run) -> Drafted:
        event = GivenUp(at=occasion.now, conversation=occasion.conversation.variables, code="run.poison")
        return self.advanced(occasion, run, event, _at_once)

    def _ended(self, one: OpenRun, snapshot: Snapshot, conversation: ConversationRow) -> Drafted:
        """The last turn of a run that a new trigger of its flow replaces."""
        around = Snapshot(now=snapshot.now, conversation=conversation, run=one.run, wait=one.wait)
        occasion = occasion_of(one.run, conversation, around, "cancelled", closed=None if one.wait is None else "cancelled")
        event = Cancelled(at=snapshot.now, conversation=conversation.variables, reason="replaced")
        return self.advanced(occasion, self._memory.recall(one.run), event, _at_once)

    def _input(
        self, caller: Caller, asked: TriggerRequest | ResumeRequest, conversation: ConversationRow, unfit: tuple[Problem, ...]
    ) -> Input:
        kept, dropped, wrong = admission.accepted_variables(caller, conversation, asked.variables, self.limits.conversation_bytes)
        admission.demand_fit(*unfit, *wrong)
        return Input(
            text=asked.text,
            values=asked.values if isinstance(asked, ResumeRequest) else None,
            variables=kept,
            owned=frozenset(kept) if caller.trusted else frozenset(),
            dropped=dropped,
            usage=asked.usage,
            public_key_id=caller.public_key_id,
        )

    def _all_unfit(self, caller: Caller, unfit: Unfit, run: Run, event: Event) -> Unfit:
        """The request's own faults, and those of its answer as well: everything is told at once."""
        try:
            advance(self._catalog.book(caller.tenant_id), run, event, self.limits)
        except AnswerRefused as refusal:
            return Unfit([*unfit.problems, *refusal.problems])
        except EventRefused:
            return unfit
        return unfit


def occasion_of(
    row: RunRow,
    conversation: ConversationRow,
    snapshot: Snapshot,
    event: EventKind,
    *,
    taken: Input | None = None,
    closed: WaitEnd | None = None,
    begun: Begun | None = None,
    key: Idempotency | None = None,
) -> Occasion:
    """The occasion of an event of a stored run."""
    return Occasion(
        tenant_id=row.tenant_id,
        event=event,
        snapshot=snapshot,
        conversation=conversation,
        run_id=row.id,
        flow=row.flow,
        version=row.version,
        intent=row.intent,
        run=row,
        closed=closed,
        listened=closed is not None and row.status == "waiting_time",
        input=taken or Input(),
        begun=begun,
        idempotency=key,
    )


def _with(drafted: Drafted, replaced: tuple[Drafted, ...]) -> Drafted:
    """The turn, and with it the last turns of the runs that it replaces."""
    if not replaced:
        return drafted
    record = msgspec.structs.replace(drafted.record, before=tuple(one.record for one in replaced))
    return msgspec.structs.replace(drafted, record=record, replaced=replaced)


def _at_once() -> Millis:
    return 0
