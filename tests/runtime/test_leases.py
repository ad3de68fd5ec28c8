"""Workers that die, hang or are told to go: what they held is taken over once, or given back, and no result is lost or used twice."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from engine.model.events import Returned
from engine.model.flow import Flow, Intent
from engine.model.nodes import Http, Message
from engine.model.run import Invoke
from engine.runtime.executor import Executor
from engine.runtime.performing import Outside
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, TriggerRequest
from tests.runtime.conftest import Script, World, until

LEASE = 30_000
ASKED = TriggerRequest(intent="paying", text="hi")


def paying(*, repeatable: bool) -> Flow:
    return Flow(
        flow="paying",
        intent=Intent(),
        nodes={
            "pay": Http(method="POST", url="https://pay.example/", save="paid", next="done", on_error="sorry", repeatable=repeatable),
            "done": Message(text="Paid {{ vars.paid.status }}.", next="end"),
            "sorry": Message(text="{{ vars.error.code }}", next="end"),
        },
    )


def texts(reply: TurnReply) -> list[str]:
    return [block.payload["text"] for block in reply.blocks]


async def hang(_: Invoke) -> Returned:
    await asyncio.Event().wait()
    raise AssertionError


async def answer(invoke: Invoke) -> Returned:
    return Returned(at=0, step=invoke.step, result={"status": 200})


async def stuck(world: World, script: Script) -> tuple[Caller, TurnReply]:
    """A run whose worker hangs in a call."""
    script.act = hang
    caller = await world.customer()
    reply = (await world.executor.trigger(caller, ASKED, patience=0)).reply
    await until(lambda: bool(script.asked))
    return caller, reply


def other_worker(world: World, script: Script) -> Executor:
    """Another process on the same store, whose calls are answered."""
    runtime = world.runtime
    return Executor(runtime.store, runtime.catalog, runtime.keyring, world.clock, outside=Outside({"http": script}))


async def test_a_call_whose_lease_has_run_out_is_made_again_by_somebody_else(world: World, script: Script) -> None:
    await world.publish(paying(repeatable=True))
    caller, reply = await stuck(world, script)
    script.act = answer
    other = other_worker(world, script)
    world.clock.advance(LEASE - 1)
    assert await other.worker.take_over() == 0
    world.clock.advance(1)
    assert await other.worker.take_over() == 1
    await other.worker.drain()
    assert texts(await other.reader.latest(caller, reply.execution_id)) == ["Paid 200."]
    assert len(script.asked) == 2


async def test_a_call_that_may_not_be_made_twice_is_not(world: World, script: Script) -> None:
    await world.publish(paying(repeatable=False))
    caller, reply = await stuck(world, script)
    script.act = answer
    other = other_worker(world, script)
    world.clock.advance(LEASE)
    await other.worker.take_over()
    await other.worker.drain()
    assert texts(await other.reader.latest(caller, reply.execution_id)) == ["effect.unknown"]
    assert len(script.asked) == 1


async def test_a_worker_that_wakes_up_after_its_lease_was_taken_over_changes_nothing(world: World, script: Script) -> None:
    await world.publish(paying(repeatable=True))
    go_on = script.hold(299)
    caller = await world.customer()
    reply = (await world.executor.trigger(caller, ASKED, patience=0)).reply
    await until(lambda: bool(script.asked))
    script.act = answer
    other = other_worker(world, script)
    world.clock.advance(LEASE)
    await other.worker.take_over()
    await other.worker.drain()
    before = await world.executor.reader.latest(caller, reply.execution_id)
    go_on.set()
    await world.executor.worker.drain()
    assert await world.executor.reader.latest(caller, reply.execution_id) == before
    assert texts(before) == ["Paid 200."]


async def test_whoever_asked_a_worker_that_lost_its_run_is_told_what_the_other_has_made_of_it(world: World, script: Script) -> None:
    await world.publish(paying(repeatable=True))
    go_on = script.hold(299)
    asking = asyncio.create_task(world.executor.trigger(await world.customer(), ASKED))
    await until(lambda: bool(script.asked))
    script.act = answer
    other = other_worker(world, script)
    world.clock.advance(LEASE)
    await other.worker.take_over()
    await other.worker.drain()
    go_on.set()
    assert texts((await asking).reply) == ["Paid 200."]


async def test_a_result_that_was_kept_before_its_worker_died_is_used_and_the_call_not_made_again(world: World, script: Script) -> None:
    await world.publish(paying(repeatable=False))
    runtime = world.runtime
    dying = other_worker(world, script)
    script.act = answer
    caller = await world.customer()

    async def die(*_: object) -> None:
        await asyncio.Event().wait()

    dying.worker._take = die  # noqa: SLF001 - the process dies between the result and its commit
    reply = (await dying.trigger(caller, ASKED, patience=0)).reply
    await until(lambda: bool(script.asked))
    while await runtime.store.result(caller.tenant_id, reply.execution_id, 1, 0) is None:  # noqa: ASYNC110 - the store tells nobody
        await asyncio.sleep(0)
    world.clock.advance(LEASE)
    await world.executor.worker.take_over()
    await world.executor.worker.drain()
    assert texts(await world.executor.reader.latest(caller, reply.execution_id)) == ["Paid 200."]
    assert len(script.asked) == 1
    assert await runtime.store.result(caller.tenant_id, reply.execution_id, 1, 0) is None  # nobody will ask for it any more


async def test_a_run_that_has_cost_three_workers_is_given_up_and_others_go_on(world: World, script: Script) -> None:
    await world.publish(paying(repeatable=True))
    caller, reply = await stuck(world, script)
    sound = await world.trigger(caller)
    for number in range(2):
        world.clock.advance(LEASE)
        assert await other_worker(world, script).worker.take_over() == 1
        await until(lambda number=number: len(script.asked) == number + 2)  # type: ignore[misc]
    world.clock.advance(LEASE)
    await other_worker(world, script).worker.take_over()
    ended = await world.executor.reader.latest(caller, reply.execution_id)
    assert (ended.status, ended.end_code, len(script.asked)) == ("failed", "run.poison", 3)
    assert (await world.executor.reader.latest(caller, sound.execution_id)).status == "waiting_input"


async def test_a_last_try_is_made_when_nothing_else_that_was_taken_over_is_under_way(world: World, script: Script) -> None:
    await world.publish(paying(repeatable=True))
    runs = [await stuck(world, script) for _ in range(3)]
    await until(lambda: len(script.asked) == 3)
    world.clock.advance(LEASE)
    await other_worker(world, script).worker.take_over()
    await until(lambda: len(script.asked) == 6)
    runs.append(await stuck(world, script))
    await until(lambda: len(script.asked) == 7)
    under_way, most = 0, 0

    async def count(invoke: Invoke) -> Returned:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return await answer(invoke)

    script.act = count
    world.clock.advance(LEASE)
    last = other_worker(world, script)
    assert await last.worker.take_over() == 4
    assert await last.worker.take_over() == 0
    await last.worker.drain()
    assert [texts(await last.reader.latest(caller, reply.execution_id)) for caller, reply in runs] == [["Paid 200."]] * 4
    assert (most, len(script.asked)) == (1, 11)


async def test_a_run_that_cannot_be_read_keeps_no_other_from_being_taken_over(world: World, script: Script) -> None:
    if world.database is None:
        pytest.skip("what is in memory is not damaged")
    await world.publish(paying(repeatable=True))
    owner, broken = await stuck(world, script)
    world.clock.advance(1)
    caller, sound = await stuck(world, script)
    await until(lambda: len(script.asked) == 2)
    with closing(sqlite3.connect(world.database)) as damage, damage:
        before = damage.execute("SELECT trace FROM turn WHERE id = ?", (broken.turn_id,)).fetchone()
        damage.execute("UPDATE turn SET trace = x'c1' WHERE id = ?", (broken.turn_id,))
    script.act = answer
    world.clock.advance(LEASE)
    other = other_worker(world, script)
    assert await other.worker.take_over() == 2
    assert await other.worker.take_over() == 0
    await other.worker.drain()
    assert texts(await other.reader.latest(caller, sound.execution_id)) == ["Paid 200."]
    with closing(sqlite3.connect(world.database)) as repair, repair:
        repair.execute("UPDATE turn SET trace = ? WHERE id = ?", (*before, broken.turn_id))
    world.clock.advance(60_000)
    assert await other.worker.take_over() == 1
    await other.worker.drain()
    assert texts(await other.reader.latest(owner, broken.execution_id)) == ["Paid 200."]


async def test_a_worker_that_lives_keeps_its_lease(world: World, script: Script) -> None:
    await world.publish(paying(repeatable=True))
    await stuck(world, script)
    for _ in range(5):
        world.clock.advance(LEASE // 2)
        await world.executor.worker.renew()
        assert await other_worker(world, script).worker.take_over() == 0


async def test_what_is_given_back_at_the_end_is_taken_on_at_once_and_costs_no_attempt(world: World, script: Script) -> None:
    await world.publish(paying(repeatable=True))
    caller, reply = await stuck(world, script)
    for _ in range(5):
        leaving = other_worker(world, script)
        await world.executor.worker.stop(0)
        script.act = hang
        assert await leaving.worker.take_over() == 1
        world.executor = leaving
    await world.executor.worker.stop(0)
    script.act = answer
    last = other_worker(world, script)
    await last.worker.take_over()
    await last.worker.drain()
    assert texts(await last.reader.latest(caller, reply.execution_id)) == ["Paid 200."]


@pytest.mark.parametrize("repeatable", [True, False])
async def test_a_call_that_is_never_broken_off_is_made_once(world: World, script: Script, repeatable: bool) -> None:
    await world.publish(paying(repeatable=repeatable))
    script.act = answer
    caller = await world.customer()
    reply = (await world.executor.trigger(caller, ASKED)).reply
    assert (texts(reply), len(script.asked)) == (["Paid 200."], 1)
    world.clock.advance(10 * LEASE)
    assert await world.executor.worker.take_over() == 0
