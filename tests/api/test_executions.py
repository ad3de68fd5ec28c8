"""Following a run: replies, entity tags, long polls, cancelling, messages, idempotency."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from api.app import stop_taking_requests
from engine.model.events import Returned
from engine.runtime.performing import Call
from tests.api.test_bulk import SLOW
from tests.api.world import CHAT, ENGINE, NOBODY, World

REPLY_KEYS = {
    "executionId",
    "conversationId",
    "turnId",
    "status",
    "blocks",
    "expectedInput",
    "waitToken",
    "waitExpiresAt",
    "tokenUsage",
    "scenario",
    "progress",
    "latencyMs",
    "endReason",
    "endCode",
}


async def get(world: World, token: str, run_id: str, query: str = "", **headers: str) -> httpx.Response:
    surface = ENGINE if token.startswith("sk_") else CHAT
    return await world.send("GET", f"{surface}/executions/{run_id}{query}", token=token, **headers)


async def test_a_reply_has_every_key_and_no_trace(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    assert set(reply) == REPLY_KEYS
    assert reply["waitExpiresAt"] == "2026-01-05T10:00:00.000Z"
    assert reply["scenario"] == {"id": "order_status", "version": 1, "step": None}
    assert reply["expectedInput"]["kind"] == "text"
    assert reply["expectedInput"]["node"] is None
    assert reply["expectedInput"]["attemptsLeft"] is None
    assert [block["meta"] for block in reply["blocks"]] == [None]
    assert (reply["endReason"], reply["endCode"], reply["tokenUsage"]) == (None, None, None)


async def test_a_key_that_may_see_traces_sees_them(world: World) -> None:
    token = await world.token("d")
    reply = await world.trigger(token)
    assert reply["scenario"]["step"] == "number"
    assert reply["expectedInput"]["node"] == "number"
    assert reply["blocks"][0]["meta"] == {"flow": "order_status", "node": "number"}
    assert (await world.trigger(token, "broken"))["endCode"] == "order.lost"
    assert (await world.trigger(await world.token("a"), "broken"))["endCode"] is None


async def test_an_ended_run_has_neither_scenario_nor_token(world: World) -> None:
    token = await world.token()
    ended = (await world.answer(token, await world.trigger(token), text="A-1")).json()["reply"]
    assert (ended["status"], ended["endReason"], ended["progress"]) == ("completed", "completed", 100)
    assert (ended["scenario"], ended["expectedInput"], ended["waitToken"], ended["waitExpiresAt"]) == (None, None, None, None)


async def test_tokens_are_priced(world: World) -> None:
    token = await world.token()
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "cached_prompt_tokens": 50, "model": "small"}
    assert (await world.trigger(token, tokenUsage=usage))["tokenUsage"] == {
        **usage,
        "total_tokens": 110,
        "cost_micros": 210,
        "cost_usd": 0.00021,
    }
    unpriced = {"prompt_tokens": 1, "completion_tokens": 1, "model": "unheard-of"}
    assert (await world.trigger(token, tokenUsage=unpriced))["tokenUsage"]["cost_micros"] is None


async def test_the_same_tag_gives_a_304_without_a_body(world: World) -> None:
    token = await world.token()
    run_id = (await world.trigger(token))["executionId"]
    first = await get(world, token, run_id)
    assert first.status_code == 200
    for known in (first.headers["etag"], f"W/{first.headers['etag']}", f'"other", {first.headers["etag"]}', "*"):
        again = await get(world, token, run_id, if_none_match=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "content-length" not in again.headers
    assert (await get(world, token, run_id, if_none_match='"other"')).status_code == 200


async def test_a_get_changes_nothing_and_shows_the_same_token(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    for _ in range(2):
        shown = (await get(world, token, reply["executionId"])).json()["reply"]
        assert shown == reply


async def begun(world: World, token: str, run_id: str, **headers: str) -> asyncio.Task[httpx.Response]:
    """A long poll that has begun to listen."""
    poll = asyncio.create_task(get(world, token, run_id, "?wait=30", **headers))
    while not world.runtime.executor.bulletin._waiting:  # noqa: ASYNC110, SLF001 - nobody else tells that it has
        await asyncio.sleep(0)
    return poll


@pytest.mark.parametrize("tagged", [True, False])
async def test_a_long_poll_is_answered_by_the_next_turn(world: World, tagged: bool) -> None:
    token = await world.token()
    run_id = (await world.trigger(token))["executionId"]
    tag = (await get(world, token, run_id)).headers["etag"]
    poll = await begun(world, token, run_id, **({"if_none_match": tag} if tagged else {}))
    assert not poll.done()
    await world.send("POST", f"{CHAT}/executions/{run_id}/cancel", token=token)
    answer = await poll
    assert (answer.status_code, answer.json()["reply"]["status"]) == (200, "aborted")
    assert answer.headers["etag"] != tag


async def test_a_tenants_server_follows_a_turn_that_goes_on_after_its_answer(world: World) -> None:
    returned = asyncio.Event()

    async def hold(call: Call) -> Returned:
        await returned.wait()
        return Returned(at=0, step=call.invoke.step, result={"status": 200})

    world.runtime.executor.worker._outside.performers["http"] = hold  # type: ignore[index] # noqa: SLF001 - in the place of the network
    await world.publish(SLOW)
    begun_run = await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body={"intent_name": "slow"}, prefer="wait=0")
    assert begun_run.json()["status"] == "running"
    run_id = begun_run.json()["execution_id"]
    tag = (await get(world, "sk_acme", run_id)).headers["etag"]
    poll = await begun(world, "sk_acme", run_id, if_none_match=tag)
    assert not poll.done()
    returned.set()
    answer = await poll
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert (await get(world, "sk_acme", run_id, "?wait=30", if_none_match=answer.headers["etag"])).status_code == 304


async def test_a_long_poll_whose_tag_is_old_is_answered_at_once(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    answer = await get(world, token, reply["executionId"], "?wait=30", if_none_match='"old"')
    assert answer.status_code == 200


async def test_a_long_poll_of_an_ended_run_is_answered_at_once(world: World) -> None:
    token = await world.token()
    ended = (await world.answer(token, await world.trigger(token), text="A-1")).json()["reply"]
    first = await get(world, token, ended["executionId"], "?wait=30")
    assert first.status_code == 200
    assert (await get(world, token, ended["executionId"], "?wait=30", if_none_match=first.headers["etag"])).status_code == 304


async def test_stopping_ends_long_polls_and_refuses_what_comes_after(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    poll = await begun(world, token, reply["executionId"])
    stop_taking_requests(world.app)
    assert (await poll).json()["reply"] == reply
    refused = await get(world, token, reply["executionId"])
    assert (refused.status_code, refused.json()["error"]) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize("wait", ["31", "-1", "x", "", "1.5"])
async def test_a_wait_out_of_range_is_a_422_but_comes_after_the_404(world: World, wait: str) -> None:
    token = await world.token()
    run_id = (await world.trigger(token))["executionId"]
    refused = await get(world, token, run_id, f"?wait={wait}")
    assert (refused.status_code, refused.json()["details"]["errors"][0]["field"]) == (422, "/wait")
    assert (await get(world, token, NOBODY, f"?wait={wait}")).status_code == 404
    refused = await get(world, "sk_acme", run_id, f"?wait={wait}")
    assert (refused.status_code, refused.json()["error"]) == (422, "invalid_input")
    assert (await get(world, "sk_acme", NOBODY, f"?wait={wait}")).status_code == 404


@pytest.mark.parametrize("run_id", [NOBODY, "x", "%00", "%ff", "..", NOBODY.upper(), "01900000-0000-7000-8000-00000000dea", "'; drop"])
async def test_an_id_that_names_nothing_is_a_404_of_its_kind(world: World, run_id: str) -> None:
    token = await world.token()
    answer = await get(world, token, run_id)
    assert (answer.status_code, answer.json()["error"]) == (404, "execution_not_found" if run_id != ".." else "not_found")
    cancelled = await world.send("POST", f"{CHAT}/executions/{NOBODY}/cancel", token=token)
    assert cancelled.json()["error"] == "execution_not_found"


async def test_cancelling_ends_the_run_and_a_second_time_changes_nothing(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    path = f"{CHAT}/executions/{reply['executionId']}/cancel"
    first = (await world.send("POST", path, token=token)).json()["reply"]
    assert (first["status"], first["endReason"], first["waitToken"]) == ("aborted", "cancelled", None)
    second = (await world.send("POST", path, token=token, body={})).json()["reply"]
    assert second["turnId"] == first["turnId"]
    refused = await world.send("POST", path, token=token, body={"reason": "x"})
    assert refused.status_code == 422
    late = await world.answer(token, reply, text="A-1")
    assert (late.status_code, late.json()["error"]) == (410, "execution_aborted")


async def test_a_used_token_tells_what_is_true_now(world: World) -> None:
    token = await world.token("d")
    reply = await world.trigger(token)
    await world.answer(token, reply, text="A-1")
    refused = await world.answer(token, reply, text="A-2")
    assert (refused.status_code, refused.json()["error"]) == (409, "invalid_wait_token")
    details = refused.json()["details"]
    assert details["reason"] == "used"
    assert details["current"]["status"] == "completed"
    assert set(details["current"]) == REPLY_KEYS


async def test_open_executions_are_listed_newest_first(world: World) -> None:
    session = await world.session()
    token = session["sessionToken"]
    first = await world.trigger(token)
    world.clock.advance(10)
    second = await world.trigger(token, "address")
    await world.trigger(token, "broken")
    listed = await world.send("GET", f"{CHAT}/executions?conversationId={session['conversationId']}", token=token)
    assert [reply["executionId"] for reply in listed.json()["replies"]] == [second["executionId"], first["executionId"]]


async def test_all_open_executions_are_listed_while_a_session_tells_of_the_newest_20(world: World) -> None:
    session = await world.session()
    token = session["sessionToken"]
    begun = [(await world.trigger(token))["executionId"] for _ in range(22)]
    listed = await world.send("GET", f"{CHAT}/executions?conversationId={session['conversationId']}", token=token)
    assert [reply["executionId"] for reply in listed.json()["replies"]] == begun[::-1]
    again = await world.session(sessionToken=token)
    assert [reply["executionId"] for reply in again["openExecutions"]] == begun[:1:-1]


async def test_messages_are_shown_in_sequence(world: World) -> None:
    session = await world.session()
    token = session["sessionToken"]
    await world.answer(token, await world.trigger(token), text="A-1")
    path = f"{CHAT}/messages?conversationId={session['conversationId']}&includeHistory=true"
    messages: list[dict[str, Any]] = (await world.send("GET", path, token=token)).json()["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "assistant"]
    assert [message["sequenceIndex"] for message in messages] == sorted({message["sequenceIndex"] for message in messages})
    assert messages[2]["text"] == "A-1"
    assert messages[3]["blocks"][0]["payload"]["text"] == "Order A-1 has shipped."
    assert messages[0]["createdAt"] == "2026-01-05T09:00:00.000Z"
    assert {"id", "replaces", "turnId", "tokenUsage", "feedback"} < set(messages[0])


@pytest.mark.parametrize("path", ["executions", "messages", "messages?includeHistory=true"])
async def test_a_conversation_must_be_named(world: World, path: str) -> None:
    answer = await world.send("GET", f"{CHAT}/{path}", token=await world.token())
    assert (answer.status_code, answer.json()["details"]["errors"][0]["field"]) == (422, "/conversationId")


async def test_query_parameters_out_of_range_are_a_422(world: World) -> None:
    session = await world.session()
    path = f"{CHAT}/messages?conversationId={session['conversationId']}&includeHistory=maybe&other=%00"
    answer = await world.send("GET", path, token=session["sessionToken"])
    assert {error["field"] for error in answer.json()["details"]["errors"]} == {"/includeHistory", "/other"}


async def test_a_repeat_with_the_same_key_gives_the_same_bytes(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    body = {"waitToken": reply["waitToken"], "executionId": reply["executionId"], "text": "A-1"}
    first = await world.send("POST", f"{CHAT}/messages", token=token, body=body, idempotency_key="k")
    world.clock.advance(5_000)
    again = await world.send("POST", f"{CHAT}/messages", token=token, body=body, idempotency_key="k")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    other = await world.send("POST", f"{CHAT}/messages", token=token, body={**body, "text": "A-2"}, idempotency_key="k")
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_conflict")
    spaced = json.dumps(body, indent=1).encode()
    assert (await world.send("POST", f"{CHAT}/messages", token=token, body=spaced, idempotency_key="k")).status_code == 409


async def test_a_replayed_trigger_still_carries_its_token(world: World) -> None:
    token = await world.token()
    body = {"text": "hi", "intentName": "order_status"}
    first = await world.send("POST", f"{CHAT}/messages", token=token, body=body, idempotency_key="k")
    again = await world.send("POST", f"{CHAT}/messages", token=token, body=body, idempotency_key="k")
    assert again.content == first.content
    assert again.json()["reply"]["waitToken"]
    elsewhere = await world.send("POST", f"{CHAT}/messages", token=await world.token(), body=body, idempotency_key="k")
    assert "idempotent-replayed" not in elsewhere.headers


async def test_a_cancel_is_idempotent_under_its_key(world: World) -> None:
    token = await world.token()
    path = f"{CHAT}/executions/{(await world.trigger(token))['executionId']}/cancel"
    first = await world.send("POST", path, token=token, idempotency_key="k")
    again = await world.send("POST", path, token=token, idempotency_key="k")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_cancel_that_had_nothing_to_end_uses_up_its_key_all_the_same(world: World) -> None:
    token = await world.token()
    path = f"{CHAT}/executions/{(await world.trigger(token))['executionId']}/cancel"
    await world.send("POST", path, token=token)
    first = await world.send("POST", path, token=token, idempotency_key="k")
    again = await world.send("POST", path, token=token, idempotency_key="k")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    body = {"text": "hello", "intentName": "order_status"}
    other = await world.send("POST", f"{CHAT}/messages", token=token, body=body, idempotency_key="k")
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_conflict")


async def test_head_is_answered_like_get_without_the_body(world: World) -> None:
    token = await world.token()
    run_id = (await world.trigger(token))["executionId"]
    answer = await world.send("HEAD", f"{CHAT}/executions/{run_id}", token=token)
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["etag"]
