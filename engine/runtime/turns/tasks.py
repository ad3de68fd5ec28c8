"""Tasks: claimed by workers for a while, kept alive by heartbeats, and ended once, by whoever holds the newest claim."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.errors import ExecutionNotFound, InvalidLease
from engine.model.events import Delivered
from engine.model.values import Json, Millis
from engine.runtime.requests import Idempotency
from engine.runtime.store.port import Noted, Snapshot, TaskChanged
from engine.runtime.store.rows import IdempotencyRow, TaskRow
from engine.runtime.turns.admission import stored_reply
from engine.runtime.turns.deciding import Decider, occasion_of
from engine.runtime.turns.memory import RunMemory
from engine.runtime.turns.occasion import Drafted


class Held(Struct, frozen=True):
    """Tasks that a worker has from now on, each until its `free_at`; `replayed`: it was told so before, under the same key."""

    noted: Noted
    tasks: tuple[TaskRow, ...]
    replayed: bool = False


_rows: Final = msgspec.msgpack.Decoder(tuple[TaskRow, ...])


class Verdict(Struct, frozen=True, kw_only=True):
    """What a worker says of its task: its result, or the code of its failure."""

    result: Json = None
    code: str | None = None
    message: str = ""


def claim(tenant_id: str, lease: Millis, key: Idempotency | None, snapshot: Snapshot) -> Held:
    """Give out the free tasks that were asked for."""
    stored = stored_reply(key, snapshot)
    if stored is not None:
        return _again(stored)
    taken = tuple(replace(task, attempt=abs(task.attempt) + 1, free_at=snapshot.now + lease) for task in snapshot.free)
    return _held(tenant_id, {task.id: task.attempt for task in snapshot.free}, taken, key, snapshot)


def keep(tenant_id: str, attempt: int | None, lease: Millis, key: Idempotency | None, snapshot: Snapshot) -> Held:
    """Let the claim last so long from now on; 0 gives the task back, and the claim is over at once."""
    stored = stored_reply(key, snapshot)
    if stored is not None:
        return _again(stored)
    task = held(attempt, snapshot)
    kept = replace(task, attempt=task.attempt if lease else -task.attempt, free_at=snapshot.now + lease)
    return _held(tenant_id, {task.id: task.attempt}, (kept,), key, snapshot)


def _held(tenant_id: str, before: Mapping[str, int], tasks: tuple[TaskRow, ...], key: Idempotency | None, snapshot: Snapshot) -> Held:
    kept = None
    if key is not None:
        reply = msgspec.msgpack.encode(tasks)
        kept = IdempotencyRow(tenant_id=tenant_id, scope=key.scope, key=key.key, digest=key.digest, at=snapshot.now, reply=reply)
    return Held(Noted(tasks=tuple(TaskChanged(task, before[task.id]) for task in tasks), idempotency=kept), tasks)


def _again(stored: bytes) -> Held:
    return Held(Noted(), _rows.decode(stored), replayed=True)


def held(attempt: int | None, snapshot: Snapshot) -> TaskRow:
    """The task, if the claim (None: of nobody) is still the newest and the task has not ended."""
    task = snapshot.task
    if task is None:
        raise ExecutionNotFound
    if attempt is None:
        raise InvalidLease("mismatched")
    if task.attempt != attempt:
        raise InvalidLease("superseded")
    if task.status != "open":
        raise InvalidLease("used" if task.status in {"done", "failed"} else "expired")
    return task


class TaskDecider:
    """Decides what the result of a task does to its run."""

    def __init__(self, decider: Decider, memory: RunMemory) -> None:
        self._decider = decider
        self._memory = memory

    def deliver(self, attempt: int | None, verdict: Verdict, key: Idempotency | None, snapshot: Snapshot) -> Drafted | bytes:
        """Go on with the result; raises InvalidLease where the claim or the wait is over."""
        stored = stored_reply(key, snapshot)
        if stored is not None:
            return stored
        held(attempt, snapshot)
        row, conversation, wait = snapshot.run, snapshot.conversation, snapshot.wait
        if row is None or conversation is None or wait is None or wait.ended_at is not None:
            raise InvalidLease("used")
        if wait.deadline <= snapshot.now:
            raise InvalidLease("expired")
        occasion = replace(
            occasion_of(row, conversation, snapshot, "delivered", closed="answered", key=key), failed=verdict.code is not None
        )
        event = Delivered(
            at=snapshot.now, conversation=conversation.variables, result=verdict.result, code=verdict.code, message=verdict.message
        )
        return self._decider.advanced(occasion, self._memory.recall(row), event, lambda: 0)
