"""The same executor over several stores, each with a clock and ids of its own that run alike: what is done to one is done to all."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from engine.errors import Refused
from engine.model.flow import Flow
from engine.model.values import Json, Millis
from engine.runtime.catalog import Catalog, encode_flow
from engine.runtime.executor import Executor
from engine.runtime.replies import TurnReply, decode_reply
from engine.runtime.requests import Caller, CancelRequest, Idempotency, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.store.port import Store
from engine.runtime.store.registry import Draft, Registry
from engine.runtime.store.sqlite.open import open_sqlite
from engine.runtime.tokens import Keyring
from engine.runtime.turns.memory import RunMemory, StoredRuns
from engine.testing.clock import ManualClock
from engine.testing.conversations.backstage import Ids
from engine.testing.conversations.memories import LivingRuns
from engine.testing.memory import MemoryRegistry, MemoryStore

TENANT: Final = "0198d000-0000-7000-8000-000000000001"
_KEYRING: Final = Keyring([bytes(32)])
_AT_ONCE: Final = 64


class Trigger(Struct, frozen=True):
    """Start a run."""

    intent: str
    text: str
    context: dict[str, Json]
    variables: dict[str, Json]


class Answer(Struct, frozen=True):
    """Answer a wait, open or not."""

    run: str
    wait: str
    text: str | None = None
    values: dict[str, Json] | None = None
    key: str | None = None


class Cancel(Struct, frozen=True):
    """End a run from outside."""

    run: str


class Pass(Struct, frozen=True):
    """Time goes by; `noticed`: what is due on the way acts at its own moment."""

    length: Millis
    noticed: bool = True


Action = Trigger | Answer | Cancel | Pass


class Said(Struct, frozen=True):
    """What came of an action: the turns, and the refusal where it was refused."""

    turns: tuple[TurnReply, ...] = ()
    refused: str | None = None
    problems: str = ""


class World:
    """One store, and the executor on it."""

    def __init__(self, name: str, store: Store, registry: Registry, clock: ManualClock, memory: RunMemory) -> None:
        self.name = name
        self.store = store
        self.registry = registry
        self.database: Path | None = None
        self._clock = clock
        self._catalog = Catalog(registry)
        self._executor = Executor(store, self._catalog, _KEYRING, clock, new_id=Ids(), memory=memory)
        self._caller = Caller(tenant_id=TENANT)

    async def publish(self, flows: Sequence[Flow]) -> int:
        """The flows under their own ids as intents, so that subflows can be triggered too; gives how many can be."""
        await self.registry.publish(TENANT, [_draft(flow) for flow in flows], self._clock.wall())
        await self._catalog.refresh()
        return len(self._catalog.intents(TENANT))

    async def open(self, locale: str | None) -> str:
        """Begin a conversation; gives its id."""
        opened = await self._executor.open(TENANT, OpenRequest(public_key_id="key", locale=locale))
        self._caller = Caller(tenant_id=TENANT, conversation_id=opened.conversation_id, public_key_id="key", locale=locale)
        return opened.conversation_id

    async def act(self, action: Action) -> Said:
        """Do it; nothing but a refusal is caught."""
        try:
            return Said(tuple(await self._acted(action)))
        except Refused as refusal:
            return Said((), refusal.code, msgspec.json.encode(refusal.details).decode())

    async def _acted(self, action: Action) -> list[TurnReply]:
        match action:
            case Trigger():
                asked = TriggerRequest(intent=action.intent, text=action.text, context=action.context, variables=action.variables)
                return [(await self._executor.trigger(self._caller, asked)).reply]
            case Answer():
                token = _KEYRING.wait_token(TENANT, action.wait)
                key = None if action.key is None else Idempotency("resume", action.key, sha256(repr(action).encode()).digest())
                answer = ResumeRequest(run_id=action.run, wait_token=token, text=action.text, values=action.values, idempotency=key)
                return [(await self._executor.resume(self._caller, answer)).reply]
            case Cancel():
                return [(await self._executor.cancel(self._caller, CancelRequest(run_id=action.run))).reply]
            case Pass():
                return await self._passed(action)

    async def _passed(self, action: Pass) -> list[TurnReply]:
        until = self.store.now() + action.length
        turns: list[TurnReply] = []
        while action.noticed and (due_at := await self.store.next_due()) is not None and due_at <= until:
            self._clock.advance(max(0, due_at - self.store.now()))
            for due in await self.store.due(_AT_ONCE):
                await self._executor.expire(due)
                turns.append(decode_reply((await self.store.turns(TENANT, due.run_id))[-1].reply))
        self._clock.advance(max(0, until - self.store.now()))
        return turns

    async def next_due(self) -> Millis | None:
        """How long it is until the clock has something to do."""
        due = await self.store.next_due()
        return None if due is None else max(0, due - self.store.now())

    async def story(self, runs: Sequence[str]) -> list[Any]:
        """All that is stored of the conversation and its runs."""
        told: list[Any] = [self.store.now(), await self.store.next_due(), await self.store.due(_AT_ONCE)]
        told.append(await self.store.conversation(TENANT, self._caller.conversation_id or ""))
        told += await self.store.messages(TENANT, self._caller.conversation_id or "")
        for run in runs:
            told.append(await self.store.run(TENANT, run))
            told += await self.store.turns(TENANT, run)
        return told + self._outbox()

    def _outbox(self) -> list[Any]:
        if isinstance(self.store, MemoryStore):
            return [msgspec.structs.astuple(row)[:7] for row in self.store.outbox(TENANT)]
        with closing(sqlite3.connect(self.database or "")) as connection:
            return connection.execute("SELECT tenant_id, id, run_id, rev, n, type, at FROM outbox ORDER BY run_id, rev, n").fetchall()

    async def close(self) -> None:
        """Let go of the store."""
        await self.store.close()
        await self.registry.close()


async def open_worlds(database: Path) -> list[World]:
    """Runs that are never stored, runs that are stored in memory, and runs that are stored in the file."""
    living, memory, sqlite = ManualClock(), ManualClock(), ManualClock()
    store, registry = await open_sqlite(database, sqlite, synchronous="normal")
    on_disk = World("sqlite", store, registry, sqlite, StoredRuns())
    on_disk.database = database
    return [
        World("memory", MemoryStore(memory), MemoryRegistry(), memory, StoredRuns()),
        World("living", MemoryStore(living), MemoryRegistry(), living, LivingRuns(None)),
        on_disk,
    ]


def _draft(flow: Flow) -> Draft:
    document = encode_flow(flow)
    return Draft(flow=flow.flow, digest=sha256(document).hexdigest(), intent=flow.flow, source="", document=document)
