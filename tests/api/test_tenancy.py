"""What belongs to another tenant, another customer or another conversation does not exist for whoever asks."""

from typing import Any

import pytest

from tests.api.world import CHAT, ENGINE, World, signature

Routes = list[tuple[str, str, Any, str]]


def chat_routes(run_id: str, conversation_id: str, wait_token: str) -> Routes:
    answer = {"waitToken": wait_token, "executionId": run_id, "text": "A-1"}
    return [
        ("GET", f"{CHAT}/executions/{run_id}", None, "execution_not_found"),
        ("GET", f"{CHAT}/executions/{run_id}?wait=30", None, "execution_not_found"),
        ("POST", f"{CHAT}/executions/{run_id}/cancel", None, "execution_not_found"),
        ("GET", f"{CHAT}/executions?conversationId={conversation_id}", None, "conversation_not_found"),
        ("GET", f"{CHAT}/messages?conversationId={conversation_id}", None, "conversation_not_found"),
        ("POST", f"{CHAT}/messages", answer, "execution_not_found"),
        (
            "POST",
            f"{CHAT}/messages",
            {"text": "x", "intentName": "order_status", "conversationId": conversation_id},
            "conversation_not_found",
        ),
    ]


@pytest.mark.parametrize("stranger", ["a", "d", "9"], ids=["another session", "another key", "another tenant"])
async def test_nothing_of_a_session_is_told_to_strangers(world: World, stranger: str) -> None:
    session = await world.session()
    reply = await world.trigger(session["sessionToken"])
    token = await world.token(stranger)
    for method, path, body, code in chat_routes(reply["executionId"], session["conversationId"], reply["waitToken"]):
        answer = await world.send(method, path, token=token, body=body)
        assert (answer.status_code, answer.json()["error"]) == (404, code)
    assert (await world.answer(session["sessionToken"], reply, text="A-1")).status_code == 200


async def test_a_signed_customer_reaches_all_own_conversations_and_no_others(world: World) -> None:
    session = await world.session(customerId="one", customerSignature=signature("one"))
    reply = await world.trigger(session["sessionToken"])
    mine = await world.token(customerId="one", customerSignature=signature("one"))
    theirs = await world.token(customerId="two", customerSignature=signature("two"))
    path = f"{CHAT}/executions/{reply['executionId']}"
    assert (await world.send("GET", path, token=mine)).status_code == 200
    assert (await world.send("GET", path, token=theirs)).status_code == 404


async def test_nothing_of_a_tenant_is_told_to_another_tenants_server(world: World) -> None:
    started = (await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body={"intent_name": "order_status"})).json()
    run = f"{ENGINE}/executions/{started['execution_id']}"
    resume = {"wait_token": started["metadata"]["wait_token"], "input": {"text": "A-1"}}
    conversation = started["conversation_id"]
    routes: Routes = [
        ("GET", run, None, "execution_not_found"),
        ("GET", f"{run}/trace", None, "execution_not_found"),
        ("POST", f"{run}/cancel", None, "execution_not_found"),
        ("POST", f"{run}/resume", resume, "execution_not_found"),
        ("GET", f"{ENGINE}/executions?conversation_id={conversation}", None, "conversation_not_found"),
        (
            "POST",
            f"{ENGINE}/triggers/chat",
            {"intent_name": "order_status", "conversation_id": conversation},
            "conversation_not_found",
        ),
    ]
    for method, path, body, code in routes:
        answer = await world.send(method, path, token="sk_globex", body=body)
        assert (answer.status_code, answer.json()["error"]) == (404, code)
    listed = await world.send("GET", f"{ENGINE}/executions", token="sk_globex")
    assert listed.json() == {"executions": []}


async def test_another_tenants_events_reach_nobody(world: World) -> None:
    nodes = {"paid": {"type": "wait", "event": "order.paid", "timeout": {"after": "1h", "next": "end"}, "next": "end"}}
    await world.publish({"flow": "paying", "intent": {"label": "Pay"}, "nodes": nodes})
    started = (await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body={"intent_name": "paying"})).json()
    told = await world.send("POST", f"{ENGINE}/events", token="sk_globex", body={"event_name": "order.paid"})
    assert told.json()["execution_ids"] == []
    shown = await world.send("GET", f"{ENGINE}/executions/{started['execution_id']}", token="sk_acme")
    assert shown.json()["status"] == "waiting_time"
    own = await world.send("POST", f"{ENGINE}/events", token="sk_acme", body={"event_name": "order.paid"})
    assert own.json()["execution_ids"] == [started["execution_id"]]


async def test_a_tenants_event_starts_its_own_flows_only(world: World) -> None:
    nodes = {"hello": {"type": "ask", "prompt": "Anything else?", "next": "end"}}
    await world.publish({"flow": "welcome", "intent": {"label": "Welcome"}, "on_event": {"name": "order.paid"}, "nodes": nodes})
    told = await world.send("POST", f"{ENGINE}/events", token="sk_globex", body={"event_name": "order.paid"})
    (run_id,) = told.json()["execution_ids"]
    assert (await world.send("GET", f"{ENGINE}/executions/{run_id}", token="sk_globex")).status_code == 200
    assert (await world.send("GET", f"{ENGINE}/executions/{run_id}", token="sk_acme")).status_code == 404


async def test_a_callback_reaches_the_run_of_its_own_tenant_only(world: World) -> None:
    started = (await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body={"intent_name": "order_status"})).json()
    token = world.runtime.keyring.callback_token(world.tenant("9"), started["execution_id"], "0/paid/1")
    answer = await world.send("POST", f"{ENGINE}/callbacks/{token}", body={})
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_tenant_may_be_named_only_by_its_own_keys(world: World) -> None:
    own = world.runtime.catalog.public_key(f"pk_test_{'a' * 32}")
    assert own is not None
    for tenant_id, status in ((own.tenant_id, 200), ("somebody", 404)):
        body = {"intent_name": "order_status", "tenant_id": tenant_id}
        assert (await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body=body)).status_code == status
        path = f"{ENGINE}/triggers/chat?tenant_id={tenant_id}"
        assert (await world.send("POST", path, token="sk_acme", body={"intent_name": "order_status"})).status_code == status
        assert (await world.send("GET", f"{ENGINE}/intents?tenant_id={tenant_id}", token="sk_acme")).status_code == status
