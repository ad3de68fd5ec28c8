"""What an event from outside does: it is kept, wakes the waits that listen to it, and starts the runs of the flows that it starts."""

from msgspec.structs import replace

from engine.errors import IdempotencyConflict
from engine.interpreter import CompiledFlow, matched_inputs
from engine.model.events import Started
from engine.model.run import Trigger
from engine.runtime.catalog import Catalog
from engine.runtime.ids import NewId
from engine.runtime.replies import Announcement, encode_announcement
from engine.runtime.requests import SignalRequest
from engine.runtime.store.port import Noted, Snapshot, WaitMoved
from engine.runtime.store.rows import ConversationRow, IdempotencyRow, SignalRow
from engine.runtime.turns import admission
from engine.runtime.turns.deciding import Decider
from engine.runtime.turns.memory import RunMemory
from engine.runtime.turns.occasion import Announced, Drafted, Occasion
from engine.runtime.turns.signals import matches, same


class Announcer:
    """Decides what becomes of events; pure given the catalog's view and the ids it is handed."""

    def __init__(self, decider: Decider, catalog: Catalog, new_id: NewId, memory: RunMemory) -> None:
        self._decider = decider
        self._catalog = catalog
        self._new_id = new_id
        self._memory = memory

    def signal(self, tenant_id: str, asked: SignalRequest, earlier: SignalRow | None, snapshot: Snapshot) -> Announced | bytes:
        """Keep the event, wake the waits that listen to it, and start the runs of the flows that it starts.

        `earlier` is what a callback has brought already: it is called once, also when its key is forgotten.
        """
        stored = admission.stored_reply(asked.idempotency, snapshot)
        if stored is not None:
            return stored
        if asked.run_id is not None:
            admission.demand_running(snapshot)
        if earlier is not None:
            return _called_again(asked, earlier)
        row = SignalRow(
            tenant_id=tenant_id, id=self._new_id(snapshot.now), name=asked.name, at=snapshot.now, data=asked.data, run_id=asked.run_id
        )
        woken = tuple(one.wait for one in snapshot.listeners if any(matches(match, asked.data) for match in one.match))
        started = tuple(
            self._begun_by(script, row, snapshot)
            for script in self._catalog.subscribers(tenant_id, asked.name)
            if (on := script.flow.on_event) and matches(on.match, asked.data)
        )
        noted = Noted(
            signal=row,
            moved=tuple(WaitMoved(tenant_id, wait.id, wait.due_at, snapshot.now) for wait in woken if wait.due_at > snapshot.now),
            turns=tuple(one.record for one in started),
            idempotency=_noted_key(tenant_id, asked, row, [*(wait.run_id for wait in woken), *(one.record.run.id for one in started)]),
        )
        return Announced(noted=noted, event_id=row.id, woken=woken, started=started)

    def _begun_by(self, script: CompiledFlow, signal: SignalRow, snapshot: Snapshot) -> Drafted:
        """A run in a conversation of its own."""
        flow, now, run_id = script.flow, snapshot.now, self._new_id(snapshot.now)
        conversation = ConversationRow(tenant_id=signal.tenant_id, id=self._new_id(now), created_at=now, modified_at=now)
        inputs, _, _ = matched_inputs(flow, {})
        occasion = Occasion(
            tenant_id=signal.tenant_id,
            event="started",
            snapshot=Snapshot(now=now, conversation=conversation),
            conversation=conversation,
            run_id=run_id,
            flow=script.ref.flow,
            version=script.ref.version,
            intent=flow.intent_name or flow.flow,
            opened_conversation=conversation,
        )
        run = self._memory.begin(run_id, flow.locale, Trigger(occasion.intent, data=signal.data))
        run = replace(run, taken=(signal.id,))  # what began it is no answer to a wait of its own
        event = Started(at=now, flow=script.ref.flow, version=script.ref.version, inputs=inputs)
        return self._decider.advanced(occasion, run, event, lambda: 0)


def _called_again(asked: SignalRequest, earlier: SignalRow) -> bytes:
    if not same(earlier.data, asked.data):
        raise IdempotencyConflict
    return encode_announcement(Announcement(earlier.id, []))


def _noted_key(tenant_id: str, asked: SignalRequest, signal: SignalRow, execution_ids: list[str]) -> IdempotencyRow | None:
    key = asked.idempotency
    if key is None:
        return None
    reply = encode_announcement(Announcement(signal.id, execution_ids))
    return IdempotencyRow(tenant_id=tenant_id, scope=key.scope, key=key.key, digest=key.digest, at=signal.at, reply=reply)
