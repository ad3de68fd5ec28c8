"""The scene of one test: the real executor over stores in memory, a clock that is moved by hand, and no network."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from engine.model.effects import Visit
from engine.model.flow import Flow
from engine.model.nodes import Http
from engine.model.run import Run
from engine.model.values import Json, Millis
from engine.runtime.callbacks import Callbacks
from engine.runtime.catalog import Catalog, encode_flow
from engine.runtime.connections import Terms, put_connection
from engine.runtime.executor import Executor
from engine.runtime.ids import NewId
from engine.runtime.outbound.port import Outbound
from engine.runtime.performing import Outside
from engine.runtime.replies import TurnReply, decode_reply
from engine.runtime.requesting import HttpPerformer
from engine.runtime.requests import Caller, CancelRequest, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.store.port import DueWait, RunView, Store
from engine.runtime.store.registry import Draft
from engine.runtime.store.rows import ConversationRow
from engine.runtime.tokens import Keyring
from engine.runtime.traces import decode_trace
from engine.runtime.turns.memory import RunMemory
from engine.runtime.vault import Vault
from engine.testing.clock import ManualClock
from engine.testing.conversations.backstage import Calm, Doors, OpenStore, SetUp
from engine.testing.conversations.calling import Calls
from engine.testing.conversations.script import START, Answer, Given
from engine.testing.conversations.stubs import Stub, Stubs
from engine.testing.memory_registry import MemoryRegistry

TENANT: Final = "test"
_KEYRING: Final = Keyring({"a": bytes(32)})
_CALLBACKS: Final = Callbacks(_KEYRING, "https://baton.invalid")
_VAULT: Final = Vault([bytes(32)])
_CONNECTION: Final = Terms(kind="bearer", base_url="https://connection.invalid", secret="-")  # noqa: S106 - opens nothing
_AT_ONCE: Final = 64
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

    def __init__(self, stage: Stage, given: Given, memory: RunMemory, stubs: Mapping[str, Sequence[Stub]], behind: SetUp = Calm) -> None:
        self._clock = ManualClock(given.now)
        self._memory = memory
        self.calls = Calls(Stubs(stage.tested, stage.flows, stubs), self._flow_of, stage.requests)
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
        return await self._settled((await self._executor.resume(self._caller, asked)).reply)

    async def cancel(self, run_id: str) -> TurnReply:
        """End the run from outside."""
        return (await self._executor.cancel(self._caller, CancelRequest(run_id=run_id))).reply

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
        """The turn that came of it; none where the wait turned out to be due only later."""
        before = await self.newest(due.run_id)
        await self._executor.expire(due)
        await self._executor.settle()
        self.calls.demand_answered()
        after = await self.newest(due.run_id)
        return [] if after.turn_id == before.turn_id else [after]

    async def _settled(self, reply: TurnReply) -> TurnReply:
        """The reply, once everything has come to rest that goes on by itself."""
        await self._executor.settle()
        self.calls.demand_answered()
        return reply

    async def newest(self, run_id: str) -> TurnReply:
        """The run's newest turn, whoever had a hand in it."""
        return decode_reply((await self.view(run_id)).turns[-1].reply)

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
        return await self.view(run_id), await self._conversation()

    async def variables(self) -> dict[str, Json]:
        """The conversation's variables."""
        return (await self._conversation()).variables

    async def _flow_of(self, run_id: str) -> str:
        return (await self.run(run_id)).frame.ref.flow

    async def _conversation(self) -> ConversationRow:
        return await self._executor.conversation(self._caller, self._caller.conversation_id or "")


def _connections(flows: Sequence[Flow]) -> list[str]:
    nodes = [node for flow in flows for node in flow.nodes.values()]
    return list(dict.fromkeys(node.connection for node in nodes if isinstance(node, Http) and node.connection is not None))


def _draft(flow: Flow, intent: str | None) -> Draft:
    document = encode_flow(flow)
    return Draft(flow=flow.flow, digest=sha256(document).hexdigest(), intent=intent, source="", document=document)
