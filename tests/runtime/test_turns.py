"""Turns, from a request to what is stored and answered, on every store."""

import asyncio
import hashlib
from collections import Counter

import pytest

from engine.errors import (
    AnswerRefused,
    ConversationNotFound,
    ExecutionAborted,
    ExecutionNotFound,
    IdempotencyConflict,
    IntentNotAllowed,
    IntentNotMatched,
    InvalidWaitToken,
    Unfit,
)
from engine.model.problems import Problem
from engine.runtime.replies import TurnReply, encode_reply
from engine.runtime.requests import Caller, CancelRequest, Idempotency, OpenRequest, ResumeRequest, TokenUsage, TriggerRequest
from engine.runtime.store.port import RunFilter
from engine.runtime.store.registry import Draft, PriceRow
from tests.runtime.conftest import TENANT, World, until

MINUTE = 60_000
PICKY = """
flow: picky
intent: {}
inputs:
  size: {type: integer}
  kind: {enum: [a, b]}
  parts: {type: object, additionalProperties: false}
  code: {type: string, pattern: "^[0-9]+$"}
  other: {anyOf: [{type: integer}, {const: x}]}
  deep: {type: array, items: {type: integer}}
nodes: {done: {type: message, text: Fine., next: end}}
"""


def texts(reply: TurnReply) -> list[str]:
    return [block.payload["text"] for block in reply.blocks]


def keyed(key: str, body: bytes = b"{}") -> Idempotency:
    return Idempotency("scope", key, hashlib.sha256(body).digest())


async def test_whoever_comes_twice_at_once_has_one_conversation(world: World) -> None:
    opened = await asyncio.gather(*(world.executor.open(TENANT, OpenRequest(public_key_id="key", customer_id="ada")) for _ in range(5)))
    server = Caller(tenant_id=TENANT, surface="engine")
    asked = TriggerRequest(intent="order_status", text="", customer_id="bob")
    taken = await asyncio.gather(*(world.executor.trigger(server, asked) for _ in range(5)))
    assert len({one.conversation_id for one in opened}) == 1
    assert len({one.reply.conversation_id for one in taken}) == 1


async def test_a_conversation_goes_from_its_trigger_to_its_end(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller)
    assert (asked.status, texts(asked)) == ("waiting_input", ["Your order number?"])
    told = (await world.executor.resume(caller, world.answer(asked, "A-1"))).reply
    assert (told.status, texts(told)) == ("completed", ["It ships tomorrow from main."])
    assert told.matched_rules == ("order_status/known#0",)
    assert told.flow is None
    messages = await world.executor.reader.messages(caller, asked.conversation_id)
    assert [(view.message.role, view.message.sequence, view.message.text) for view in messages] == [
        ("user", 0, "hi"),
        ("assistant", 1, None),
        ("user", 2, "A-1"),
        ("assistant", 3, None),
    ]


async def test_a_get_shows_everything_since_the_customers_last_input(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller)
    world.clock.advance(10 * MINUTE)
    assert await world.runtime.scheduler.sweep() == 1
    shown = await world.executor.reader.latest(caller, asked.execution_id)
    assert texts(shown) == ["Your order number?", "Good-bye."]
    assert [block.id for block in shown.blocks][:1] == [block.id for block in asked.blocks]


@pytest.mark.parametrize("late", [0, 1, 5 * MINUTE])
async def test_an_answer_at_or_after_the_deadline_is_expired_swept_or_not(world: World, late: int) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller)
    world.clock.advance(10 * MINUTE + late)
    with pytest.raises(InvalidWaitToken) as refused:
        await world.executor.resume(caller, world.answer(asked, "A-1"))
    assert refused.value.reason == "expired"
    assert isinstance(refused.value.current, TurnReply)
    await world.runtime.scheduler.sweep()
    with pytest.raises(InvalidWaitToken) as refused:
        await world.executor.resume(caller, world.answer(asked, "A-1"))
    assert refused.value.reason == "used"  # the flow has come to its end by itself


async def test_a_wait_does_not_expire_before_its_deadline(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller)
    world.clock.advance(10 * MINUTE - 1)
    assert await world.runtime.scheduler.sweep() == 0
    assert (await world.executor.resume(caller, world.answer(asked, "A-1"))).reply.status == "completed"


async def test_a_deadline_without_a_branch_aborts_the_run(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller, "strict")
    world.clock.advance(30_000)
    await world.runtime.scheduler.sweep()
    ended = await world.executor.reader.latest(caller, asked.execution_id)
    assert (ended.status, ended.end_reason) == ("aborted", "expired")
    with pytest.raises(ExecutionAborted):
        await world.executor.resume(caller, world.answer(asked, "7"))


async def test_one_of_many_answers_to_one_token_wins(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller)
    request = world.answer(asked, "A-1")
    outcomes = await asyncio.gather(*(world.executor.resume(caller, request) for _ in range(10_000)), return_exceptions=True)
    losers = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(losers) == 9_999
    assert Counter((type(loser), getattr(loser, "reason", None)) for loser in losers) == {(InvalidWaitToken, "used"): 9_999}
    assert (await world.executor.reader.latest(caller, asked.execution_id)).rev == 2


async def test_a_token_of_another_run_or_of_nobody_is_mismatched(world: World) -> None:
    caller = await world.customer()
    one, other = await world.trigger(caller), await world.trigger(caller)
    for token in (world.answer(other, "").wait_token, "wt_anything", "", "wt_" + "a" * 44):
        request = ResumeRequest(run_id=one.execution_id, wait_token=token, text="A-1")
        with pytest.raises(InvalidWaitToken) as refused:
            await world.executor.resume(caller, request)
        assert refused.value.reason == "mismatched"


async def test_the_old_token_of_the_same_question_is_used(world: World) -> None:
    caller = await world.customer()
    first = await world.trigger(caller)
    again = (await world.executor.resume(caller, world.answer(first, "B-2"))).reply
    assert again.node == first.node
    with pytest.raises(InvalidWaitToken) as refused:
        await world.executor.resume(caller, world.answer(first, "A-1"))
    assert refused.value.reason == "used"
    assert refused.value.current == again


async def test_the_same_key_gives_the_same_reply_and_happens_once(world: World) -> None:
    caller = await world.customer()
    first = await world.executor.trigger(caller, TriggerRequest(intent="order_status", text="hi", idempotency=keyed("k")))
    second = await world.executor.trigger(caller, TriggerRequest(intent="order_status", text="hi", idempotency=keyed("k")))
    assert (first.replayed, second.replayed) == (False, True)
    assert encode_reply(first.reply) == encode_reply(second.reply)
    answer = world.answer(first.reply, "A-1", keyed("a"))
    told = await world.executor.resume(caller, answer)
    assert encode_reply((await world.executor.resume(caller, answer)).reply) == encode_reply(told.reply)
    with pytest.raises(IdempotencyConflict):
        await world.executor.resume(caller, world.answer(first.reply, "A-1", keyed("a", b"other")))


async def test_a_refused_request_uses_up_neither_its_key_nor_the_token(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller, "strict")
    with pytest.raises(AnswerRefused):
        await world.executor.resume(caller, world.answer(asked, "old", keyed("k")))
    told = await world.executor.resume(caller, world.answer(asked, "7", keyed("k")))
    assert (told.replayed, told.reply.status) == (False, "completed")


async def test_a_key_is_forgotten_after_a_day(world: World) -> None:
    caller = await world.customer()
    first = await world.trigger(caller, key=keyed("k"))
    world.clock.advance(24 * 60 * MINUTE + 1)
    assert (await world.trigger(caller, key=keyed("k"))).execution_id != first.execution_id
    await world.runtime.store.prune(world.runtime.store.now() - 24 * 60 * MINUTE)


async def test_cancelling_leaves_no_token_and_happens_once(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller)
    ended = (await world.executor.cancel(caller, CancelRequest(run_id=asked.execution_id))).reply
    assert (ended.status, ended.end_reason, ended.wait_id) == ("aborted", "cancelled", None)
    again = (await world.executor.cancel(caller, CancelRequest(run_id=asked.execution_id))).reply
    assert again.rev == ended.rev
    with pytest.raises(ExecutionAborted):
        await world.executor.resume(caller, world.answer(asked, "A-1"))


async def test_answer_deadline_and_cancel_at_the_same_moment_have_one_winner(world: World) -> None:
    caller = await world.customer()
    for early in (0, 1):
        asked = await world.trigger(caller)
        world.clock.advance(10 * MINUTE - early)
        due = await world.runtime.store.due(10)
        moves = [
            world.executor.resume(caller, world.answer(asked, "A-1")),
            *(world.executor.expire(wait) for wait in due),
            world.executor.cancel(caller, CancelRequest(run_id=asked.execution_id)),
        ]
        await asyncio.gather(*moves, return_exceptions=True)
        ended = await world.executor.reader.latest(caller, asked.execution_id)
        assert ended.rev == 2
        assert ended.end_reason == ("completed" if early or due else "cancelled")


async def test_runs_and_conversations_of_others_do_not_exist(world: World) -> None:
    caller, stranger = await world.customer(), await world.customer()
    asked = await world.trigger(caller)
    elsewhere = Caller(tenant_id="0198d000-0000-7000-8000-00000000000f", surface="engine")
    for other in (stranger, elsewhere):
        with pytest.raises(ExecutionNotFound):
            await world.executor.reader.latest(other, asked.execution_id)
        with pytest.raises(ExecutionNotFound):
            await world.executor.resume(other, world.answer(asked, "A-1"))
        with pytest.raises(ExecutionNotFound):
            await world.executor.cancel(other, CancelRequest(run_id=asked.execution_id))
        with pytest.raises(ConversationNotFound):
            await world.executor.reader.messages(other, asked.conversation_id)


async def test_a_signed_customer_keeps_the_conversation(world: World) -> None:
    first, second = await world.customer("ada"), await world.customer("ada")
    assert first.conversation_id == second.conversation_id
    asked = await world.trigger(first)
    assert [reply.execution_id for reply in await world.executor.reader.open_runs(second, asked.conversation_id)] == [asked.execution_id]


async def test_a_conversation_of_one_customer_is_not_found_for_another(world: World) -> None:
    ada = await world.customer("ada")
    server = Caller(tenant_id=TENANT, surface="engine")
    request = TriggerRequest(intent="strict", conversation_id=ada.conversation_id, customer_id="ada")
    assert (await world.executor.trigger(server, request)).reply.conversation_id == ada.conversation_id
    with pytest.raises(ConversationNotFound):
        await world.executor.trigger(server, TriggerRequest(intent="strict", conversation_id=ada.conversation_id, customer_id="bob"))


async def test_intents_are_allowed_before_they_are_looked_for(world: World) -> None:
    caller = await world.customer()
    narrow = Caller(tenant_id=TENANT, conversation_id=caller.conversation_id, intents=frozenset({"strict", "gone"}))
    with pytest.raises(IntentNotAllowed) as refused:
        await world.trigger(narrow)
    assert refused.value.details == {"allowed_intents": ["strict"]}
    with pytest.raises(IntentNotMatched):
        await world.trigger(narrow, "gone")


async def test_all_that_is_unfit_is_told_at_once_and_last(world: World) -> None:
    caller = await world.customer()
    door = (Problem("/text", "too_long", "Too long."),)
    with pytest.raises(Unfit) as refused:
        await world.executor.trigger(caller, TriggerRequest(intent="order_status", context={"shop": "elsewhere"}, unfit=door))
    assert [problem.field for problem in refused.value.problems] == ["/text", "/context/shop"]
    with pytest.raises(IntentNotMatched):
        await world.executor.trigger(caller, TriggerRequest(intent="gone", unfit=door))
    asked = await world.trigger(caller, "strict")
    answer = ResumeRequest(run_id=asked.execution_id, wait_token=world.answer(asked, "").wait_token, values={"age": "x"}, unfit=door)
    with pytest.raises(Unfit) as refused:
        await world.executor.resume(caller, answer)
    assert [problem.field for problem in refused.value.problems] == ["/text", "/values/age"]


async def test_what_does_not_fit_an_input_is_told_without_quoting_it(world: World) -> None:
    await world.publish_text(PICKY)
    caller = await world.customer()
    context = {"size": "canary", "kind": "canary", "parts": {"canary": 1}, "code": "canary", "other": "canary", "deep": [["canary"]]}
    with pytest.raises(Unfit) as refused:
        await world.executor.trigger(caller, TriggerRequest(intent="picky", text="hi", context=context))
    told = {problem.field: problem.message for problem in refused.value.problems}
    assert told.keys() == {"/context/size", "/context/kind", "/context/parts", "/context/code", "/context/other", "/context/deep/0"}
    assert told["/context/kind"] == "This is none of the allowed values."
    assert told["/context/parts"] == "There is a key that is not known."
    assert "canary" not in str(refused.value.details)


async def test_context_fills_the_flows_inputs_and_the_rest_stays(world: World) -> None:
    caller = await world.customer()
    request = TriggerRequest(intent="order_status", text="hi", context={"shop": "north", "page": "/orders"})
    asked = (await world.executor.trigger(caller, request)).reply
    told = (await world.executor.resume(caller, world.answer(asked, "A-1"))).reply
    assert texts(told) == ["It ships tomorrow from north."]


async def test_a_name_that_a_flow_has_written_belongs_to_the_tenant(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller)
    await world.executor.resume(caller, world.answer(asked, "A-1"))
    request = TriggerRequest(intent="strict", text="hi", variables={"last_order": "forged", "plan": "pro"})
    again = (await world.executor.trigger(caller, request)).reply
    row = await world.executor.reader.conversation(caller, again.conversation_id)
    assert row.variables == {"last_order": "A-1", "plan": "pro"}
    trace = await world.executor.reader.trace(caller, again.execution_id)
    assert [entry["warning"]["code"] for entry in trace if "warning" in entry] == ["variable.owned"]  # type: ignore[index]
    server = Caller(tenant_id=TENANT, surface="engine")
    await world.executor.trigger(server, TriggerRequest(intent="strict", conversation_id=again.conversation_id, variables={"plan": "free"}))
    await world.executor.trigger(caller, TriggerRequest(intent="strict", text="hi", variables={"plan": "pro"}))
    assert (await world.executor.reader.conversation(caller, again.conversation_id)).variables["plan"] == "free"


async def test_a_conversations_variables_have_a_bound(world: World) -> None:
    caller = await world.customer()
    for name in "abcd":
        await world.executor.trigger(caller, TriggerRequest(intent="strict", variables={name: "x" * 4000}))
    with pytest.raises(Unfit) as refused:
        await world.executor.trigger(caller, TriggerRequest(intent="strict", variables={"e": "x" * 4000}))
    assert refused.value.problems[0].code == "limit.conversation"


async def test_tokens_that_the_client_spent_are_priced_with_the_turn(world: World) -> None:
    now = world.clock.wall()
    for name, price, since in (("old", "1", 0), ("new", "0.15", now - 1), ("future", "9", now + MINUTE)):
        row = PriceRow(tenant_id=TENANT, id=name, model="m", input=price, output="2", cached_input=None, effective_from=since)
        await world.price(row)
    caller = await world.customer()
    usage = TokenUsage(model="m", prompt_tokens=10, completion_tokens=3, cached_prompt_tokens=4)
    key = keyed("k")
    asked = await world.executor.trigger(caller, TriggerRequest(intent="strict", text="hi", usage=usage, idempotency=key))
    assert asked.reply.usage[0].cost_micros == 8  # 1.5 + 6 = 7.5, rounded half up once
    await world.executor.trigger(caller, TriggerRequest(intent="strict", text="hi", usage=usage, idempotency=key))
    rows = await world.runtime.store.usage_of_turn(TENANT, asked.reply.turn_id)
    assert [(row.price_id, row.cost_micros, row.source) for row in rows] == [("new", 8, "client")]
    unpriced = TokenUsage(model="other", prompt_tokens=1, completion_tokens=1)
    told = await world.executor.trigger(caller, TriggerRequest(intent="strict", text="hi", usage=unpriced))
    assert told.reply.usage[0].cost_micros is None


async def test_runs_keep_the_version_they_began_with(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller, "strict")
    await world.publish_text("flow: strict\nintent: {}\nnodes: {hi: {type: message, text: New, next: end}}\n")
    assert texts(await world.trigger(caller, "strict")) == ["New"]
    told = (await world.executor.resume(caller, world.answer(asked, "7"))).reply
    assert told.status == "completed"
    assert told.started == ("strict", 1)


async def test_a_long_poll_ends_with_the_next_turn(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller)
    waiting = asyncio.create_task(world.executor.reader.follow(caller, asked.execution_id, None, 30))
    await until(lambda: world.executor.bulletin.awaited(asked.execution_id))
    told = (await world.executor.resume(caller, world.answer(asked, "A-1"))).reply
    assert (await waiting).turn_id == told.turn_id
    at_once = await world.executor.reader.follow(caller, asked.execution_id, None, 30)
    assert at_once.status == "completed"


async def test_every_turn_and_every_end_is_written_for_the_webhooks(world: World) -> None:
    caller = await world.customer()
    asked = await world.trigger(caller)
    await world.executor.resume(caller, world.answer(asked, "A-1"))
    lists = await world.executor.reader.runs(caller, RunFilter(conversation_id=asked.conversation_id))
    assert [reply.status for reply in lists] == ["completed"]


async def test_a_published_flow_that_cannot_be_read_takes_only_its_own_intent_away(world: World) -> None:
    broken = Draft(flow="broken", digest="d", intent="broken", source="", document=b"\xff")
    await world.runtime.registry.publish(TENANT, [broken], world.clock.wall())
    assert await world.runtime.catalog.refresh()
    caller = await world.customer()
    with pytest.raises(IntentNotMatched):
        await world.trigger(caller, "broken")
    assert (await world.trigger(caller)).status == "waiting_input"


async def test_the_turn_that_is_one_too_many_fails_the_run(world: World) -> None:
    await world.publish_text(
        'flow: endless\nintent: {}\nnodes: {again: {type: ask, prompt: "?", attempts: 2, on_exhausted: again, input: number, next: again}}'
    )
    caller = await world.customer()
    reply = await world.trigger(caller, "endless")
    for number in range(499):
        reply = (await world.executor.resume(caller, world.answer(reply, "x" if number % 2 else "1"))).reply
    assert (reply.rev, reply.status) == (500, "waiting_input")
    reply = (await world.executor.resume(caller, world.answer(reply, "x"))).reply
    assert (reply.rev, reply.status, reply.end_code) == (501, "failed", "limit.turns")
