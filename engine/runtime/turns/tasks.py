"""Tasks: claimed by workers for a while, kept alive by heartbeats, and ended once, by whoever holds the newest claim."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from engine.errors import ExecutionNotFound, InvalidWaitToken
from engine.model.events import Delivered
from engine.model.values import Json, Millis
from engine.runtime.store.port import Noted, Snapshot, TaskChanged
from engine.runtime.store.rows import TaskRow
from engine.runtime.turns.deciding import Decider, occasion_of
from engine.runtime.turns.memory import RunMemory
from engine.runtime.turns.occasion import Drafted


class Claimed(Struct, frozen=True):
    """Tasks that a worker has from now on, each until its `free_at`."""

    noted: Noted
    tasks: tuple[TaskRow, ...]


class Kept(Struct, frozen=True):
    """A claim that goes on, or is given back."""

    noted: Noted
    task: TaskRow


class Verdict(Struct, frozen=True, kw_only=True):
    """What a worker says of its task: its result, or the code of its failure."""

    result: Json = None
    code: str | None = None
    message: str = ""


def claim(lease: Millis, snapshot: Snapshot) -> Claimed:
    """Give out the free tasks that were asked for."""
    taken = tuple(replace(task, attempt=task.attempt + 1, free_at=snapshot.now + lease) for task in snapshot.free)
    return Claimed(Noted(tasks=tuple(TaskChanged(task, task.attempt - 1) for task in taken)), taken)


def keep(attempt: int, until: Callable[[Millis], Millis], snapshot: Snapshot) -> Kept:
    """Let the claim last until another moment; that of now gives the task back."""
    task = held(attempt, snapshot)
    kept = replace(task, free_at=until(snapshot.now))
    return Kept(Noted(tasks=(TaskChanged(kept, task.attempt),)), kept)


def held(attempt: int, snapshot: Snapshot) -> TaskRow:
    """The task, if the claim is still the newest and the task has not ended."""
    task = snapshot.task
    if task is None:
        raise ExecutionNotFound
    if task.attempt != attempt:
        raise InvalidWaitToken("superseded")
    if task.status != "open":
        raise InvalidWaitToken("used" if task.status in {"done", "failed"} else "expired")
    return task


class TaskDecider:
    """Decides what the result of a task does to its run."""

    def __init__(self, decider: Decider, memory: RunMemory) -> None:
        self._decider = decider
        self._memory = memory

    def deliver(self, attempt: int, verdict: Verdict, snapshot: Snapshot) -> Drafted:
        """Go on with the result; raises InvalidWaitToken where the claim or the wait is over."""
        held(attempt, snapshot)
        row, conversation, wait = snapshot.run, snapshot.conversation, snapshot.wait
        if row is None or conversation is None or wait is None or wait.ended_at is not None:
            raise InvalidWaitToken("used")
        if wait.deadline <= snapshot.now:
            raise InvalidWaitToken("expired")
        occasion = replace(occasion_of(row, conversation, snapshot, "delivered", closed="answered"), failed=verdict.code is not None)
        event = Delivered(
            at=snapshot.now, conversation=conversation.variables, result=verdict.result, code=verdict.code, message=verdict.message
        )
        return self._decider.advanced(occasion, self._memory.recall(row), event, lambda: 0)
