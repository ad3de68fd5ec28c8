"""The engine surface: keys and scopes, triggers and answers, traces, lists, intents."""

import pytest

from engine.runtime.moments import moment
from tests.api.world import CHAT, ENGINE, World, public_key

METADATA_KEYS = {
    "wait_token",
    "wait_expires_at",
    "turn_id",
    "flow",
    "version",
    "step",
    "matched_rules",
    "tools_called",
    "tools_failed",
    "progress",
    "latency_ms",
    "end_reason",
    "code",
}


@pytest.mark.parametrize("key", ["", "sk_", "sk_unknown", "sk_acme_gone", "acme"])
async def test_what_is_no_active_key_is_a_401(world: World, key: str) -> None:
    answer = await world.client.get(f"{ENGINE}/intents", headers={"authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_api_key")


async def test_a_session_token_opens_nothing_here(world: World) -> None:
    answer = await world.send("GET", f"{ENGINE}/intents", token=await world.token())
    assert answer.json()["error"] == "invalid_api_key"


async def test_a_key_without_the_scope_is_a_403(world: World) -> None:
    answer = await world.send("GET", f"{ENGINE}/intents", token="sk_acme_reader")
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


async def test_a_conversation_goes_from_trigger_to_end(world: World) -> None:
    body = {"intent_name": "order_status", "text": "hi", "customer_id": "kunde", "variables": {"plan": "pro"}}
    started = (await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body=body)).json()
    assert set(started) == {"execution_id", "status", "blocks", "conversation_id", "expected_input", "metadata", "token_usage"}
    assert set(started["metadata"]) == METADATA_KEYS
    assert started["expected_input"]["attempts_left"] is None
    assert started["expected_input"]["node"] == started["metadata"]["step"] == "number"
    assert started["blocks"][0]["meta"] == {"flow": "order_status", "node": "number"}
    path = f"{ENGINE}/executions/{started['execution_id']}"
    answer = {"wait_token": started["metadata"]["wait_token"], "input": {"values": {"number": "A-1"}}, "context": {"page": "/"}}
    ended = (await world.send("POST", f"{path}/resume", token="sk_acme", body=answer)).json()
    assert ended["status"] == "completed"
    assert (ended["metadata"]["flow"], ended["metadata"]["version"], ended["metadata"]["step"]) == ("order_status", 1, None)
    shown = await world.send("GET", path, token="sk_acme")
    assert shown.json() == ended
    assert (await world.send("GET", path, token="sk_acme", if_none_match=shown.headers["etag"])).status_code == 304
    again = await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body=body)
    assert again.json()["conversation_id"] == started["conversation_id"]


async def test_a_used_token_shows_the_envelope_as_it_is_now(world: World) -> None:
    started = (await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body={"intent_name": "order_status"})).json()
    path = f"{ENGINE}/executions/{started['execution_id']}/resume"
    refused = await world.send("POST", path, token="sk_acme", body={"wait_token": "wt_x", "input": {"text": "A-1"}})
    assert refused.status_code == 409
    assert refused.json()["details"]["reason"] == "mismatched"
    assert refused.json()["details"]["current"]["metadata"]["wait_token"] == started["metadata"]["wait_token"]


async def test_a_trace_tells_every_visit(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    await world.answer(token, reply, text="A-1")
    trace = (await world.send("GET", f"{ENGINE}/executions/{reply['executionId']}/trace", token="sk_acme")).json()
    assert trace["visits"][0]["node"] == "number"
    assert {visit["node"] for visit in trace["visits"]} >= {"number", "found"}


async def test_a_trace_tells_time_as_every_other_answer_does(world: World) -> None:
    reply = await world.trigger(await world.token())
    trace = (await world.send("GET", f"{ENGINE}/executions/{reply['executionId']}/trace", token="sk_acme")).json()
    assert {visit["at"] for visit in trace["visits"]} == {moment(world.clock.wall())}


async def test_executions_are_listed_by_what_is_asked(world: World) -> None:
    session = await world.session()
    first = await world.trigger(session["sessionToken"])
    second = await world.trigger(session["sessionToken"], "address")
    await world.send("POST", f"{ENGINE}/executions/{second['executionId']}/cancel", token="sk_acme", body={})

    async def listed(query: str) -> list[str]:
        answer = await world.send("GET", f"{ENGINE}/executions{query}", token="sk_acme")
        assert answer.status_code == 200, answer.text
        return [run["execution_id"] for run in answer.json()["executions"]]

    assert set(await listed("")) == {first["executionId"], second["executionId"]}
    assert await listed("?status=aborted") == [second["executionId"]]
    assert await listed("?intent=order_status") == [first["executionId"]]
    assert set(await listed(f"?conversation_id={session['conversationId']}")) == {first["executionId"], second["executionId"]}
    assert len(await listed("?limit=1")) == 1
    refused = await world.send("GET", f"{ENGINE}/executions?status=odd&limit=0&intent=%00", token="sk_acme")
    assert (refused.status_code, refused.json()["error"]) == (422, "invalid_input")
    assert {error["field"] for error in refused.json()["details"]["errors"]} == {"/status", "/limit", "/intent"}


async def test_intents_have_a_tag(world: World) -> None:
    answer = await world.send("GET", f"{ENGINE}/intents", token="sk_acme")
    body = answer.json()
    assert answer.headers["etag"] == f'"{body["etag"]}"'
    assert body["cache_max_age_seconds"] == 300
    assert body["intents"][0]["display_label"] == "Track my order"
    assert body["intents"][0]["is_pinned"] is True
    assert (await world.send("GET", f"{ENGINE}/intents", token="sk_acme", if_none_match=answer.headers["etag"])).status_code == 304


async def test_a_key_repeats_for_its_api_key_method_and_path(world: World) -> None:
    body = {"intent_name": "order_status"}
    first = await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body=body, idempotency_key="k")
    again = await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body=body, idempotency_key="k")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    other = await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_globex", body=body, idempotency_key="k")
    assert "idempotent-replayed" not in other.headers
    path = f"{ENGINE}/executions/{first.json()['execution_id']}/cancel"
    assert (await world.send("POST", path, token="sk_acme", body={}, idempotency_key="k")).json()["status"] == "aborted"


async def test_what_the_engine_wrote_a_page_cannot_overwrite(world: World) -> None:
    session = await world.session()
    named = {"conversation_id": session["conversationId"], "variables": {"plan": "pro"}}
    await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body={"intent_name": "alone", **named})
    answer = await world.send(
        "POST",
        f"{CHAT}/messages",
        token=session["sessionToken"],
        body={"text": "x", "intentName": "order_status", "variables": {"plan": "free", "mood": "good"}},
    )
    assert answer.status_code == 200
    key = world.runtime.catalog.public_key(public_key("a"))
    assert key is not None
    row = await world.runtime.store.conversation(key.tenant_id, session["conversationId"])
    assert row is not None
    assert row.variables == {"plan": "pro", "mood": "good"}
