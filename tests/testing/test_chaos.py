"""Under chaos a conversation comes to the same; whatever makes it come to something else is found, and told so that it comes again."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from engine.model.values import Millis
from engine.runtime.store.port import Decide, Order, Snapshot
from engine.testing.clock import ManualClock
from engine.testing.conversations import Chaos, Failed, TestFile, describe, perform_tests
from engine.testing.conversations.chaos import IN_MEMORY, PLANS, Plan
from engine.testing.conversations.chaos.places import InMemory
from engine.testing.conversations.chaos.troubles import Killed, Raced, Stepped, Twice
from engine.testing.memory import MemoryStore
from tests.testing.places import FLOWS, read_flow, read_tests

Answer = TypeVar("Answer")

TEST = read_tests("""
flow: parcel
tests:
  - name: an order
    steps:
      - trigger: where
      - bot: any
      - user: A-1
      - bot: any
      - user: again
      - bot: any
      - user: A-1
      - bot: any
      - user: leave
""")
CALLING = read_flow("""
flow: calling
intent: {}
nodes:
  look: {type: http, method: GET, url: "https://baton.invalid/it", save: it, on_error: sorry, next: tell}
  tell: {type: message, text: "It is {{ vars.it.json }}.", next: pay}
  pay: {type: http, method: POST, url: "https://baton.invalid/pay", json: 1, save: paid, on_error: sorry, next: ask}
  ask: {type: ask, prompt: And then?, save: then, timeout: {after: 1h, next: sorry}, next: note}
  note: {type: http, method: GET, url: "https://baton.invalid/{{ vars.then }}", on_error: sorry, next: end}
  sorry: {type: message, text: Sorry., next: end}
""")
CALLS = read_tests("""
flow: calling
tests:
  - name: calls on both sides of a wait
    stubs: {look: [{json: 7}], pay: [{json: ok}], note: [{json: ok}]}
    steps:
      - trigger: hi
      - bot: It is 7.
      - bot: And then?
      - user: more
      - status: completed
      - sent: [{node: look}, {node: pay}, {node: note}]
  - name: nobody answers
    stubs: {look: [{error: refused}]}
    steps: [{trigger: hi}, {bot: Sorry.}]
""")


async def told(plan: Plan, seed: int = 0, test: TestFile = TEST) -> str:
    """How the failure is described; empty where the test passes."""
    [result] = await perform_tests(test, FLOWS, chaos=Chaos(seed, (plan,)))
    return describe(result) if isinstance(result.outcome, Failed) else ""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("plan", PLANS)
async def test_nothing_is_noticed_of_any_disturbance(plan: Plan, seed: int) -> None:
    assert await told(plan, seed) == ""


async def test_calls_are_made_once_whenever_the_process_dies() -> None:
    results = await perform_tests(CALLS, {"calling": CALLING}, chaos=Chaos())
    assert "\n".join(describe(result) for result in results if not result.passed) == ""


class Forgetful(MemoryStore):
    """Keeps no key of any request."""

    def _snapshot(self, order: Order) -> Snapshot:
        return super()._snapshot(replace(order, idempotency=None))


class Lazy(MemoryStore):
    """Takes answers a moment after their time is up, and lets deadlines act a moment later."""

    def now(self) -> Millis:
        return super().now() - 1


class Believing(MemoryStore):
    """Believes the time of day, whatever it is set to."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self._believed = clock

    def now(self) -> Millis:
        return self._believed.wall()


class Hasty(MemoryStore):
    """Lets the sweep have a wait that is not due."""

    def _end(self, changes: Any, tenant_id: str, closed: Any, now: Millis) -> str:
        wait = self._waits[tenant_id, closed.id]
        return super()._end(changes, tenant_id, closed, wait.deadline if closed.by == "expired" else now)

    def _snapshot(self, order: Order) -> Snapshot:
        seen = super()._snapshot(order)
        wait = seen.wait if order.signals else None
        return seen if wait is None else replace(seen, now=wait.deadline)


class Losing(InMemory):
    """What was stored last is lost with the process, although it was acknowledged."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock, _Remembering(clock))
        self._clock = clock
        self._opened = False

    async def open(self) -> None:
        before = self.kept.before if isinstance(self.kept, _Remembering) else None
        if self._opened and before is not None:
            self.kept = self.store = before
        self._opened = True


class _Remembering(MemoryStore):
    before: MemoryStore | None = None

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self._given = clock

    async def take(self, order: Order, decide: Decide[Answer]) -> Answer:
        before = MemoryStore.copy(self, self._given)
        answer = await super().take(order, decide)
        if before.rows() != self.rows():
            self.before = before
        return answer


def on(store: Callable[[ManualClock], MemoryStore]) -> Callable[[ManualClock], InMemory]:
    return lambda clock: InMemory(clock, store(clock))


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(Twice, on(Forgetful)), "came again, and was answered otherwise"),
        (Plan(Raced, on(Lazy)), "came at its deadline, and was taken although the time was up"),
        (Plan(Raced, on(Hasty)), "a millisecond before its deadline, which was swept first"),
        (Plan(Stepped, on(Believing)), "the clock was set"),
        (Plan(partial(Killed, moment="after"), Losing), "the process died after a commit of input"),
        (Plan(partial(Killed, moment="after"), on(Forgetful)), "the process died after a commit of input"),
    ],
)
async def test_a_store_that_breaks_its_promises_is_found_out_by_the_disturbance_that_is_for_it(plan: Plan, said: str) -> None:
    assert said in await told(plan)


async def test_a_failure_names_the_seed_the_disturbance_and_the_one_moment_at_which_it_is_enough() -> None:
    failure = await told(Plan(partial(Killed, moment="after"), Losing), 5)
    assert "failed: an order" in failure
    assert "under chaos with seed 5, where the process dies after each commit: " in failure
    assert "occasion " in failure
    assert failure == await told(Plan(partial(Killed, moment="after"), Losing), 5)


async def test_a_test_that_fails_anyway_is_told_as_it_is() -> None:
    wrong = read_tests("flow: parcel\ntests: [{name: a, steps: [{trigger: x}, {bot: What?}]}]\n")
    calm, disturbed = [(await perform_tests(wrong, FLOWS, chaos=chaos))[0].outcome for chaos in (None, Chaos(0, IN_MEMORY))]
    assert calm == disturbed
