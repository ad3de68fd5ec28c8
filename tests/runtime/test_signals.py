"""Events and callbacks from outside: each ends a wait once, whether it comes early or late, and starts what it starts once."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ExecutionAborted, IdempotencyConflict
from engine.runtime.reading import latest_reply
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, CancelRequest, Idempotency, SignalRequest
from engine.runtime.store.port import RunFilter
from engine.runtime.turns.signals import SIGNAL_LIFE, callback_name, matches
from tests.runtime.conftest import TENANT, World

MINUTE = 60_000
PAYING = """
flow: paying
intent: {}
nodes:
  order: {type: ask, prompt: Which order?, next: paid}
  paid:
    type: wait
    any:
      - {name: paid, event: order.paid, match: {order.id: "{{ vars.order }}"}}
      - {name: failed, event: payment.failed}
      - {name: late, for: 15m}
    routes: {failed: sorry, late: late}
    remind: [{after: 5m, text: Still waiting.}]
    save: came
    next: thanks
  thanks: {type: message, text: "Thank you: {{ vars.came.data.amount }} by {{ vars.came.by }} {{ vars.came.name }}.", next: again}
  again: {type: wait, event: order.paid, timeout: {after: 1h, next: end}, next: twice}
  twice: {type: message, text: Paid twice., next: end}
  sorry: {type: message, text: Sorry., next: end}
  late: {type: message, text: Too late., next: end}
"""
PATIENT = """
flow: patient
intent: {}
expires_after: 3d
nodes:
  name: {type: ask, prompt: Your name?, next: door}
  door: {type: wait, event: door.opened, next: inside}
  inside: {type: ask, prompt: Tea?, next: end}
"""
ASKED_AGAIN = """
flow: called
intent: {}
expires_after: 5d
nodes:
  ask: {type: ask, prompt: "Ready?", next: paid}
  paid: {type: wait, event: never.sent, next: more}
  more: {type: ask, prompt: Anything else?, next: end}
"""
STARTED = """
flow: welcome
intent: {}
on_event: {name: order.paid, match: {shop: main}}
nodes:
  hello: {type: message, text: "Order {{ trigger.data.order.id }}.", next: rest}
  rest: {type: ask, prompt: Anything else?, next: end}
"""
CALLED = """
flow: called
intent: {}
nodes:
  ask: {type: ask, prompt: "Ready?", next: paid}
  paid: {type: wait, event: never.sent, save: came, timeout: {after: 15m, next: late}, next: thanks}
  thanks: {type: message, text: "{{ vars.came.data.status }}", next: end}
  late: {type: message, text: Too late., next: end}
"""


def texts(reply: TurnReply) -> list[str]:
    return [block.payload["text"] for block in reply.blocks]


def paid(order: str = "A-1", amount: int = 5, key: str | None = None, **more: Any) -> SignalRequest:
    data = {"order": {"id": order}, "amount": amount, **more}
    kept = None if key is None else Idempotency("events", key, repr(data).encode())
    return SignalRequest(name="order.paid", data=data, idempotency=kept)


async def waiting(world: World, order: str = "A-1", flow: str = PAYING) -> TurnReply:
    """A run that waits for its payment."""
    await world.publish_text(flow)
    caller = await world.customer()
    asked = await world.trigger(caller, "paying" if flow == PAYING else "called")
    reply = (await world.executor.resume(caller, world.answer(asked, order))).reply
    await world.executor.settle()
    return reply


async def latest(world: World, reply: TurnReply) -> TurnReply:
    view = await world.runtime.store.run(TENANT, reply.execution_id)
    assert view is not None
    return latest_reply(view)


async def test_an_event_ends_the_wait_that_it_matches_and_no_other(world: World) -> None:
    mine, other = await waiting(world), await waiting(world, "B-2")
    told = await world.executor.signal(TENANT, paid("A-1"))
    assert told.execution_ids == [mine.execution_id]
    assert texts(await latest(world, mine)) == ["Thank you: 5 by event paid."]
    assert (await latest(world, other)).status == "waiting_time"
    assert other.execution_id not in (await world.executor.signal(TENANT, paid("C-3"))).execution_ids


EITHER = """
flow: either
intent: {}
nodes:
  which:
    type: wait
    any:
      - {name: small, event: order.paid, match: {amount: 5}}
      - {name: large, event: order.paid, match: {amount: 500}}
    save: came
    next: told
  told: {type: message, text: "{{ vars.came.name }}", next: end}
"""


@pytest.mark.parametrize(("amount", "name"), [(5, "small"), (500, "large")])
async def test_a_wait_hears_an_event_at_once_that_it_listens_to_in_two_ways(world: World, amount: int, name: str) -> None:
    await world.publish_text(EITHER)
    reply = await world.trigger(await world.customer(), "either")
    await world.executor.settle()
    assert (await world.executor.signal(TENANT, paid(amount=7))).execution_ids == []
    assert (await world.executor.signal(TENANT, paid(amount=amount))).execution_ids == [reply.execution_id]
    assert texts(await latest(world, reply)) == [name]


async def test_an_event_that_comes_before_its_wait_is_not_lost(world: World) -> None:
    await world.publish_text(PAYING)
    caller = await world.customer()
    asked = await world.trigger(caller, "paying")
    await world.executor.signal(TENANT, paid("A-1", 7))
    world.clock.advance(MINUTE)
    await world.executor.resume(caller, world.answer(asked, "A-1"))
    await world.executor.settle()
    assert texts(await latest(world, asked)) == ["Thank you: 7 by event paid."]


@pytest.mark.parametrize(("later", "pruned", "status"), [(0, True, "waiting_input"), (1, False, "waiting_time"), (1, True, "waiting_time")])
async def test_an_event_is_kept_for_a_day_for_waits_that_begin_later(world: World, later: int, *, pruned: bool, status: str) -> None:
    await world.publish_text(PATIENT)
    caller = await world.customer()
    asked = await world.trigger(caller, "patient")
    await world.executor.signal(TENANT, SignalRequest(name="door.opened", data={}))
    world.clock.advance(SIGNAL_LIFE + later)
    if pruned:
        await world.runtime.store.prune(world.runtime.store.now() - SIGNAL_LIFE)
    await world.executor.resume(caller, world.answer(asked, "Ada"))
    await world.executor.settle()
    assert (await latest(world, asked)).status == status


async def test_an_event_is_not_forgotten_before_the_wait_that_it_woke_has_looked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = await waiting(world, flow=CALLED.replace("15m", "3d"))

    async def die(_: object) -> None:
        """Between keeping the event and waking the wait."""

    with monkeypatch.context() as dying:
        dying.setattr(world.executor, "expire", die)
        await world.executor.signal(TENANT, SignalRequest(name="never.sent", data={"status": "seen late"}))
    world.clock.advance(2 * SIGNAL_LIFE)
    old = world.runtime.store.now() - SIGNAL_LIFE
    assert await world.runtime.store.prune(old) == 0
    await world.runtime.scheduler.sweep()
    assert texts(await latest(world, reply))[-1] == "seen late"
    assert await world.runtime.store.prune(old) == 1


async def test_a_callback_is_kept_as_long_as_its_run_goes_on(world: World) -> None:
    reply = await waiting(world, flow=ASKED_AGAIN)
    await world.executor.signal(TENANT, calling(reply))
    world.clock.advance(2 * SIGNAL_LIFE)
    old = world.runtime.store.now() - SIGNAL_LIFE
    await world.runtime.store.prune(old)
    assert await world.runtime.store.prune(old) == 0
    assert (await latest(world, reply)).status == "waiting_input"
    world.clock.advance(4 * SIGNAL_LIFE)
    await world.runtime.scheduler.sweep()
    assert await world.runtime.store.prune(old) == 1


async def test_an_event_from_before_the_run_is_none_of_its_business(world: World) -> None:
    await world.executor.signal(TENANT, paid("A-1"))
    world.clock.advance(1)
    reply = await waiting(world)
    assert (await latest(world, reply)).status == "waiting_time"


async def test_an_event_ends_one_wait_of_a_run_and_the_next_one_the_next(world: World) -> None:
    reply = await waiting(world)
    await world.executor.signal(TENANT, paid("A-1", 5))
    await world.executor.settle()
    assert (await latest(world, reply)).status == "waiting_time"
    await world.executor.signal(TENANT, paid("Z-9", 6))
    await world.executor.settle()
    assert texts(await latest(world, reply))[-1] == "Paid twice."


async def test_two_events_before_a_wait_are_taken_the_oldest_first_and_each_once(world: World) -> None:
    await world.publish_text(PAYING)
    caller = await world.customer()
    asked = await world.trigger(caller, "paying")
    for amount in (7, 8):
        await world.executor.signal(TENANT, paid("A-1", amount))
        world.clock.advance(1)
    await world.executor.resume(caller, world.answer(asked, "A-1"))
    await world.executor.settle()
    assert texts(await latest(world, asked)) == ["Thank you: 7 by event paid.", "Paid twice."]


async def test_reminders_come_while_an_event_is_waited_for_and_a_timer_ends_it(world: World) -> None:
    reply = await waiting(world)
    world.clock.advance(5 * MINUTE)
    await world.runtime.scheduler.sweep()
    assert texts(await latest(world, reply)) == ["Still waiting."]
    world.clock.advance(10 * MINUTE)
    await world.executor.signal(TENANT, paid("A-1"))
    await world.runtime.scheduler.sweep()
    assert texts(await latest(world, reply))[-1] == "Too late."


async def test_an_event_that_came_in_time_counts_although_nobody_saw_it_before_the_deadline(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = await waiting(world)
    world.clock.advance(15 * MINUTE - 1)
    unseen: list[object] = []

    async def die(due: object) -> None:
        unseen.append(due)

    with monkeypatch.context() as dying:
        dying.setattr(world.executor, "expire", die)  # between keeping the event and waking the wait
        await world.executor.signal(TENANT, paid("A-1"))
    world.clock.advance(MINUTE)
    await world.runtime.scheduler.sweep()
    assert len(unseen) == 1
    assert texts(await latest(world, reply))[0] == "Thank you: 5 by event paid."


@pytest.mark.parametrize("first", ["event", "reminder"])
async def test_an_event_that_comes_together_with_a_reminder_is_heard_at_once_although_nobody_lives_to_see_it(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    reply = await waiting(world)
    world.clock.advance(5 * MINUTE)
    [due] = await world.runtime.store.due(5)
    reminding = world.executor.expire(due)

    async def die(_: object) -> None:
        """Between keeping the event and waking the wait."""

    with monkeypatch.context() as dying:
        dying.setattr(world.executor, "expire", die)
        event = world.executor.signal(TENANT, paid("A-1"))
        await asyncio.gather(*([event, reminding] if first == "event" else [reminding, event]))
    await world.runtime.scheduler.sweep()
    assert texts(await latest(world, reply))[-1] == "Thank you: 5 by event paid."


async def test_a_run_that_cannot_be_read_keeps_no_other_from_its_event_and_the_event_is_taken(world: World) -> None:
    if world.database is None:
        pytest.skip("what is in memory is not damaged")
    broken, sound = await waiting(world), await waiting(world)
    with closing(sqlite3.connect(world.database)) as damage, damage:
        before = damage.execute("SELECT state FROM run WHERE id = ?", (broken.execution_id,)).fetchone()
        damage.execute("UPDATE run SET state = x'c1' WHERE id = ?", (broken.execution_id,))
    told = await world.executor.signal(TENANT, paid("A-1"))
    assert set(told.execution_ids) == {broken.execution_id, sound.execution_id}
    assert texts(await latest(world, sound)) == ["Thank you: 5 by event paid."]
    with closing(sqlite3.connect(world.database)) as repair, repair:
        repair.execute("UPDATE run SET state = ? WHERE id = ?", (*before, broken.execution_id))
    await world.runtime.scheduler.sweep()
    assert texts(await latest(world, broken)) == ["Thank you: 5 by event paid."]


async def test_a_request_with_the_same_key_is_one_event(world: World) -> None:
    await world.publish_text(STARTED)
    first = await world.executor.signal(TENANT, paid(key="k", shop="main"))
    again = await world.executor.signal(TENANT, paid(key="k", shop="main"))
    assert (again.event_id, again.execution_ids, again.replayed) == (first.event_id, first.execution_ids, True)
    assert len(first.execution_ids) == 1
    with pytest.raises(IdempotencyConflict):
        await world.executor.signal(TENANT, paid(key="k", amount=99))
    [run] = await world.runtime.store.runs(TENANT, RunFilter(intent="welcome"))
    assert run.run.id == first.execution_ids[0]


async def test_each_matching_event_starts_a_run_in_a_conversation_of_its_own(world: World) -> None:
    await world.publish_text(STARTED)
    for order, shop in (("A-1", "main"), ("A-2", "main"), ("A-3", "side")):
        await world.executor.signal(TENANT, paid(order, shop=shop))
    runs = await world.runtime.store.runs(TENANT, RunFilter(intent="welcome"))
    assert len(runs) == len({view.run.conversation_id for view in runs}) == 2
    assert sorted(texts(latest_reply(view))[0] for view in runs) == ["Order A-1.", "Order A-2."]


def calling(reply: TurnReply, status: str = "paid") -> SignalRequest:
    name = callback_name(reply.execution_id, "0/paid/1")
    key = Idempotency("callback", name, status.encode())
    return SignalRequest(name=name, data={"status": status}, run_id=reply.execution_id, idempotency=key)


async def test_a_callback_ends_its_visit_once(world: World) -> None:
    reply = await waiting(world, flow=CALLED)
    first = await world.executor.signal(TENANT, calling(reply))
    assert texts(await latest(world, reply))[-1] == "paid"
    again = await world.executor.signal(TENANT, calling(reply))
    assert (again.event_id, again.replayed) == (first.event_id, True)
    with pytest.raises(IdempotencyConflict):
        await world.executor.signal(TENANT, calling(reply, "other"))


@pytest.mark.parametrize("pruned", [False, True])
async def test_a_callback_is_called_once_also_when_its_first_call_was_days_ago(world: World, *, pruned: bool) -> None:
    reply = await waiting(world, flow=ASKED_AGAIN)
    first = await world.executor.signal(TENANT, calling(reply))
    world.clock.advance(2 * SIGNAL_LIFE)
    if pruned:
        await world.runtime.store.prune(world.runtime.store.now() - SIGNAL_LIFE)
    again = await world.executor.signal(TENANT, calling(reply))
    assert (again.event_id, again.execution_ids, again.replayed) == (first.event_id, [], True)
    with pytest.raises(IdempotencyConflict):
        await world.executor.signal(TENANT, calling(reply, "other"))
    await world.executor.cancel(Caller(tenant_id=TENANT, surface="engine"), CancelRequest(run_id=reply.execution_id))
    for status in ("paid", "other"):
        with pytest.raises(ExecutionAborted):
            await world.executor.signal(TENANT, calling(reply, status))


async def test_a_callback_of_a_run_that_has_ended_is_told_so(world: World) -> None:
    reply = await waiting(world, flow=CALLED)
    world.clock.advance(15 * MINUTE)
    await world.runtime.scheduler.sweep()
    with pytest.raises(ExecutionAborted):
        await world.executor.signal(TENANT, calling(reply))


async def test_event_and_cancel_at_the_same_moment_have_one_winner(world: World) -> None:
    for _ in range(20):
        world.clock.advance(1)  # what came before a run began does not concern it
        reply = await waiting(world)
        view = await world.runtime.store.run(TENANT, reply.execution_id)
        assert view is not None
        caller = Caller(tenant_id=TENANT, conversation_id=view.run.conversation_id)
        event = world.executor.signal(TENANT, paid("A-1"))
        cancel = world.executor.cancel(caller, CancelRequest(run_id=reply.execution_id))
        await asyncio.gather(event, cancel)
        await world.executor.settle()
        ended = await latest(world, reply)
        assert (ended.status, ended.end_reason) == ("aborted", "cancelled")
        assert ended.rev == (4 if "Thank you: 5 by event paid." in texts(ended) else 3)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@settings(max_examples=100, deadline=None)
@given(JSON, st.text())
def test_matching_is_total_and_a_value_matches_itself(value: Any, name: str) -> None:
    assert matches({}, value)
    assert isinstance(matches({name: value}, value), bool)
    if "." not in name:
        assert matches({name: value}, {name: value})
        assert not matches({name: value}, {})


def test_true_is_not_one_and_one_is_one_point_nought() -> None:
    assert matches({"a.0.b": 1}, {"a": [{"b": 1.0}]})
    assert not matches({"a": True}, {"a": 1})
    assert not matches({"a": 1}, {"a": True})
    assert not matches({"a": None}, {})
    assert not matches({"a." + "1" * 5_000: 1}, {"a": [1]})
