"""The scene of one test: the real executor over stores in memory, a clock that is moved by hand, and no network."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from engine.model.effects import Visit
from engine.model.flow import Flow
from engine.model.nodes import Http, Node
from engine.model.run import Run
from engine.model.values import Json, Millis
from engine.runtime.callbacks import Callbacks, callbacks_in
from engine.runtime.catalog import Catalog, encode_flow
from engine.runtime.connections import Terms, put_connection
from engine.runtime.executor import Executor
from engine.runtime.ids import NewId
from engine.runtime.outbound.port import Outbound
from engine.runtime.performing import Outside
from engine.runtime.replies import TurnReply, decode_reply
from engine.runtime.requesting import HttpPerformer
from engine.runtime.requests import Caller, CancelRequest, Idempotency, OpenRequest, ResumeRequest, SignalRequest, TriggerRequest
from engine.runtime.store.port import DueWait, RunView, Store
from engine.runtime.store.registry import Draft
from engine.runtime.store.rows import ConversationRow, TaskRow
from engine.runtime.tokens import Keyring
from engine.runtime.traces import decode_trace
from engine.runtime.turns.memory import RunMemory
from engine.runtime.turns.signals import callback_name
from engine.runtime.turns.tasks import Verdict
from engine.runtime.vault import Vault
from engine.testing.clock import ManualClock
from engine.testing.conversations.backstage import Calm, Doors, OpenStore, SetUp
from engine.testing.conversations.calling import Calls, Unstubbed
from engine.testing.conversations.script import START, Answer, Given
from engine.testing.conversations.stubs import Stub, Stubs
from engine.testing.memory import MemoryRegistry

TENANT: Final = "test"
_KEYRING: Final = Keyring([bytes(32)])
_CALLBACKS: Final = Callbacks(_KEYRING, "https://baton.invalid")
_VAULT: Final = Vault([bytes(32)])
_CONNECTION: Final = Terms(kind="bearer", base_url="https://connection.invalid", secret="-")  # noqa: S106 - opens nothing
_AT_ONCE: Final = 64
_SERVER: Final = Caller(tenant_id=TENANT, surface="engine")
_CALLBACK: Final = "callback"
_EVERYBODYS: Final = "chat."
"""How the events begin that are told of every run; a flow's own cannot."""


class Stage:
    """The tested flow, and those that it runs, published and compiled once for any number of scenes."""

    def __init__(self, catalog: Catalog, tested: Flow, flows: Sequence[Flow]) -> None:
        self.catalog = catalog
        self.tested = tested
        self.flows = flows

    @property
    def intent(self) -> str:
        """What triggers the tested flow; for a subflow that nobody can trigger, its own id."""
        return self.tested.intent_name or self.tested.flow

    def requests(self, outbound: Outbound) -> HttpPerformer:
        """Makes requests as a server does, over that way out."""
        return HttpPerformer(outbound, self.catalog, _VAULT, _CALLBACKS)

    @classmethod
    async def of(cls, tested: Flow, flows: Sequence[Flow]) -> "Stage":
        """The flows, the tested one among them, as a tenant has them after publishing; every connection that they name is there."""
        registry = MemoryRegistry()
        stage = cls(Catalog(registry), tested, flows)
        drafts = [_draft(flow, stage.intent if flow is tested else None) for flow in flows]
        await registry.publish(TENANT, drafts, START)
        for name in _connections(flows):
            await put_connection(registry, _VAULT, TENANT, name, _CONNECTION, START)
        await stage.catalog.refresh()
        return stage


class Scene:
    """One conversation with the tested flow. Refusals are raised as the executor raises them, and change nothing.

    What starts a turn raises Mismatch where the turn made a call that the stubs do not answer.
    """

    def __init__(
        self,
        stage: Stage,
        given: Given,
        memory: RunMemory,
        stubs: Mapping[str, Sequence[Stub]],
        *,
        unstubbed: Unstubbed | None = None,
        behind: SetUp = Calm,
    ) -> None:
        self._clock = ManualClock(given.now)
        self._memory = memory
        self._flows = stage.flows
        self.calls = Calls(Stubs(stage.tested, stage.flows, stubs), self._flow_of, stage.requests, unstubbed)
        self._catalog = stage.catalog
        self._behind = behind(self._clock, self._build)
        self._intent = stage.intent
        self._given = given
        self._caller = Caller(tenant_id=TENANT, locale=given.locale)

    def _build(self, store: Store, new_id: NewId, outside: Outside | None) -> Executor:
        outside = outside or Outside({"http": self.calls})
        return Executor(store, self._catalog, _KEYRING, self._clock, outside=outside, new_id=new_id, memory=self._memory)

    @property
    def _store(self) -> OpenStore:
        return self._behind.store

    @property
    def _executor(self) -> Doors:
        return self._behind.doors

    async def open(self) -> None:
        """Open the conversation, with its variables."""
        await self._behind.open()
        given = self._given
        asked = OpenRequest(public_key_id=TENANT, locale=given.locale, variables=given.variables)
        opened = await self._executor.open(TENANT, asked)
        self._caller = Caller(tenant_id=TENANT, conversation_id=opened.conversation_id, locale=given.locale)

    async def trigger(self, text: str) -> TurnReply:
        """Start a run of the tested flow."""
        asked = TriggerRequest(intent=self._intent, text=text, context=self._given.context)
        return await self._settled((await self._executor.trigger(self._caller, asked)).reply)

    async def answer(self, run_id: str, wait_id: str, answer: Answer) -> TurnReply:
        """Answer the wait."""
        token = _KEYRING.wait_token(TENANT, wait_id)
        text, values = (answer, None) if isinstance(answer, str) else (None, answer)
        asked = ResumeRequest(run_id=run_id, wait_token=token, values=values, text=text)
        return await self._settled((await self._executor.resume(await self._caller_of(run_id), asked)).reply)

    async def cancel(self, run_id: str) -> TurnReply:
        """End the run from outside."""
        return (await self._executor.cancel(await self._caller_of(run_id), CancelRequest(run_id=run_id))).reply

    async def pass_time(self, length: Millis) -> list[TurnReply]:
        """Let time go by; every reminder and deadline on the way acts at its own moment. Gives the turns that came of it, in order."""
        until = self._store.now() + length
        turns: list[TurnReply] = []
        while (due_at := await self._store.next_due()) is not None and due_at <= until:
            self._clock.advance(due_at - self._store.now())
            for due in await self._store.due(_AT_ONCE):
                turns += await self._expired(due)
        self._clock.advance(until - self._store.now())
        return turns

    async def _expired(self, due: DueWait) -> list[TurnReply]:
        """The turns that came of it; none where the wait turned out to be due only later."""
        before = await self.newest(due.run_id)
        await self._executor.expire(due)
        await self._settle()
        return await self.turns_after(due.run_id, before.rev)

    async def happen(self, name: str, data: dict[str, Json]) -> list[str]:
        """An event comes from outside; gives the ids of the runs that it has woken or started."""
        told = await self._executor.signal(TENANT, SignalRequest(name=name, data=data))
        await self._settle()
        return told.execution_ids

    async def call_back(self, run_id: str, callback: str, body: Json) -> None:
        """Somebody calls an address that the run gave away."""
        name = callback_name(run_id, callback)
        idempotency = Idempotency(_CALLBACK, name, sha256(msgspec.json.encode(body)).digest())
        await self._executor.signal(TENANT, SignalRequest(name=name, data=body, run_id=run_id, idempotency=idempotency))
        await self._settle()

    def given_away(self, run_id: str) -> list[str]:
        """The callbacks whose addresses have left the run: in requests, in payloads of tasks, and in events for webhooks."""
        payloads = [task.payload for task in self._store.tasks(TENANT) if task.run_id == run_id]
        told = [row.payload for row in self._store.outbox(TENANT) if row.run_id == run_id]
        return [callback for value in (*self.calls.asked_by(run_id), *payloads, *told) for callback in callbacks_in(value)]

    def nodes(self, flow: str) -> Mapping[str, Node]:
        """The nodes of one of the flows."""
        return next((one.nodes for one in self._flows if one.flow == flow), {})

    async def end_task(self, wait_id: str, verdict: Verdict) -> None:
        """Give the result of the task that the wait is for, whoever has claimed it."""
        task = next(task for task in self._store.tasks(TENANT) if task.wait_id == wait_id)
        await self._executor.deliver(TENANT, task.id, task.attempt, verdict)
        await self._settle()

    async def _settled(self, reply: TurnReply) -> TurnReply:
        """The reply, once everything has come to rest that goes on by itself."""
        await self._settle()
        return reply

    async def _settle(self) -> None:
        """Let everything come to rest that goes on by itself; a task that has a stub is done at once."""
        await self._executor.settle()
        while (stubbed := await self._stubbed_task()) is not None:
            task, verdict = stubbed
            await self._executor.deliver(TENANT, task.id, task.attempt, verdict)
            await self._executor.settle()
        self.calls.demand_answered()

    async def _stubbed_task(self) -> tuple[TaskRow, Verdict] | None:
        """The first open task that has a stub."""
        for task in self._store.tasks(TENANT):
            if task.status == "open":
                reply = await self.newest(task.run_id)
                verdict = self.calls.verdict(reply.flow or "", reply.node or "")
                if verdict is not None:
                    return task, verdict
        return None

    async def newest(self, run_id: str) -> TurnReply:
        """The run's newest turn, whoever had a hand in it."""
        return decode_reply((await self.view(run_id)).turns[-1].reply)

    def count_turns(self) -> int:
        """How many turns all runs have taken."""
        return self._store.count_turns()

    async def turns_after(self, run_id: str, rev: int) -> list[TurnReply]:
        """The run's turns behind the one of that number, in order."""
        return [decode_reply(turn.reply) for turn in await self._store.turns(TENANT, run_id) if turn.rev > rev]

    async def view(self, run_id: str) -> RunView:
        """The run as it is stored, with its turns since the last input."""
        view = await self._store.run(TENANT, run_id)
        if view is None:
            raise LookupError(run_id)
        return view

    async def run(self, run_id: str) -> Run:
        """The run as the next turn would see it."""
        return self._memory.recall((await self.view(run_id)).run)

    async def visits(self, run_id: str) -> list[Visit]:
        """The way that the run took, from its beginning."""
        return [visit for turn in await self._store.turns(TENANT, run_id) for visit in decode_trace(turn.trace).visits]

    def emitted(self, run_id: str) -> list[dict[str, Json]]:
        """The events that the run's nodes have sent to webhooks, in order."""
        rows = [row for row in self._store.outbox(TENANT) if row.run_id == run_id and not row.type.startswith(_EVERYBODYS)]
        return [{"event": row.type, "data": row.payload} for row in rows]

    async def stored(self, run_id: str) -> tuple[RunView, ConversationRow]:
        """All that is stored of the run and its conversation, for telling whether anything has changed."""
        return await self.view(run_id), await self._conversation(run_id)

    async def variables(self, run_id: str) -> dict[str, Json]:
        """The variables of the run's conversation."""
        return (await self._conversation(run_id)).variables

    async def _flow_of(self, run_id: str) -> str:
        return (await self.run(run_id)).frame.ref.flow

    async def _conversation(self, run_id: str) -> ConversationRow:
        row = await self._store.conversation(TENANT, (await self.view(run_id)).run.conversation_id)
        if row is None:
            raise LookupError(run_id)
        return row

    async def _caller_of(self, run_id: str) -> Caller:
        """The customer; a run that an event has started is in a conversation of its own, where the tenant's server speaks."""
        own = (await self.view(run_id)).run.conversation_id == self._caller.conversation_id
        return self._caller if own else _SERVER


def _connections(flows: Sequence[Flow]) -> list[str]:
    nodes = [node for flow in flows for node in flow.nodes.values()]
    return list(dict.fromkeys(node.connection for node in nodes if isinstance(node, Http) and node.connection is not None))


def _draft(flow: Flow, intent: str | None) -> Draft:
    document = encode_flow(flow)
    return Draft(flow=flow.flow, digest=sha256(document).hexdigest(), intent=intent, source="", document=document)
