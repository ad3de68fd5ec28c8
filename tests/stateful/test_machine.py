"""Whatever is done in whatever order, and wherever processes die meanwhile, the engine comes to what a simple model says."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from msgspec import Struct
from msgspec.structs import replace

from engine.errors import ExecutionAborted, IdempotencyConflict, InvalidWaitToken, Unfit
from engine.loading import Source, load_flow
from engine.runtime.catalog import Catalog, encode_flow
from engine.runtime.executor import Executor
from engine.runtime.ids import NewId
from engine.runtime.performing import Outside
from engine.runtime.replies import TurnReply, encode_reply
from engine.runtime.requests import Caller, CancelRequest, Idempotency, OpenRequest, ResumeRequest, SignalRequest, TriggerRequest
from engine.runtime.store.port import Order, Snapshot, Store
from engine.runtime.store.registry import Draft
from engine.runtime.tokens import Keyring
from engine.testing.clock import ManualClock
from engine.testing.conversations.chaos.files import InFile, broken_in
from engine.testing.conversations.chaos.places import InMemory, Place
from engine.testing.conversations.chaos.processes import Moment, Processes
from engine.testing.memory import MemoryRegistry, MemoryStore
from tests.stateful.model import FLOW, HOUR, Journey, Model

Result = TypeVar("Result")

TENANT = "t"
KEYRING = Keyring([bytes(32)])
KEPT = 23 * HOUR
AT_ONCE = 64


class Asked(Struct, frozen=True):
    """A request that was taken, and how it can be made once more."""

    at: int
    again: Callable[[Executor, bytes], Coroutine[Any, Any, TurnReply]]
    digest: bytes
    reply: TurnReply


class Talk(RuleBasedStateMachine):
    """The real executor beside the model, on a store in memory."""

    place: Callable[[ManualClock], Place] = InMemory

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.model = Model()
        self.runs: list[TurnReply] = []
        """The newest that is known of each of the model's journeys."""
        self.tokens: list[list[str]] = []
        """Waits of each that were answerable, oldest first."""
        self.asked: list[Asked] = []
        self.dies: Moment | None = None
        self.keys = 0
        self.wrong = 0
        """Hours by which the clock has been set."""

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        registry = MemoryRegistry()
        catalog = Catalog(registry)
        flow = load_flow(Source("flow.yaml", FLOW)).flow
        assert flow is not None
        await registry.publish(TENANT, [Draft(flow=flow.flow, digest="", intent="talk", source="", document=encode_flow(flow))], 0)
        await catalog.refresh()

        def build(store: Store, new_id: NewId, _outside: Outside | None) -> Executor:
            return Executor(store, catalog, KEYRING, self.clock, new_id=new_id)

        self.processes = Processes(type(self).place(self.clock), build, self._doom, TENANT)
        await self.processes.begin()
        opened = await self.processes.do(lambda executor: executor.open(TENANT, OpenRequest(public_key_id="key")))
        self.caller = Caller(tenant_id=TENANT, conversation_id=opened.conversation_id)

    def _doom(self) -> Moment | None:
        moment, self.dies = self.dies, None
        return moment

    @property
    def now(self) -> int:
        return self.processes.place.store.now()

    def key(self, digest: bytes) -> Idempotency:
        return Idempotency("scope", f"key {self.keys}", digest)

    @rule()
    def trigger(self) -> None:
        self.keys += 1
        key = self.key(b"trigger")

        async def again(executor: Executor, digest: bytes) -> TurnReply:
            asked = TriggerRequest(intent="talk", text="hi", idempotency=Idempotency(key.scope, key.key, digest))
            return (await executor.trigger(self.caller, asked)).reply

        self.model.begin(self.now)
        reply = self.run(self.processes.do(lambda executor: again(executor, b"trigger")))
        self.asked.append(Asked(self.now, again, b"trigger", reply))
        self.runs.append(reply)
        self.tokens.append([])

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 5), old=st.integers(0, 3), fits=st.booleans(), keyed=st.booleans())
    def answer(self, which: int, old: int, fits: bool, keyed: bool) -> None:
        place, journey = self._chosen(which)
        tokens = self.tokens[place]
        if not tokens:
            return
        newest = old == 0 or len(tokens) == 1
        token = tokens[-1] if newest else tokens[-1 - old % len(tokens)]
        newest = token == tokens[-1]
        self.keys += 1
        key = self.key(token.encode()) if keyed else None

        async def again(executor: Executor, digest: bytes) -> TurnReply:
            kept = None if key is None else Idempotency(key.scope, key.key, digest)
            asked = ResumeRequest(run_id=self.runs[place].execution_id, wait_token=token, text="7" if fits else "x", idempotency=kept)
            return (await executor.resume(self.caller, asked)).reply

        taken = newest and journey.waits_for_answer(self.now)
        if not (taken and fits):
            self.dies = None  # a refusal commits nothing
            with pytest.raises(Unfit if taken else (InvalidWaitToken, ExecutionAborted)):
                self.run(self.processes.do(lambda executor: again(executor, token.encode())))
            return
        if key is None:
            self.dies = None  # a client without a key cannot know what became of it
        self.model.answer(journey, self.now)
        reply = self.run(self.processes.do(lambda executor: again(executor, token.encode())))
        if key is not None:
            self.asked.append(Asked(self.now, again, token.encode(), reply))

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 20), same=st.booleans())
    def repeat(self, which: int, same: bool) -> None:
        asked = self.asked[which % len(self.asked)]
        if self.now - asked.at > KEPT:
            return
        if same:
            again = self.run(self.processes.do(lambda executor: asked.again(executor, asked.digest)))
            assert encode_reply(again) == encode_reply(asked.reply)
        else:
            with pytest.raises(IdempotencyConflict):
                self.run(self.processes.do(lambda executor: asked.again(executor, b"another")))

    @rule()
    def happen(self) -> None:
        self.keys += 1
        asked = SignalRequest(name="go.on", idempotency=self.key(b"event"))
        self.model.happen(self.now)
        self.run(self.processes.do(lambda executor: executor.signal(TENANT, asked)))

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 5))
    def cancel(self, which: int) -> None:
        place, journey = self._chosen(which)
        self.keys += 1
        asked = CancelRequest(run_id=self.runs[place].execution_id, idempotency=self.key(b"cancel"))
        self.model.cancel(journey)
        self.run(self.processes.do(lambda executor: executor.cancel(self.caller, asked)))

    @rule(minutes=st.sampled_from([1, 9, 10, 30, 60, 300]), exactly=st.booleans())
    def time_passes(self, minutes: int, exactly: bool) -> None:
        deadlines = [journey.deadline - self.now for journey in self.model.open() if journey.deadline > self.now]
        self.dies = None  # else the next process would let deadlines act in the midst of another rule
        self.clock.advance(min(deadlines) if exactly and deadlines else minutes * 60_000)

    @rule()
    def sweep(self) -> None:
        self.model.sweep(self.now)
        self.run(self._sweep())

    async def _sweep(self) -> None:
        for due in await self.processes.place.store.due(AT_ONCE):
            await self.processes.do(lambda executor, due=due: executor.expire(due))  # type: ignore[misc]

    @rule(hours=st.sampled_from([-1, 1, 25]))
    def the_clock_is_set(self, hours: int) -> None:
        before = self.now
        self.clock.step(hours * HOUR)
        self.wrong += hours
        assert self.now == before
        self.dies = None

    @rule(moment=st.sampled_from(["before", "after"]))
    def the_process_is_going_to_die(self, moment: Moment) -> None:
        """At the next commit. The next process begins with a sweep, and believes the clock: it is swept now, and the clock put right."""
        self.sweep()
        self.clock.step(-self.wrong * HOUR)
        self.wrong = 0
        self.dies = moment

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        if self.runs:
            self.run(self._compare())

    async def _compare(self) -> None:
        store, executor = self.processes.place.store, self.processes.executor
        told = list(store.outbox(TENANT))
        said = await store.messages(TENANT, self.caller.conversation_id or "")
        for place, (known, journey) in enumerate(zip(self.runs, self.model.journeys, strict=True)):
            now = await executor.reader.latest(self.caller, known.execution_id)
            messages = sum(one.message.run_id == now.execution_id for one in said)
            outbox = sum(row.run_id == now.execution_id for row in told)
            found = (now.status, now.rev, messages, outbox, now.wait_expires_at)
            waits = journey.stand in {"first", "second", "pause"}
            assert found == (journey.status, journey.turns, journey.messages, journey.told, journey.deadline if waits else None)
            token = None if now.wait_id is None or not now.answerable else KEYRING.wait_token(TENANT, now.wait_id)
            if token is not None and token not in self.tokens[place]:
                self.tokens[place].append(token)

    def _chosen(self, which: int) -> tuple[int, Journey]:
        place = which % len(self.runs)
        return place, self.model.journeys[place]

    def teardown(self) -> None:
        place = self.processes.place
        broken = broken_in(place.kept.rows()) if isinstance(place, InMemory) else []
        broken += self.run(place.close())
        self.runner.close()
        assert broken == []


class TalkInFile(Talk):
    """The same on a SQLite file."""

    place = InFile


STORES = {"memory": Talk, "a file": TalkInFile}


class TalkForgotten(Talk):
    """On a store that keeps no key of any request."""

    place = staticmethod(lambda clock: InMemory(clock, Forgetful(clock)))


class Forgetful(MemoryStore):
    """Begins anew whatever is asked twice."""

    def _snapshot(self, order: Order) -> Snapshot:
        return super()._snapshot(replace(order, idempotency=None))


EVERY_DAY = settings(
    max_examples=20, stateful_step_count=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("talk", STORES.values())
def test_whatever_happens_all_is_as_the_model_says(talk: type[Talk]) -> None:
    run_state_machine_as_test(talk, settings=EVERY_DAY)


def test_a_store_that_forgets_keys_is_found_out() -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run_state_machine_as_test(TalkForgotten, settings=settings(EVERY_DAY, phases=[Phase.generate]))
