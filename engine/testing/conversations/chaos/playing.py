"""Plays a conversation test under each disturbance, and tells the first thing that is not as it is without."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from random import Random
from typing import Final, Protocol

from msgspec import Struct

from engine.testing.clock import ManualClock
from engine.testing.conversations.backstage import Build, Doors, OpenStore, SetUp
from engine.testing.conversations.chaos.comparing import first_difference
from engine.testing.conversations.chaos.places import InMemory, Place
from engine.testing.conversations.chaos.processes import Processes
from engine.testing.conversations.chaos.requests import Counter
from engine.testing.conversations.chaos.troubles import Killed, Make, Nothing, Raced, Stepped, Trouble, Twice
from engine.testing.conversations.comparing import Mismatch
from engine.testing.conversations.results import Failed, Outcome, Passed
from engine.testing.conversations.scene import TENANT
from engine.testing.conversations.script import ConversationTest

_IN_FILE: Final = 1
"""How often the process dies in a conversation that is kept in a file: it costs more than a whole conversation in memory."""


class Plan(Struct, frozen=True):
    """A disturbance, and where the conversation is kept meanwhile."""

    make: Make
    place: Callable[[ManualClock], Place] = InMemory


def _in_file(clock: ManualClock) -> Place:
    # A database takes longer to load than most tests to play, and those that nothing disturbs need none.
    from engine.testing.conversations.chaos.files import InFile  # noqa: PLC0415

    return InFile(clock)


CALM: Final = Plan(Nothing)
IN_MEMORY: Final = (
    Plan(Twice),
    Plan(Raced),
    Plan(partial(Killed, moment="after")),
    Plan(partial(Killed, moment="before")),
    Plan(Stepped),
)
PLANS: Final = (*IN_MEMORY, Plan(partial(Killed, moment="after", most=_IN_FILE), _in_file))


class Chaos(Struct, frozen=True):
    """What a test is put through; the same seed disturbs it at the same moments."""

    seed: int = 0
    plans: tuple[Plan, ...] = PLANS


class Seen(Protocol):
    """What a performance shows."""

    @property
    def outcome(self) -> Outcome:
        """How the test ended."""

    def parts(self) -> Iterator[Struct]:
        """Everything that was said, done and sent, in order."""


Perform = Callable[[SetUp], Awaitable[Seen]]
"""Plays the test on what is set up behind its scene."""


class _Ended(Struct, frozen=True):
    """One performance under a disturbance."""

    trouble: Trouble
    line: int
    """Of the test."""
    outcome: Outcome
    parts: list[Struct]
    """What was seen, and then what was stored."""


async def disturbed(test: ConversationTest, perform: Perform, chaos: Chaos) -> Outcome:
    """Passed where every disturbance goes unnoticed; else what the first one did, and at the fewest occasions."""
    calm = await _performed(test, perform, chaos, CALM)
    for plan in chaos.plans:
        ended = await _performed(test, perform, chaos, plan)
        failed = _noticed(calm, ended, chaos)
        if failed is not None:
            alone = await _alone(test, perform, chaos, plan, calm, ended.trouble.occasions)
            return alone or failed
    return Passed()


async def _alone(test: ConversationTest, perform: Perform, chaos: Chaos, plan: Plan, calm: _Ended, occasions: int) -> Failed | None:
    """The first occasion that is noticed when the disturbance acts on no other; None where it takes several."""
    for only in range(1, occasions + 1):
        failed = _noticed(calm, await _performed(test, perform, chaos, plan, only), chaos)
        if failed is not None:
            return failed
    return None


async def _performed(test: ConversationTest, perform: Perform, chaos: Chaos, plan: Plan, only: int | None = None) -> _Ended:
    set_up = _SetUp(plan, f"{chaos.seed} {test.name}", only)
    outcome, parts = await _seen(test, perform, set_up)
    behind = set_up.behind
    rows = behind.processes.place.rows()
    broken = await behind.processes.place.close()
    if broken:
        outcome = Failed("what is stored breaks an invariant", test.line, difference=tuple(f"+ {told}" for told in broken))
    return _Ended(behind.trouble, test.line, outcome, [*parts, *rows])


async def _seen(test: ConversationTest, perform: Perform, set_up: "_SetUp") -> tuple[Outcome, list[Struct]]:
    """What is seen of the performance up to its end, or up to where something breaks: that is the disturbance's doing as well."""
    try:
        seen = await perform(set_up)
        await set_up.behind.trouble.end(set_up.behind.processes)
    except Mismatch as mismatch:
        return Failed(str(mismatch), test.line, difference=mismatch.difference), []
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return Failed(f"the engine broke: {type(error).__name__}: {error}", test.line), []
    return seen.outcome, [*seen.parts()]


def _noticed(calm: _Ended, ended: _Ended, chaos: Chaos) -> Failed | None:
    """What is told of the disturbance; None where there is nothing to tell."""
    said = f"under chaos with seed {chaos.seed}, where {ended.trouble.name}: {ended.trouble.happened or 'nothing happened yet'}"
    match ended.outcome:
        case Failed() as failed:
            return Failed(f"{said}, and {failed.message}", failed.line, failed.step, failed.key, failed.difference, failed.transcript)
        case Passed() if ended.parts != calm.parts:
            difference = first_difference(calm.parts, ended.parts)
            return Failed(f"{said}, and the conversation came to something else", calm.line, difference=tuple(difference))
        case Passed():
            return None


class _SetUp:
    """Sets up a performance under a disturbance, and remembers it."""

    def __init__(self, plan: Plan, chance: str, only: int | None) -> None:
        self._plan = plan
        self._chance = chance
        self._only = only
        self.behind: _Behind

    def __call__(self, clock: ManualClock, build: Build) -> "_Behind":
        trouble = self._plan.make(clock, Random(self._chance), self._only)  # noqa: S311 - chance, no secret
        self.behind = _Behind(self._plan.place(clock), build, trouble)
        return self.behind


class _Behind:
    """One process after the other, and a counter at which inputs are handed in."""

    def __init__(self, place: Place, build: Build, trouble: Trouble) -> None:
        self.trouble = trouble
        self.processes = Processes(place, build, trouble.doom, TENANT)
        self.doors: Doors = Counter(TENANT, partial(trouble.deliver, self.processes), lambda: self.processes.executor)

    @property
    def store(self) -> OpenStore:
        """As it is now, whoever has died."""
        return self.processes.place.store

    async def open(self) -> None:
        """The first process begins."""
        await self.processes.begin()
