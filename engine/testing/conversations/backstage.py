"""What stands behind a scene: a store that the steps look into, the doors of an executor on it, and ids that count."""

from collections.abc import Callable, Sequence
from typing import Protocol

from engine.model.values import Millis
from engine.runtime.executor import PATIENCE, Executor, Taken
from engine.runtime.ids import NewId
from engine.runtime.performing import Outside
from engine.runtime.replies import Announcement
from engine.runtime.requests import Caller, CancelRequest, Idempotency, OpenRequest, ResumeRequest, SignalRequest, TriggerRequest
from engine.runtime.store.port import DueWait, Store
from engine.runtime.store.rows import OutboxRow, TaskRow
from engine.runtime.turns.opening import Opened
from engine.runtime.turns.tasks import Verdict
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryStore


class OpenStore(Store, Protocol):
    """A store that lets tests look at more than servers need."""

    def outbox(self, tenant_id: str) -> Sequence[OutboxRow]:
        """What the tenant's webhooks are to be told, in order of each run."""

    def tasks(self, tenant_id: str) -> Sequence[TaskRow]:
        """The tenant's tasks, oldest first."""

    def count_turns(self) -> int:
        """How many turns all runs have taken."""


class Doors(Protocol):
    """What a scene asks of an executor; see there."""

    async def open(self, tenant_id: str, asked: OpenRequest, /) -> Opened:
        """Open or continue a conversation."""

    async def trigger(self, caller: Caller, asked: TriggerRequest, /, *, patience: float = PATIENCE) -> Taken:
        """Start a run."""

    async def resume(self, caller: Caller, asked: ResumeRequest, /, *, patience: float = PATIENCE) -> Taken:
        """Answer a wait."""

    async def cancel(self, caller: Caller, asked: CancelRequest, /) -> Taken:
        """End a run."""

    async def expire(self, due: DueWait, /) -> None:
        """Let a deadline act."""

    async def signal(self, tenant_id: str, asked: SignalRequest, /) -> Announcement:
        """An event comes."""

    async def deliver(
        self, tenant_id: str, task_id: str, attempt: int | None, verdict: Verdict, key: Idempotency | None = None, /
    ) -> Taken:
        """A task's result comes."""

    async def settle(self) -> None:
        """Everything that goes on by itself comes to rest."""


class Backstage(Protocol):
    """A store and an executor for one performance."""

    @property
    def store(self) -> OpenStore:
        """As it is now."""

    @property
    def doors(self) -> Doors:
        """The way to the executor that there is now."""

    async def open(self) -> None:
        """Before the first step."""


Build = Callable[[Store, NewId, Outside | None], Executor]
"""Makes an executor on the store; None: with the test's stubs outside."""

SetUp = Callable[[ManualClock, Build], Backstage]
"""Sets up what stands behind a scene."""


class Ids:
    """UUIDs that count from 1, so that every performance of a test has the same ones."""

    def __init__(self, last: int = 0) -> None:
        self.last = last
        """The newest, by its number; those behind a smaller one are given once more."""

    def __call__(self, _at: Millis) -> str:
        """The next one, whatever the time."""
        self.last += 1
        return f"00000000-0000-7000-8000-{self.last:012x}"


class Calm:
    """A store in memory, and one executor on it from beginning to end."""

    def __init__(self, clock: ManualClock, build: Build) -> None:
        self.store: OpenStore = MemoryStore(clock)
        self.doors: Doors = build(self.store, Ids(), None)

    async def open(self) -> None:
        """Nothing is left to do."""
