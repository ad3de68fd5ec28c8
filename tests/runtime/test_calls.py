"""Turns that call outside: one path with all others, taken on by the call's result."""

import asyncio

import pytest
from msgspec.structs import replace

from engine.errors import InvalidWaitToken, TurnInProgress
from engine.model.events import Returned
from engine.model.flow import Flow, Intent
from engine.model.nodes import Ask, Http, Message
from engine.model.run import Invoke
from engine.runtime.replies import decode_reply
from engine.runtime.requests import Caller, CancelRequest, Idempotency, TriggerRequest
from tests.runtime.conftest import Script, World, until

CALLING = Flow(
    flow="calling",
    intent=Intent(),
    nodes={
        "hello": Message(text="One moment.", next="look"),
        "look": Http(method="GET", url="https://shop.example/orders", save="answer", next="pay", on_error="sorry"),
        "pay": Http(method="POST", url="https://pay.example/{{ vars.answer.status }}", save="paid", next="ask"),
        "ask": Ask(prompt="Paid {{ vars.paid.status }}. Anything else?", next="end"),
        "sorry": Message(text="Sorry: {{ vars.error.code }}.", next="end"),
    },
)
KEY = Idempotency("scope", "key", b"digest")
ASKED = TriggerRequest(intent="calling", text="hi", idempotency=KEY)


@pytest.fixture
async def calling(world: World) -> World:
    await world.publish(CALLING, "calling")
    return world


async def test_a_turn_goes_on_with_each_result_and_is_one_turn(calling: World, script: Script) -> None:
    async def act(invoke: Invoke) -> Returned:
        return Returned(at=0, step=invoke.step, result={"status": 200 + invoke.step})

    script.act = act
    caller = await calling.customer()
    reply = (await calling.executor.trigger(caller, ASKED)).reply
    assert [block.payload["text"] for block in reply.blocks] == ["One moment.", "Paid 201. Anything else?"]
    assert (reply.rev, reply.status) == (1, "waiting_input")
    assert [(call.node, call.step, call.repeatable, call.request.url) for call in script.asked] == [
        ("look", 0, True, "https://shop.example/orders"),
        ("pay", 1, False, "https://pay.example/200"),
    ]
    assert reply.tools_called == ("calling/look", "calling/pay")
    assert (await calling.executor.trigger(caller, ASKED)).replayed
    assert len(script.asked) == 2
    messages = await calling.executor.reader.messages(caller, reply.conversation_id)
    assert [view.message.role for view in messages] == ["user", "assistant"]


async def test_a_performer_that_breaks_is_a_failed_call_and_no_lost_run(calling: World, script: Script) -> None:
    async def act(invoke: Invoke) -> Returned:
        raise OSError(invoke.node)

    script.act = act
    caller = await calling.customer()
    reply = (await calling.executor.trigger(caller, ASKED)).reply
    assert reply.blocks[-1].payload["text"] == "Sorry: effect.failed."
    assert (reply.status, reply.tools_failed) == ("completed", ("calling/look",))


async def test_a_request_whose_patience_ends_is_told_what_there_is_and_the_turn_goes_on(calling: World, script: Script) -> None:
    go_on = script.hold()
    caller = await calling.customer()
    first = await calling.executor.trigger(caller, ASKED, patience=0)
    assert first.reply.status == "running"
    assert [block.payload["text"] for block in first.reply.blocks] == ["One moment."]
    following = asyncio.create_task(calling.executor.reader.follow(caller, first.reply.execution_id, None, 30))
    await until(lambda: calling.executor.bulletin.awaited(first.reply.execution_id))
    go_on.set()
    await calling.executor.worker.drain()
    await following
    assert (await calling.executor.reader.latest(caller, first.reply.execution_id)).status == "waiting_input"
    again = await calling.executor.trigger(caller, ASKED)
    assert again.replayed
    assert again.reply == first.reply  # the first answer that was sent is the one that is kept


async def test_a_request_whose_call_lasts_is_told_what_there_is_soon_after_the_process_is_told_to_stop(
    calling: World, script: Script
) -> None:
    go_on = script.hold()
    working = asyncio.create_task(calling.executor.trigger(await calling.customer(), ASKED))
    await until(lambda: bool(script.asked))
    calling.executor.bulletin.close()
    told = await asyncio.wait_for(working, 10)
    go_on.set()
    assert told.reply.status == "running"
    assert [block.payload["text"] for block in told.reply.blocks] == ["One moment."]


async def test_the_same_key_while_the_turn_works_is_told_so(calling: World, script: Script) -> None:
    go_on = asyncio.Event()

    async def act(invoke: Invoke) -> Returned:
        await go_on.wait()
        return Returned(at=0, step=invoke.step, code="http.timeout")

    script.act = act
    caller = await calling.customer()
    working = asyncio.create_task(calling.executor.trigger(caller, ASKED))
    await until(lambda: bool(script.asked))
    with pytest.raises(TurnInProgress):
        await calling.executor.trigger(caller, ASKED)
    go_on.set()
    assert (await working).reply.blocks[-1].payload["text"] == "Sorry: http.timeout."


async def test_a_result_that_comes_after_a_cancel_changes_nothing(calling: World, script: Script) -> None:
    go_on = script.hold()
    caller = await calling.customer()
    first = await calling.executor.trigger(caller, ASKED, patience=0)
    ended = (await calling.executor.cancel(caller, CancelRequest(run_id=first.reply.execution_id))).reply
    assert ended.status == "aborted"
    go_on.set()
    await calling.executor.worker.drain()
    assert (await calling.executor.reader.latest(caller, first.reply.execution_id)).status == "aborted"
    assert len(script.asked) == 1


async def spoken(world: World, caller: Caller) -> list[tuple[str, list[str]]]:
    """Who has said what in the conversation, in sequence."""
    views = await world.executor.reader.messages(caller, caller.conversation_id or "")
    assert [view.message.sequence for view in views] == list(range(len(views)))
    said = [(view.message, decode_reply(view.reply)) for view in views]
    return [
        (row.role, [block.payload["text"] for block in reply.blocks] if row.role == "assistant" else [row.text or ""])
        for row, reply in said
    ]


async def hang(_: Invoke) -> Returned:
    await asyncio.Event().wait()
    raise AssertionError


async def test_what_was_said_before_a_call_is_a_message_while_the_call_lasts_and_the_same_one_when_it_has_gone_on(
    calling: World, script: Script
) -> None:
    go_on = script.hold()
    caller = await calling.customer()
    await calling.executor.trigger(caller, ASKED, patience=0)
    assert await spoken(calling, caller) == [("user", ["hi"]), ("assistant", ["One moment."])]
    go_on.set()
    await calling.executor.worker.drain()
    assert await spoken(calling, caller) == [("user", ["hi"]), ("assistant", ["One moment.", "Paid 200. Anything else?"])]


async def test_a_cancel_that_breaks_a_call_off_leaves_the_message_of_what_was_said_before_it(calling: World, script: Script) -> None:
    script.act = hang
    caller = await calling.customer()
    first = await calling.executor.trigger(caller, ASKED, patience=0)
    await calling.executor.cancel(caller, CancelRequest(run_id=first.reply.execution_id))
    assert await spoken(calling, caller) == [("user", ["hi"]), ("assistant", ["One moment."])]


async def test_a_trigger_that_takes_the_place_of_a_run_in_its_call_leaves_the_message_of_what_that_has_said(
    calling: World, script: Script
) -> None:
    await calling.publish(replace(CALLING, on_trigger="replace"), "replacing")
    script.act = hang
    caller = await calling.customer()
    await calling.executor.trigger(caller, ASKED, patience=0)
    await calling.executor.trigger(caller, replace(ASKED, text="again", idempotency=None), patience=0)
    assert await spoken(calling, caller) == [
        ("user", ["hi"]),
        ("assistant", ["One moment."]),
        ("user", ["again"]),
        ("assistant", ["One moment."]),
    ]


async def test_a_turn_that_says_something_only_after_its_call_has_no_message_before(calling: World, script: Script) -> None:
    await calling.publish(replace(CALLING, start="look"), "silent")
    script.act = hang
    caller = await calling.customer()
    first = await calling.executor.trigger(caller, ASKED, patience=0)
    assert await spoken(calling, caller) == [("user", ["hi"])]
    await calling.executor.cancel(caller, CancelRequest(run_id=first.reply.execution_id))
    assert await spoken(calling, caller) == [("user", ["hi"])]


async def test_a_request_whose_run_was_cancelled_in_a_call_is_told_so_when_it_is_repeated(calling: World, script: Script) -> None:
    script.act = hang
    caller = await calling.customer()
    asking = asyncio.create_task(calling.executor.trigger(caller, ASKED))
    await until(lambda: bool(script.asked))
    [run] = await calling.executor.reader.open_runs(caller, caller.conversation_id or "")
    await calling.executor.cancel(caller, CancelRequest(run_id=run.execution_id))
    asking.cancel()  # the customer has gone meanwhile, or the server has died
    again = await calling.executor.trigger(caller, ASKED)
    assert (again.replayed, again.reply.execution_id, again.reply.status) == (True, run.execution_id, "aborted")
    assert await calling.executor.trigger(caller, ASKED) == again


async def test_nobody_can_answer_a_run_that_is_working(calling: World, script: Script) -> None:
    go_on = asyncio.Event()

    async def act(invoke: Invoke) -> Returned:
        if invoke.node == "pay":
            await go_on.wait()
        return Returned(at=0, step=invoke.step, result={"status": 200})

    script.act = act
    caller = await calling.customer()
    waiting = await calling.trigger(caller)
    working = await calling.executor.trigger(caller, ASKED, patience=0)
    assert working.reply.wait_id is None
    request = calling.answer(waiting, "x")
    with pytest.raises(InvalidWaitToken):
        await calling.executor.resume(caller, type(request)(run_id=working.reply.execution_id, wait_token=request.wait_token, text="x"))
    go_on.set()
