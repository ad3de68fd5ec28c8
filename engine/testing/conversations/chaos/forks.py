"""What might have been: a copy of the conversation in which time goes on to the very moment of a deadline, and is thrown away."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import Struct

from engine.errors import Refused
from engine.model.values import Millis
from engine.runtime.executor import Executor
from engine.runtime.store.port import DueWait, Noted, Order
from engine.runtime.store.rows import WaitRow
from engine.testing.clock import ManualClock
from engine.testing.conversations.backstage import Ids
from engine.testing.conversations.chaos.comparing import answered_alike, answers_differ, first_difference
from engine.testing.conversations.chaos.places import InMemory
from engine.testing.conversations.chaos.requests import Request
from engine.testing.conversations.comparing import Mismatch
from engine.testing.memory import MemoryStore

_AT_ONCE: Final = 64
Build = Callable[[MemoryStore, Ids], Executor]


class Fork:
    """A store, a clock, ids and an executor of its own."""

    def __init__(self, store: MemoryStore, last: int, build: Build) -> None:
        self._clock = ManualClock(store.now())
        self._store = store.copy(self._clock)
        self._ids = Ids(last)
        self._build = build
        self._executor = build(self._store, self._ids)

    async def race(self, request: Request) -> DueWait | None:
        """Let the input, an answer, and its deadline meet in every order; Mismatch where not exactly one of them wins.

        Gives the wait as a sweep names it; None where it has no deadline that an answer could meet.
        """
        wait = await self._wait(request)
        if wait is None:
            return None
        await self._until(wait.deadline - 1)
        still = await self._wait(request)
        if still is None or still.id != wait.id:
            return None
        due = DueWait(wait.tenant_id, wait.run_id, wait.id, wait.deadline)
        await _meet(self, request, due)
        return due

    def twin(self) -> "Fork":
        """Another one from here."""
        return Fork(self._store, self._ids.last, self._build)

    async def send(self, send: Callable[[Executor], Awaitable[Any]]) -> Any:
        """What it is answered, or how it is refused."""
        try:
            return await send(self._executor)
        except Refused as refusal:
            return refusal
        finally:
            await self._executor.settle()

    def pass_moment(self) -> None:
        """The shortest time there is."""
        self._clock.advance(1)

    def rows(self) -> list[Struct]:
        """What is stored."""
        return InMemory(self._clock, self._store).rows()

    async def _wait(self, request: Request) -> WaitRow | None:
        """The open wait of the run that is answered."""
        if request.answers is None:
            return None
        order = Order(tenant_id=request.tenant_id, run_id=request.answers.run_id)
        wait = await self._store.take(order, lambda snapshot: (Noted(), snapshot.wait))
        return wait if wait is not None and wait.deadline > self._store.now() else None

    async def _until(self, moment: Millis) -> None:
        """Time goes by; what is due on the way acts at its own moment."""
        while (due_at := await self._store.next_due()) is not None and due_at <= moment:
            self._clock.advance(max(0, due_at - self._store.now()))
            for due in await self._store.due(_AT_ONCE):
                await self.send(lambda executor, due=due: executor.expire(due))  # type: ignore[misc]
        self._clock.advance(max(0, moment - self._store.now()))


async def _meet(fork: Fork, request: Request, due: DueWait) -> None:
    answer, sweep, moment = "answer", "deadline", "moment"

    async def told(*steps: str) -> tuple[Any, list[Struct]]:
        twin, outcome = fork.twin(), None
        for step in steps:
            if step == answer:
                outcome = await twin.send(request.send)
            elif step == sweep:
                await twin.send(lambda executor: executor.expire(due))
            else:
                twin.pass_moment()
        return outcome, twin.rows()

    early, late = await told(answer), await told(moment, sweep)
    _demand_same(request, "a millisecond before its deadline, which was swept first", early, await told(sweep, answer))
    if not isinstance(early[0], Refused):
        _demand_same(request, "a millisecond before its deadline, which came then", early, await told(answer, moment, sweep))
    for order in ((moment, answer, sweep), (moment, sweep, answer)):
        outcome, rows = await told(*order)
        if not isinstance(outcome, Refused):
            raise Mismatch(f"{request} came at its deadline, and was taken although the time was up")
        _demand_same(request, "at its deadline", late, (None, rows))


def _demand_same(request: Request, when: str, alone: tuple[Any, list[Struct]], both: tuple[Any, list[Struct]]) -> None:
    if not answered_alike(alone[0], both[0]):
        raise Mismatch(f"{request} came {when}, and was answered otherwise", answers_differ(alone[0], both[0]))
    if alone[1] != both[1]:
        raise Mismatch(f"{request} came {when}, and something else was stored", first_difference(alone[1], both[1]))
