"""Reminders and replaced runs, from the clock or a trigger to what is stored and answered, on every store."""

import asyncio

import pytest

from engine.errors import ExecutionAborted, ExecutionInProgress, InvalidWaitToken
from engine.runtime.reading import tag
from engine.runtime.replies import TurnReply
from engine.runtime.requests import TriggerRequest
from engine.runtime.store.port import RunFilter
from engine.testing.memory import MemoryStore
from tests.runtime.conftest import TENANT, World, until

MINUTE = 60_000
REMINDED = """
flow: reminded
intent: {}
nodes:
  size:
    type: ask
    prompt: Which size?
    remind: [{after: 3m, text: Still there?}, {after: 5m, text: Last call.}]
    timeout: {after: 10m, next: late}
    next: end
  late: {type: message, text: Too late., next: end}
"""
ALONE = """
flow: alone
intent: {}
on_trigger: MODE
nodes: {name: {type: ask, prompt: "Your name?", next: rest}, rest: {type: wait, for: 1h, next: end}}
"""


def texts(reply: TurnReply) -> list[str]:
    return [block.payload["text"] for block in reply.blocks]


async def test_a_reminder_is_a_turn_that_leaves_the_token_as_it_is(world: World) -> None:
    await world.publish_text(REMINDED)
    caller = await world.customer()
    asked = await world.trigger(caller, "reminded")
    world.clock.advance(3 * MINUTE)
    assert await world.runtime.scheduler.sweep() == 1
    shown = await world.executor.reader.latest(caller, asked.execution_id)
    assert (shown.rev, shown.status, texts(shown)) == (2, "waiting_input", ["Which size?", "Still there?"])
    assert (shown.wait_id, shown.wait_expires_at, shown.expected_input) == (asked.wait_id, asked.wait_expires_at, asked.expected_input)
    assert await world.runtime.scheduler.sweep() == 0
    assert (await world.executor.resume(caller, world.answer(asked, "7"))).reply.status == "completed"
    world.clock.advance(MINUTE * 60)
    assert await world.runtime.scheduler.sweep() == 0


async def test_reminders_that_came_due_while_nobody_swept_are_said_in_order_before_the_deadline_acts(world: World) -> None:
    await world.publish_text(REMINDED)
    caller = await world.customer()
    asked = await world.trigger(caller, "reminded")
    world.clock.advance(10 * MINUTE)
    assert await world.runtime.scheduler.sweep() == 3
    shown = await world.executor.reader.latest(caller, asked.execution_id)
    assert (shown.status, texts(shown)) == ("completed", ["Which size?", "Still there?", "Last call.", "Too late."])
    messages = await world.executor.reader.messages(caller, asked.conversation_id)
    assert [view.message.sequence for view in messages] == [0, 1, 2, 3, 4]


async def test_reminders_of_the_same_moment_are_said_together_and_hold_up_no_sweep(world: World) -> None:
    await world.publish_text(REMINDED.replace("after: 5m", "after: 180s"))
    caller = await world.customer()
    asked = await world.trigger(caller, "reminded")
    world.clock.advance(3 * MINUTE)
    assert await world.runtime.scheduler.sweep() == 1
    shown = await world.executor.reader.latest(caller, asked.execution_id)
    assert (shown.wait_id, texts(shown)) == (asked.wait_id, ["Which size?", "Still there?", "Last call."])
    world.clock.advance(7 * MINUTE)
    assert await world.runtime.scheduler.sweep() == 1
    assert texts(await world.executor.reader.latest(caller, asked.execution_id))[-1] == "Too late."


async def test_a_customer_who_follows_the_run_hears_a_reminder(world: World) -> None:
    await world.publish_text(REMINDED)
    caller = await world.customer()
    asked = await world.trigger(caller, "reminded")
    following = asyncio.create_task(world.executor.reader.follow(caller, asked.execution_id, tag(asked), 600))
    await until(lambda: world.executor.bulletin.awaited(asked.execution_id))
    world.clock.advance(3 * MINUTE)
    await world.runtime.scheduler.sweep()
    assert texts(await following)[-1] == "Still there?"


async def test_a_reminder_and_an_answer_at_once_lose_neither(world: World) -> None:
    await world.publish_text(REMINDED)
    caller = await world.customer()
    runs = [await world.trigger(caller, "reminded") for _ in range(10)]
    world.clock.advance(3 * MINUTE)
    sweep = asyncio.create_task(world.runtime.scheduler.sweep())
    taken = await asyncio.gather(*(world.executor.resume(caller, world.answer(run, "7")) for run in runs))
    assert {one.reply.status for one in taken} == {"completed"}
    assert 0 <= await sweep <= 10
    for run in runs:
        trace = await world.executor.reader.trace(caller, run.execution_id)
        assert [visit["edge"] for visit in trace][-1] == "next"


async def test_a_trigger_replaces_the_open_runs_of_its_flow_in_the_same_conversation_alone(world: World) -> None:
    await world.publish_text(ALONE.replace("MODE", "replace"))
    caller, stranger = await world.customer(), await world.customer()
    other_flow, elsewhere = await world.trigger(caller), await world.trigger(stranger, "alone")
    waiting = await world.trigger(caller, "alone")
    await world.executor.resume(caller, world.answer(waiting, "Ada"))
    assert (await world.executor.reader.latest(caller, waiting.execution_id)).status == "waiting_time"
    newest = await world.trigger(caller, "alone")
    ended = await world.executor.reader.latest(caller, waiting.execution_id)
    assert (ended.status, ended.end_reason, ended.wait_id) == ("aborted", "replaced", None)
    still = {one.execution_id for one in await world.executor.reader.runs(caller, RunFilter(open_only=True))}
    assert still == {other_flow.execution_id, elsewhere.execution_id, newest.execution_id}
    world.clock.advance(60 * MINUTE)
    await world.runtime.scheduler.sweep()
    assert (await world.executor.reader.latest(caller, waiting.execution_id)).rev == ended.rev


async def test_the_token_of_a_replaced_run_opens_nothing(world: World) -> None:
    await world.publish_text(ALONE.replace("MODE", "replace"))
    caller = await world.customer()
    first = await world.trigger(caller, "alone")
    await world.trigger(caller, "alone")
    with pytest.raises(ExecutionAborted):
        await world.executor.resume(caller, world.answer(first, "Ada"))


async def test_of_many_triggers_at_once_one_run_is_left(world: World) -> None:
    await world.publish_text(ALONE.replace("MODE", "replace"))
    caller = await world.customer()
    asked = TriggerRequest(intent="alone", text="hi")
    taken = await asyncio.gather(*(world.executor.trigger(caller, asked) for _ in range(20)))
    ends = [(await world.executor.reader.latest(caller, one.reply.execution_id)).end_reason for one in taken]
    assert sorted(map(str, ends)) == ["None", *["replaced"] * 19]


async def test_of_many_triggers_at_once_one_is_taken_where_others_are_refused(world: World) -> None:
    await world.publish_text(ALONE.replace("MODE", "reject"))
    caller = await world.customer()
    asked = TriggerRequest(intent="alone", text="hi")
    taken = await asyncio.gather(*(world.executor.trigger(caller, asked) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(one, ExecutionInProgress) for one in taken) == 19
    [open_run] = await world.executor.reader.runs(caller, RunFilter(open_only=True))
    await world.executor.resume(caller, world.answer(open_run, "Ada"))
    with pytest.raises(ExecutionInProgress):
        await world.executor.trigger(caller, asked)


async def test_answer_and_replacement_at_once_have_one_winner(world: World) -> None:
    await world.publish_text(ALONE.replace("MODE", "replace"))
    caller = await world.customer()
    first = await world.trigger(caller, "alone")
    answer = world.executor.resume(caller, world.answer(first, "Ada"))
    trigger = world.executor.trigger(caller, TriggerRequest(intent="alone", text="hi"))
    answered, triggered = await asyncio.gather(answer, trigger, return_exceptions=True)
    assert not isinstance(triggered, BaseException)
    assert not isinstance(answered, BaseException) or isinstance(answered, ExecutionAborted | InvalidWaitToken)
    assert (await world.executor.reader.latest(caller, first.execution_id)).end_reason == "replaced"


@pytest.mark.parametrize("world", ["memory"], indirect=True)
async def test_webhooks_are_told_of_waits_that_nobody_ended_and_not_of_timers(world: World) -> None:
    await world.publish_text("flow: timed\nintent: {}\nnodes: {rest: {type: wait, for: 5m, next: end}}")
    await world.publish_text(REMINDED)
    caller = await world.customer()
    timed, reminded = await world.trigger(caller, "timed"), await world.trigger(caller, "reminded")
    world.clock.advance(10 * MINUTE)
    await world.runtime.scheduler.sweep()
    store = world.runtime.store
    assert isinstance(store, MemoryStore)
    told = {run.execution_id: [row.type for row in store.outbox(TENANT) if row.run_id == run.execution_id] for run in (timed, reminded)}
    assert told[timed.execution_id] == ["chat.execution.started", "chat.execution.completed"]
    assert told[reminded.execution_id] == ["chat.execution.started", "chat.wait.expired", "chat.execution.completed"]
