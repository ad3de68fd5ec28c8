"""A request with several faults is told the first of them in the order that the contract gives, and a refused one changes nothing."""

from typing import Any

import pytest

from api.settings import Rate, Settings
from tests.api.world import CHAT, ENGINE, NOBODY, World, opened_world, public_key

BIG = b'{"text": "' + b"x" * 70_000 + b'"}'


async def code(world: World, *args: Any, **kwargs: Any) -> tuple[int, str]:
    answer = await world.send(*args, **kwargs)
    return answer.status_code, answer.json().get("error", "")


async def test_a_missing_route_and_a_wrong_method_come_before_everything(world: World) -> None:
    assert await code(world, "POST", f"{CHAT}/nothing", body=BIG) == (404, "not_found")
    assert await code(world, "PATCH", f"{CHAT}/messages", body=BIG) == (405, "method_not_allowed")


async def test_the_rate_comes_before_the_body() -> None:
    async with opened_world(Settings(rate_limit_messages=Rate(1, 60))) as world:
        assert await code(world, "POST", f"{CHAT}/messages", body=BIG) == (413, "payload_too_large")
        assert await code(world, "POST", f"{CHAT}/messages", body=BIG) == (429, "rate_limited")


@pytest.mark.parametrize("path", [f"{CHAT}/messages", f"{ENGINE}/triggers/chat", f"{ENGINE}/events"])
async def test_size_then_media_type_then_credential(world: World, path: str) -> None:
    assert await code(world, "POST", path, body=BIG, content_type="text/plain") == (413, "payload_too_large")
    assert await code(world, "POST", path, body=b"not json", content_type="text/plain") == (415, "unsupported_media_type")
    status, _ = await code(world, "POST", path, body=b"not json")
    assert status == 401


async def test_the_token_comes_before_the_key_and_the_key_before_the_origin(world: World) -> None:
    token = await world.token()
    await world.change_key("a", status="paused")
    assert await code(world, "POST", f"{CHAT}/messages", token="st_forged", body=b"[]") == (401, "invalid_session_token")
    assert await code(world, "POST", f"{CHAT}/messages", token=token, body=b"[]", origin="https://evil.example") == (403, "widget_disabled")
    await world.change_key("a", status="active")
    assert await code(world, "POST", f"{CHAT}/messages", token=token, body=b"[]", origin="https://evil.example") == (
        403,
        "origin_not_allowed",
    )


async def test_the_shape_comes_before_the_idempotency_key_and_that_before_the_intent(world: World) -> None:
    opened = await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key("b")}, origin="https://www.acme.com")
    token = opened.json()["sessionToken"]
    sent = {"token": token, "origin": "https://www.acme.com", "idempotency_key": "k"}
    good = {"text": "hi", "intentName": "order_status"}
    assert await code(world, "POST", f"{CHAT}/messages", body=good, **sent) == (200, "")
    assert await code(world, "POST", f"{CHAT}/messages", body={"text": 5, "intentName": "address"}, **sent) == (400, "invalid_input")
    assert await code(world, "POST", f"{CHAT}/messages", body={**good, "intentName": "address"}, **sent) == (409, "idempotency_conflict")
    sent["idempotency_key"] = "other"
    assert await code(world, "POST", f"{CHAT}/messages", body={**good, "intentName": "address", "conversationId": NOBODY}, **sent) == (
        403,
        "intent_not_allowed",
    )
    assert await code(world, "POST", f"{CHAT}/messages", body={**good, "intentName": "unpublished", "conversationId": NOBODY}, **sent) == (
        404,
        "intent_not_matched",
    )
    assert await code(world, "POST", f"{CHAT}/messages", body={**good, "text": "", "conversationId": NOBODY}, **sent) == (
        404,
        "conversation_not_found",
    )
    assert await code(world, "POST", f"{CHAT}/messages", body={**good, "text": ""}, **sent) == (422, "validation_failed")


async def test_the_run_comes_before_its_end_the_end_before_the_token_and_the_token_before_the_values(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    faulty = {"text": "x" * 5000, "zzz": 1}
    assert (await world.answer(token, {**reply, "executionId": NOBODY}, **faulty)).json()["error"] == "execution_not_found"
    assert (await world.answer(token, {**reply, "waitToken": "wt_none"}, **faulty)).json()["error"] == "invalid_wait_token"
    refused = await world.answer(token, reply, **faulty)
    assert refused.json()["error"] == "validation_failed"
    assert {error["field"] for error in refused.json()["details"]["errors"]} >= {"/text", "/zzz"}
    await world.send("POST", f"{CHAT}/executions/{reply['executionId']}/cancel", token=token)
    ended = await world.answer(token, {**reply, "waitToken": "wt_none"}, **faulty)
    assert (ended.status_code, ended.json()["error"]) == (410, "execution_aborted")


async def test_on_sessions_the_shape_comes_before_the_key(world: World) -> None:
    assert await code(world, "POST", f"{CHAT}/sessions", body={"publicKey": 5}) == (400, "invalid_input")
    assert await code(world, "POST", f"{CHAT}/sessions", body={"publicKey": public_key("0"), "locale": "!"}) == (403, "widget_disabled")
    assert await code(world, "POST", f"{CHAT}/sessions", body={"publicKey": public_key("a"), "locale": "!"}, origin="") == (
        403,
        "origin_not_allowed",
    )
    assert await code(world, "POST", f"{CHAT}/sessions", body={"publicKey": public_key("a"), "locale": "!"}) == (422, "validation_failed")


async def test_a_refused_answer_uses_up_neither_the_token_nor_the_idempotency_key(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    body = {"waitToken": reply["waitToken"], "executionId": reply["executionId"], "text": "no number"}
    refused = await world.send("POST", f"{CHAT}/messages", token=token, body=body, idempotency_key="once")
    assert refused.status_code == 422
    taken = await world.send("POST", f"{CHAT}/messages", token=token, body={**body, "text": "A-7"}, idempotency_key="once")
    assert taken.status_code == 200
    assert taken.json()["reply"]["status"] == "completed"


async def test_every_fault_of_the_request_and_of_the_answer_is_told_at_once(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token, "address")
    answer = await world.answer(token, reply, values={"street": "Long", "planet": 1}, variables={"Bad Name": {}}, extra=True)
    fields = {error["field"] for error in answer.json()["details"]["errors"]}
    assert answer.status_code == 422
    assert {"/extra", "/variables/Bad Name", "/values/city", "/values/planet"} <= fields
