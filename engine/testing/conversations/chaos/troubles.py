"""The disturbances. Each counts the occasions on which it may act, acts on all of them or on one, and says what must not have happened."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, Protocol

from msgspec import Struct

from engine.errors import IdempotencyConflict, Refused, TurnInProgress
from engine.model.values import Millis
from engine.testing.clock import ManualClock
from engine.testing.conversations.chaos.comparing import answered_alike, answers_differ, first_difference
from engine.testing.conversations.chaos.forks import Fork
from engine.testing.conversations.chaos.places import InMemory
from engine.testing.conversations.chaos.processes import Moment, Processes
from engine.testing.conversations.chaos.requests import Request, Send
from engine.testing.conversations.comparing import Mismatch

_HOUR: Final[Millis] = 3_600_000
_KEPT: Final[Millis] = 23 * _HOUR
"""For so long a request may be repeated for certain: its key is kept for a day."""
_AT_ONCE: Final = 64


class Trouble(Protocol):
    """One kind of disturbance, in one performance."""

    name: str
    """What happens, in a few words."""
    occasions: int
    """How many there were so far."""
    happened: str
    """What happened last, and when; empty while nothing has."""

    def doom(self) -> Moment | None:
        """Asked at every commit."""

    async def deliver(self, processes: Processes, request: Request) -> Any:
        """Bring the input to the engine."""

    async def end(self, processes: Processes) -> None:
        """The conversation is over."""


Make = Callable[[ManualClock, Random, "int | None"], Trouble]
"""The third: the one occasion on which it acts; None: on all of them."""


class Nothing:
    """Every input comes once and in peace."""

    name = "nothing"

    def __init__(self, clock: ManualClock, chance: Random, only: int | None) -> None:
        self.clock = clock
        self.chance = chance
        self.occasions = 0
        self.happened = ""
        self._only = only

    def doom(self) -> Moment | None:
        """Nobody dies."""
        return None

    async def deliver(self, processes: Processes, request: Request) -> Any:
        """As it is."""
        return await processes.do(request.send)

    async def end(self, processes: Processes) -> None:
        """Nothing is left to do."""

    def acts(self, what: str) -> bool:
        """Whether this occasion is one on which it acts."""
        self.occasions += 1
        if self._only not in {None, self.occasions}:
            return False
        self.happened = f"{what}, occasion {self.occasions}"
        return True


class Twice(Nothing):
    """Every input comes twice at once, a third time behind that, and once more at the end; then without its key, and with another body."""

    name = "every input comes more than once"

    def __init__(self, clock: ManualClock, chance: Random, only: int | None) -> None:
        super().__init__(clock, chance, only)
        self._taken: list[tuple[Request, Millis, Any]] = []

    async def deliver(self, processes: Processes, request: Request) -> Any:
        """The answer is always the same, and once is enough for the effect."""
        if not self.acts(f"{request} came more than once"):
            return await processes.do(request.send)
        outcome = (await asyncio.gather(*(_outcome(processes, request.send) for _ in range(2))))[0]
        await processes.executor.settle()
        await self._repeat(processes, request, outcome)
        if isinstance(outcome, Refused):
            raise outcome
        self._taken.append((request, processes.place.store.now(), outcome))
        return outcome

    async def _repeat(self, processes: Processes, request: Request, outcome: Any) -> None:
        before = processes.place.rows()
        _demand_same(request, outcome, await _outcome(processes, request.send))
        if not isinstance(outcome, Refused):
            bare = None if request.bare is None else await _outcome(processes, request.bare)
            if request.answers is not None and not isinstance(bare, Refused):
                raise Mismatch(f"{request} came again without its key, and was taken twice")
            if request.other is not None and not isinstance(await _outcome(processes, request.other), IdempotencyConflict):
                raise Mismatch(f"{request} came again with another body, and was not refused as a conflict")
        _demand_unchanged(processes, before, str(request))

    async def end(self, processes: Processes) -> None:
        """All that were taken come once more, in whatever order."""
        now = processes.place.store.now()
        again = [one for one in self._taken if now - one[1] < _KEPT]
        self.chance.shuffle(again)
        before = processes.place.rows()
        for request, _, outcome in again:
            _demand_same(request, outcome, await _outcome(processes, request.send))
        _demand_unchanged(processes, before, "everything")


class Killed(Nothing):
    """The process dies at every commit, and another one is asked again."""

    def __init__(self, clock: ManualClock, chance: Random, only: int | None, *, moment: Moment, most: int | None = None) -> None:
        super().__init__(clock, chance, only)
        self.name = f"the process dies {moment} each commit" if most is None else f"the process dies {moment} a commit to a file"
        self._moment = moment
        self._left = most
        self._died = False
        self._request = ""

    def doom(self) -> Moment | None:
        """Once at each commit: who was told so dies, and is not told so again when it tries once more."""
        if self._died:
            self._died = False
            return None
        if self._left is not None and (self._left == 0 or self.chance.random() > 1 / 3):
            return None
        if not self.acts(f"the process died {self._moment} a commit of {self._request}"):
            return None
        self._left = None if self._left is None else self._left - 1
        self._died = self._moment == "before"
        return self._moment

    async def deliver(self, processes: Processes, request: Request) -> Any:
        """Until a process lives through it."""
        self._request = str(request)
        return await processes.do(request.send)


class Stepped(Nothing):
    """The time of day is set back and forward by hours, and no time goes by."""

    name = "the clock is set forward and back"
    _STEPS: Final[Sequence[Millis]] = (-_HOUR, _HOUR, 25 * _HOUR)

    async def deliver(self, processes: Processes, request: Request) -> Any:
        """Nothing is due that was not before."""
        step = self.chance.choice(self._STEPS)
        if self.acts(f"the clock was set {step // _HOUR:+d} h before {request}"):
            store = processes.place.store
            before = await store.due(_AT_ONCE)
            self.clock.step(step)
            if await store.due(_AT_ONCE) != before:
                raise Mismatch(f"a deadline was due when the clock was set {step // _HOUR:+d} h")
        return await processes.do(request.send)


class Raced(Nothing):
    """Whenever somebody answers, the deadline comes as well: too early for it, and, in what might have been, at its very moment."""

    name = "answers race their deadlines"

    def _fork(self, processes: Processes) -> Fork:
        place = processes.place
        assert isinstance(place, InMemory)  # noqa: S101 - no file is copied for what might have been
        return Fork(place.kept, processes.ids.last, processes.build_alone)

    async def deliver(self, processes: Processes, request: Request) -> Any:
        """Exactly one of them wins, whichever comes first."""
        if request.answers is None or not self.acts(f"{request} raced its deadline"):
            return await processes.do(request.send)
        wait = await self._fork(processes).race(request)
        if wait is not None:
            await processes.do(lambda executor: executor.expire(wait))
        outcome = await _outcome(processes, request.send)
        if wait is not None:
            await processes.do(lambda executor: executor.expire(wait))
        if isinstance(outcome, Refused):
            raise outcome
        return outcome


async def _outcome(processes: Processes, send: Send) -> Any:
    """The answer, or the refusal; a turn that is still under way is waited for, as its clients are told to do."""
    while True:
        try:
            return await processes.do(send)
        except TurnInProgress:
            await processes.executor.settle()
        except Refused as refusal:
            return refusal


def _demand_same(request: Request, first: Any, again: Any) -> None:
    if not answered_alike(first, again):
        raise Mismatch(f"{request} came again, and was answered otherwise", answers_differ(first, again))


def _demand_unchanged(processes: Processes, before: list[Struct], what: str) -> None:
    after = processes.place.rows()
    if after != before:
        raise Mismatch(f"{what} came again, and something changed", first_difference(before, after))
