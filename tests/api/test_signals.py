"""Events and callbacks over HTTP: who may tell of them, what a repeat is answered, and what nobody learns."""

from typing import Any

import httpx
import pytest

from engine.runtime.callbacks import PATH
from tests.api.world import CHAT, ENGINE, NOBODY, World

EVENTS = f"{ENGINE}/events"
FORM = "application/x-www-form-urlencoded"
VISIT = "0/paid/1"
PAYING: dict[str, Any] = {
    "flow": "paying",
    "intent": {"label": "Pay"},
    "nodes": {
        "paid": {"type": "wait", "event": "order.paid", "save": "came", "timeout": {"after": "15m", "next": "end"}, "next": "thanks"},
        "thanks": {"type": "message", "text": "{{ vars.came.data.status }}", "next": "end"},
    },
}
WELCOME: dict[str, Any] = {
    "flow": "welcome",
    "intent": {"label": "Welcome"},
    "on_event": {"name": "order.paid"},
    "nodes": {"hello": {"type": "ask", "prompt": "Anything else?", "next": "end"}},
}


async def tell(world: World, key: str = "sk_acme", event: str = "order.paid", **body: Any) -> httpx.Response:
    return await world.send("POST", EVENTS, token=key, body={"event_name": event, **body})


async def waiting(world: World, key: str = "sk_acme") -> str:
    """A run that waits to be paid."""
    await world.publish(PAYING)
    started = await world.send("POST", f"{ENGINE}/triggers/chat", token=key, body={"intent_name": "paying"})
    await world.runtime.executor.settle()
    return str(started.json()["execution_id"])


async def shown(world: World, run_id: str, key: str = "sk_acme") -> tuple[str, list[str]]:
    envelope = (await world.send("GET", f"{ENGINE}/executions/{run_id}", token=key)).json()
    return envelope["status"], [block["payload"]["text"] for block in envelope["blocks"]]


def address(world: World, run_id: str, visit: str = VISIT) -> str:
    return PATH + world.runtime.keyring.callback_token(world.tenant(), run_id, visit)


async def call(world: World, path: str, body: bytes = b'{"status": "paid"}', kind: str = "application/json") -> httpx.Response:
    return await world.send("POST", path, body=body, content_type=kind)


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_an_event_ends_waits_and_starts_flows(world: World) -> None:
    run_id = await waiting(world)
    await world.publish(WELCOME)
    told = (await tell(world, data={"status": "paid"})).json()
    assert set(told) == {"event_id", "subscriptions_matched", "execution_ids"}
    assert told["subscriptions_matched"] == len(told["execution_ids"]) == 2
    assert told["execution_ids"][0] == run_id
    assert await shown(world, run_id) == ("completed", ["paid"])
    assert await shown(world, told["execution_ids"][1]) == ("waiting_input", ["Anything else?"])


async def test_an_event_that_nobody_listens_to_is_taken_all_the_same(world: World) -> None:
    told = (await tell(world, event="nobody.cares")).json()
    assert (told["subscriptions_matched"], told["execution_ids"]) == (0, [])


@pytest.mark.parametrize("where", ["body", "header"])
async def test_an_event_with_the_same_key_is_one_event(world: World, where: str) -> None:
    await world.publish(WELCOME)

    async def send(**data: Any) -> httpx.Response:
        named, header = ({"idempotency_key": "k"}, {}) if where == "body" else ({}, {"idempotency_key": "k"})
        return await world.send("POST", EVENTS, token="sk_acme", body={"event_name": "order.paid", "data": data, **named}, **header)

    first, again, other = await send(a=1), await send(a=1), await send(a=2)
    assert again.content == first.content
    assert [told.headers.get("idempotent-replayed") for told in (first, again)] == [None, "true"]
    assert refused(other) == (409, "idempotency_conflict")
    assert len(first.json()["execution_ids"]) == 1


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_malformed_key_in_the_header_is_refused_though_the_one_in_the_body_counts(world: World, key: str) -> None:
    headers = {"authorization": "Bearer sk_acme", "content-type": "application/json", "idempotency-key": key}
    answer = await world.client.post(EVENTS, json={"event_name": "order.paid", "idempotency_key": "k"}, headers=headers)
    assert refused(answer) == (422, "invalid_input")
    assert [error["field"] for error in answer.json()["details"]["errors"]] == ["/Idempotency-Key"]


async def test_a_key_in_the_body_may_be_as_long_as_one_in_the_header(world: World) -> None:
    body = {"event_name": "order.paid"}
    in_body = await world.send("POST", EVENTS, token="sk_acme", body={**body, "idempotency_key": "k" * 255})
    in_header = await world.send("POST", EVENTS, token="sk_acme", body=body, idempotency_key="k" * 255)
    assert (in_body.status_code, in_header.status_code) == (200, 200)
    document = (await world.client.get("/schema/openapi.json")).json()
    [header] = [one for one in document["paths"][EVENTS]["post"]["parameters"] if one["name"] == "Idempotency-Key"]
    key = next(of for of in document["components"]["schemas"]["Event"]["properties"]["idempotency_key"]["anyOf"] if "maxLength" in of)
    assert (key["minLength"], key["maxLength"]) == (header["schema"]["minLength"], header["schema"]["maxLength"]) == (1, 255)


async def test_a_key_of_an_event_is_the_tenants_own(world: World) -> None:
    first = await tell(world, idempotency_key="k")
    other = await tell(world, "sk_globex", idempotency_key="k", data={"a": 1})
    assert (first.status_code, other.status_code) == (200, 200)


WRONG_EVENTS = [
    ({}, 400, "/event_name"),
    ({"event_name": 5}, 400, "/event_name"),
    ({"event_name": "a", "data": []}, 400, "/data"),
    ({"event_name": "a", "data": "x"}, 400, "/data"),
    ({"event_name": "a", "idempotency_key": 5}, 400, "/idempotency_key"),
    ({"event_name": ""}, 422, "/event_name"),
    ({"event_name": "Order.Paid"}, 422, "/event_name"),
    ({"event_name": "order."}, 422, "/event_name"),
    ({"event_name": "order.paid\n"}, 422, "/event_name"),
    ({"event_name": "callback:x/y"}, 422, "/event_name"),
    ({"event_name": "a" * 129}, 422, "/event_name"),
    ({"event_name": "a", "idempotency_key": ""}, 422, "/idempotency_key"),
    ({"event_name": "a", "idempotency_key": "k" * 256}, 422, "/idempotency_key"),
    ({"event_name": "a", "zzz": 1}, 422, "/zzz"),
    ({"event_name": "a", "data": {"x": ["\0"]}}, 422, "/data/x/0"),
]


@pytest.mark.parametrize(("body", "status", "field"), WRONG_EVENTS, ids=lambda value: repr(value)[:40])
async def test_a_wrong_event_is_refused_and_named(world: World, body: Any, status: int, field: str) -> None:
    answer = await world.send("POST", EVENTS, token="sk_acme", body=body)
    assert refused(answer) == (status, "invalid_input")
    assert [error["field"] for error in answer.json()["details"]["errors"]] == [field]


async def test_events_need_a_key_of_the_tenant_that_they_name(world: World) -> None:
    assert refused(await tell(world, "")) == (401, "invalid_api_key")
    assert refused(await tell(world, "sk_acme_reader")) == (403, "insufficient_scope")
    assert refused(await tell(world, tenant_id="somebody")) == (404, "not_found")
    assert (await tell(world, tenant_id=world.tenant())).status_code == 200


BODIES = [
    (b'{"status": "paid"}', "application/json", "paid"),
    (b'{"status": "paid"}', "application/json; charset=utf-8", "paid"),
    (b"status=paid+in+full&x=1", FORM, "paid in full"),
    (b"status=bezahlt+%E2%9C%93", f"{FORM}; charset=UTF-8", "bezahlt ✓"),
    (b"other&status=paid&empty=&&", FORM, "paid"),
    (b"status=a&status=b", FORM, '["a","b"]'),
]


@pytest.mark.parametrize(("body", "kind", "text"), BODIES)
async def test_a_callback_brings_json_or_a_form_to_its_wait(world: World, body: bytes, kind: str, text: str) -> None:
    run_id = await waiting(world)
    answer = await call(world, address(world, run_id), body, kind)
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    status, texts = await shown(world, run_id)
    assert (status, texts) == ("completed", [text])


@pytest.mark.parametrize("body", [b"", b"[1]", b"null", b'"done"'])
async def test_a_callback_may_bring_any_json_or_nothing(world: World, body: bytes) -> None:
    run_id = await waiting(world)
    answer = await world.send("POST", address(world, run_id), body=body or None)
    assert answer.json() == {"received": True}


async def test_a_callback_is_taken_once(world: World) -> None:
    run_id = await waiting(world)
    path = address(world, run_id)
    first, again, other = await call(world, path), await call(world, path), await call(world, path, b"{}")
    assert first.content == again.content == b'{"received":true}'
    assert refused(other) == (409, "idempotency_conflict")
    assert "callback" in other.json()["message"]
    assert await shown(world, run_id) == ("completed", ["paid"])


async def test_a_callback_after_the_end_is_told_so_whatever_it_brings(world: World) -> None:
    run_id = await waiting(world)
    await world.send("POST", f"{ENGINE}/executions/{run_id}/cancel", token="sk_acme", body={})
    assert refused(await call(world, address(world, run_id))) == (410, "execution_aborted")
    assert refused(await call(world, address(world, run_id), b'{"a": "\\u0000"}')) == (410, "execution_aborted")


async def test_an_address_that_was_never_given_away_leads_nowhere(world: World) -> None:
    run_id = await waiting(world)
    true = address(world, run_id)
    strange = [true[:-1], true[:-1] + ("A" if true[-1] != "A" else "B"), PATH + "cb_a", PATH + "%00", PATH + "%F0%9F%93%A6", f"{true}=="]
    session = PATH + await world.token()
    for path in [*strange, session, address(world, NOBODY)]:
        assert refused(await call(world, path)) == (404, "not_found")
    assert (await call(world, true)).status_code == 200


async def test_another_visits_callback_ends_no_wait(world: World) -> None:
    run_id = await waiting(world)
    assert (await call(world, address(world, run_id, "0/paid/2"))).status_code == 200
    assert (await shown(world, run_id))[0] == "waiting_time"


WRONG_CALLS = [
    (b"{}" + b" " * 70_000, "text/plain", (413, "payload_too_large")),
    (b"a=" + b"x" * 70_000, FORM, (413, "payload_too_large")),
    (b"{}", "text/plain", (415, "unsupported_media_type")),
    (b"{}", "application/json; charset=latin-1", (415, "unsupported_media_type")),
    (b"{", "application/json", (400, "invalid_input")),
    (b"[" * 70 + b"]" * 70, "application/json", (400, "invalid_input")),
    (b"\xff=1", FORM, (400, "invalid_input")),
    (b"a=%ff", FORM, (400, "invalid_input")),
    (b'{"a": "\\u0000callback:x\\u0000"}', "application/json", (422, "invalid_input")),
    (b'{"a": 99999999999999999999}', "application/json", (422, "invalid_input")),
    (b"a=%00", FORM, (422, "invalid_input")),
]


@pytest.mark.parametrize(("body", "kind", "told"), WRONG_CALLS, ids=lambda value: repr(value)[:30])
async def test_a_wrong_callback_is_refused_and_uses_nothing_up(world: World, body: bytes, kind: str, told: tuple[int, str]) -> None:
    run_id = await waiting(world)
    path = address(world, run_id)
    assert refused(await call(world, path, body, kind)) == told
    assert (await call(world, path)).status_code == 200


async def test_the_body_of_a_callback_is_read_only_with_a_token(world: World) -> None:
    assert refused(await call(world, PATH + "cb_aNothing", b"{")) == (404, "not_found")


async def test_a_customers_own_cancel_ends_what_a_callback_would_have_woken(world: World) -> None:
    await world.publish(PAYING)
    token = await world.token()
    reply = await world.trigger(token, "paying")
    await world.send("POST", f"{CHAT}/executions/{reply['executionId']}/cancel", token=token)
    assert refused(await call(world, address(world, reply["executionId"]))) == (410, "execution_aborted")
