"""Inputs of a disturbed conversation, as what can be sent again: each has a key, as clients give them that repeat."""

from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from engine.runtime.executor import PATIENCE, Executor, Taken
from engine.runtime.replies import Announcement
from engine.runtime.requests import (
    Caller,
    CancelRequest,
    Idempotency,
    OpenRequest,
    ResumeRequest,
    SignalRequest,
    TriggerRequest,
)
from engine.runtime.store.port import DueWait
from engine.runtime.turns.opening import Opened
from engine.runtime.turns.tasks import Verdict

Asked = TypeVar("Asked", OpenRequest, TriggerRequest, ResumeRequest, CancelRequest, SignalRequest)
Send = Callable[[Executor], Awaitable[Any]]
_SCOPE: Final = "chaos"


class Request(Struct, frozen=True):
    """One input, on its way to whichever executor there is."""

    number: int
    """Inputs count from 1; opening the conversation is the first."""
    what: str
    send: Send
    """With its key, where it has one: sent again it gets the same answer."""
    bare: Send | None = None
    """Without a key; None where the same once more is something new, such as another trigger."""
    other: Send | None = None
    """Something else under the same key."""
    answers: ResumeRequest | None = None
    """What it asks for, where it answers a wait."""
    tenant_id: str = ""

    def __str__(self) -> str:
        return f"input {self.number} ({self.what})"


Deliver = Callable[[Request], Awaitable[Any]]


class Counter:
    """The doors of an executor, behind which each input is handed to whoever delivers it."""

    def __init__(self, tenant_id: str, deliver: Deliver, executor: Callable[[], Executor]) -> None:
        self._tenant_id = tenant_id
        self._deliver = deliver
        self._executor = executor
        self._number = 0

    async def open(self, tenant_id: str, asked: OpenRequest) -> Opened:
        """Each as the executor does it."""
        keyed = self._keyed(asked)
        opened: Opened = await self._deliver(self._request("open", lambda one: _opened(one, tenant_id, keyed)))
        return opened

    async def trigger(self, caller: Caller, asked: TriggerRequest, *, patience: float = PATIENCE) -> Taken:
        """With a key."""
        return await self._taken("trigger", partial(Executor.trigger, caller=caller, patience=patience), asked)

    async def resume(self, caller: Caller, asked: ResumeRequest, *, patience: float = PATIENCE) -> Taken:
        """With a key; without it the same answer is none any more."""
        return await self._taken("answer", partial(Executor.resume, caller=caller, patience=patience), asked, again=True)

    async def cancel(self, caller: Caller, asked: CancelRequest) -> Taken:
        """With a key; without it there is nothing left to end."""
        return await self._taken("cancel", partial(Executor.cancel, caller=caller), asked, again=True)

    async def expire(self, due: DueWait) -> None:
        """A deadline is delivered as often as one likes."""
        await self._deliver(self._request("deadline", lambda one: one.expire(due), bare=lambda one: one.expire(due)))

    async def signal(self, tenant_id: str, asked: SignalRequest) -> Announcement:
        """With a key."""
        keyed = self._keyed(asked)
        told: Announcement = await self._deliver(self._request("event", lambda one: _told(one, tenant_id, keyed)))
        return told

    async def deliver(self, tenant_id: str, task_id: str, attempt: int | None, verdict: Verdict, key: Idempotency | None = None) -> Taken:
        """With a key."""
        kept = key or self._key(verdict)
        taken: Taken = await self._deliver(self._request("task", lambda one: one.deliver(tenant_id, task_id, attempt, verdict, kept)))
        return taken

    async def settle(self) -> None:
        """Whatever is under way ends."""
        await self._executor().settle()

    async def _taken(self, what: str, act: Callable[..., Awaitable[Taken]], asked: Any, *, again: bool = False) -> Taken:
        keyed = self._keyed(asked)
        other = msgspec.structs.replace(keyed, idempotency=msgspec.structs.replace(keyed.idempotency, digest=b"another"))
        answers = keyed if isinstance(keyed, ResumeRequest) else None
        bare = (lambda one: act(one, asked=asked)) if again else None
        request = self._request(what, lambda one: act(one, asked=keyed), bare, lambda one: act(one, asked=other), answers)
        taken: Taken = await self._deliver(request)
        return taken

    def _request(self, what: str, send: Send, bare: Send | None = None, other: Send | None = None, answers: Any = None) -> Request:
        self._number += 1
        return Request(self._number, what, send, bare, other, answers, self._tenant_id)

    def _keyed(self, asked: Asked) -> Asked:
        return asked if asked.idempotency is not None else msgspec.structs.replace(asked, idempotency=self._key(asked))

    def _key(self, asked: Any) -> Idempotency:
        return Idempotency(_SCOPE, f"input {self._number + 1}", sha256(msgspec.msgpack.encode(asked)).digest())


async def _opened(executor: Executor, tenant_id: str, asked: OpenRequest) -> Opened:
    """Whether it was open already is not for the conversation to notice."""
    return msgspec.structs.replace(await executor.open(tenant_id, asked), replayed=False)


async def _told(executor: Executor, tenant_id: str, asked: SignalRequest) -> Announcement:
    """Whether the event had come already is not for the conversation to notice either."""
    return msgspec.structs.replace(await executor.signal(tenant_id, asked), replayed=False)
