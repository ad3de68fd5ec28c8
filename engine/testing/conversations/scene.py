"""The scene of one test: the real executor over stores in memory, a clock that is moved by hand, and no network."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import count
from typing import Final

from engine.model.effects import Visit
from engine.model.flow import Flow
from engine.model.run import Run
from engine.model.values import Json, Millis
from engine.runtime.catalog import Catalog, encode_flow
from engine.runtime.executor import Executor
from engine.runtime.replies import TurnReply, decode_reply
from engine.runtime.requests import Caller, CancelRequest, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.store.port import DueWait, RunView
from engine.runtime.store.registry import Draft
from engine.runtime.store.rows import ConversationRow
from engine.runtime.tokens import Keyring
from engine.runtime.traces import decode_trace
from engine.runtime.turns.memory import RunMemory
from engine.testing.clock import ManualClock
from engine.testing.conversations.script import START, Answer, Given
from engine.testing.memory import MemoryStore
from engine.testing.memory_registry import MemoryRegistry

TENANT: Final = "test"
_KEYRING: Final = Keyring({"a": bytes(32)})
_AT_ONCE: Final = 64


class Stage:
    """The tested flow, and those that it runs, published and compiled once for any number of scenes."""

    def __init__(self, catalog: Catalog, intent: str) -> None:
        self.catalog = catalog
        self.intent = intent
        """What triggers the tested flow; for a subflow that nobody can trigger, its own id."""

    @classmethod
    async def of(cls, tested: Flow, flows: Sequence[Flow]) -> "Stage":
        """The flows, the tested one among them, as a tenant has them after publishing."""
        registry = MemoryRegistry()
        intent = tested.intent_name or tested.flow
        drafts = [_draft(flow, intent if flow is tested else None) for flow in flows]
        await registry.publish(TENANT, drafts, START)
        catalog = Catalog(registry)
        await catalog.refresh()
        return cls(catalog, intent)


class Scene:
    """One conversation with the tested flow. Refusals are raised as the executor raises them, and change nothing."""

    def __init__(self, stage: Stage, given: Given, memory: RunMemory) -> None:
        self._clock = ManualClock(given.now)
        self._store = MemoryStore(self._clock)
        self._memory = memory
        self._executor = Executor(self._store, stage.catalog, _KEYRING, self._clock, new_id=_ids().__next__, memory=memory)
        self._intent = stage.intent
        self._given = given
        self._caller = Caller(tenant_id=TENANT, locale=given.locale)

    async def open(self) -> None:
        """Open the conversation, with its variables."""
        given = self._given
        asked = OpenRequest(public_key_id=TENANT, locale=given.locale, variables=given.variables)
        opened = await self._executor.open(TENANT, asked)
        self._caller = Caller(tenant_id=TENANT, conversation_id=opened.conversation_id, locale=given.locale)

    async def trigger(self, text: str) -> TurnReply:
        """Start a run of the tested flow."""
        asked = TriggerRequest(intent=self._intent, text=text, context=self._given.context)
        return (await self._executor.trigger(self._caller, asked)).reply

    async def answer(self, run_id: str, wait_id: str, answer: Answer) -> TurnReply:
        """Answer the wait."""
        token = _KEYRING.wait_token(TENANT, wait_id)
        text, values = (answer, None) if isinstance(answer, str) else (None, answer)
        asked = ResumeRequest(run_id=run_id, wait_token=token, values=values, text=text)
        return (await self._executor.resume(self._caller, asked)).reply

    async def cancel(self, run_id: str) -> TurnReply:
        """End the run from outside."""
        return (await self._executor.cancel(self._caller, CancelRequest(run_id=run_id))).reply

    async def pass_time(self, length: Millis) -> list[TurnReply]:
        """Let time go by; every reminder and deadline on the way acts at its own moment. Gives the turns that came of it, in order."""
        until = self._store.now() + length
        turns: list[TurnReply] = []
        while (due_at := await self._store.next_due()) is not None and due_at <= until:
            self._clock.advance(due_at - self._store.now())
            turns += [await self._expired(due) for due in await self._store.due(_AT_ONCE)]
        self._clock.advance(until - self._store.now())
        return turns

    async def _expired(self, due: DueWait) -> TurnReply:
        await self._executor.expire(due)
        return await self.newest(due.run_id)

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

    async def stored(self, run_id: str) -> tuple[RunView, ConversationRow]:
        """All that is stored of the run and its conversation, for telling whether anything has changed."""
        return await self.view(run_id), await self._conversation()

    async def variables(self) -> dict[str, Json]:
        """The conversation's variables."""
        return (await self._conversation()).variables

    async def _conversation(self) -> ConversationRow:
        return await self._executor.conversation(self._caller, self._caller.conversation_id or "")


def _draft(flow: Flow, intent: str | None) -> Draft:
    document = encode_flow(flow)
    return Draft(flow=flow.flow, digest=sha256(document).hexdigest(), intent=intent, source="", document=document)


def _ids() -> Iterator[str]:
    """UUIDs that count from 1, so that every performance of a test has the same ones."""
    return (f"00000000-0000-7000-8000-{number:012x}" for number in count(1))
