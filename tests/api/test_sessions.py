"""Sessions: who may open one, what it shows, and which conversation it continues."""

from typing import Any

import httpx
import pytest

from api.settings import Settings
from tests.api.world import CHAT, ORIGIN, World, opened_world, public_key, signature

HOUR = 3_600_000
DAY = 24 * HOUR


async def opened(world: World, key: str = "a", **body: Any) -> httpx.Response:
    return await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key(key), **body})


async def test_a_session_shows_what_its_key_offers(world: World) -> None:
    session = await world.session()
    assert session["sessionToken"].startswith("st_")
    assert session["expiresAt"] == "2026-01-05T10:00:00.000Z"
    assert session["widget"] == {"label": "Acme", "accentColor": "#123456"}
    assert [intent["name"] for intent in session["intents"]] == ["order_status", "address", "alone", "broken"]
    assert session["intents"][0] == {
        "name": "order_status",
        "displayLabel": "Track my order",
        "subtitle": None,
        "description": None,
        "examples": ["where is my parcel"],
        "required_entities": [],
        "icon": {"kind": "emoji", "value": "📦"},
        "accentColor": None,
        "styleVariant": None,
        "isPinned": True,
        "priority": 1,
    }
    assert session["quickQuestions"] == [
        {"question": "where is my parcel", "pageType": None, "flowId": "order_status", "intentName": "order_status"}
    ]
    assert session["openExecutions"] == []


async def test_texts_are_in_the_language_of_the_session(world: World) -> None:
    session = await world.session(locale="de-AT")
    assert session["intents"][0]["displayLabel"] == "Bestellung verfolgen"


async def test_a_list_of_intents_is_cut_with_what_is_published_and_an_empty_list_is_none(world: World) -> None:
    narrow = await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key("b")}, origin="https://shop.acme.com")
    assert [intent["name"] for intent in narrow.json()["intents"]] == ["order_status"]
    assert (await world.session("f"))["intents"] == []


@pytest.mark.parametrize("key", ["e", "0"])
async def test_a_paused_and_an_unknown_key_look_alike(world: World, key: str) -> None:
    answer = await opened(world, key)
    assert (answer.status_code, answer.json()["error"]) == (403, "widget_disabled")


async def test_a_key_that_is_not_one_is_refused_like_an_unknown_one(world: World) -> None:
    answer = await world.send("POST", f"{CHAT}/sessions", body={"publicKey": "pk_live_short"})
    assert (answer.status_code, answer.json()["error"]) == (403, "widget_disabled")


async def test_pausing_a_key_ends_its_open_sessions(world: World) -> None:
    token = await world.token()
    await world.change_key("a", status="revoked")
    answer = await world.send("GET", f"{CHAT}/executions?conversationId=x", token=token)
    assert (answer.status_code, answer.json()["error"]) == (403, "widget_disabled")


@pytest.mark.parametrize(("age", "status"), [(HOUR - 1, 404), (HOUR, 401)])
async def test_a_session_lasts_an_hour(world: World, age: int, status: int) -> None:
    token = await world.token()
    world.clock.advance(age)
    answer = await world.send("GET", f"{CHAT}/executions?conversationId=x", token=token)
    assert answer.status_code == status


@pytest.mark.parametrize("token", ["", "x", "st_", "st_aAAAA", "wt_aAAAA", "st_ä"])
async def test_what_is_no_session_token_is_a_401(world: World, token: str) -> None:
    answer = await world.client.get(f"{CHAT}/messages", headers={b"authorization": f"Bearer {token}".encode()})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_session_token")


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
async def test_only_the_bearer_scheme_carries_a_token(world: World, scheme: str) -> None:
    token = await world.token()
    answer = await world.client.get(f"{CHAT}/messages", headers={"authorization": f"{scheme} {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("age", [0, HOUR, 2 * DAY, 30 * DAY])
async def test_an_old_token_continues_its_conversation_for_thirty_days(world: World, age: int) -> None:
    first = await world.session()
    reply = await world.trigger(first["sessionToken"])
    world.clock.advance(age)
    second = await world.session(sessionToken=first["sessionToken"])
    assert second["conversationId"] == first["conversationId"]
    if age <= HOUR - 1:
        assert [run["executionId"] for run in second["openExecutions"]] == [reply["executionId"]]
        assert second["openExecutions"][0]["waitToken"] == reply["waitToken"]


async def test_a_token_older_than_that_does_not(world: World) -> None:
    first = await world.session()
    world.clock.advance(30 * DAY + 1)
    assert (await opened(world, sessionToken=first["sessionToken"])).json()["error"] == "invalid_session_token"


async def test_how_old_is_a_setting() -> None:
    settings = Settings(rate_limit_sessions=None, session_seconds=10, session_renew_seconds=60)
    async with opened_world(settings) as world:
        first = await world.session()
        assert first["expiresAt"] == "2026-01-05T09:00:10.000Z"
        world.clock.advance(60_001)
        assert (await opened(world, sessionToken=first["sessionToken"])).status_code == 401


async def test_a_forged_token_and_another_keys_token_are_401(world: World) -> None:
    token = await world.token("d")
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (token, forged, "st_x", ""):
        assert (await opened(world, "a", sessionToken=wrong)).json()["error"] == "invalid_session_token"


async def test_without_a_token_each_session_has_its_own_conversation(world: World) -> None:
    assert (await world.session())["conversationId"] != (await world.session())["conversationId"]


async def test_a_signed_customer_continues_the_open_conversation_on_another_device(world: World) -> None:
    signed = {"customerId": "kunde-1", "customerSignature": signature("kunde-1")}
    first = await world.session(**signed)
    await world.trigger(first["sessionToken"])
    second = await world.session(**signed)
    assert second["conversationId"] == first["conversationId"]
    listed = await world.send("GET", f"{CHAT}/messages?conversationId={first['conversationId']}", token=second["sessionToken"])
    assert len(listed.json()["messages"]) == 2


async def test_an_unsigned_customer_id_starts_a_new_conversation_and_reads_no_history(world: World) -> None:
    signed = await world.session(customerId="kunde-1", customerSignature=signature("kunde-1"))
    await world.trigger(signed["sessionToken"])
    unsigned = await world.session(customerId="kunde-1")
    assert unsigned["conversationId"] != signed["conversationId"]
    answer = await world.send("GET", f"{CHAT}/messages?conversationId={signed['conversationId']}", token=unsigned["sessionToken"])
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("customer", "proof"),
    [
        ("kunde-1", signature("kunde-2")),
        ("kunde-1", signature("kunde-1", "d")),
        ("kunde-1", signature("kunde-1").upper()),
        ("kunde-1", ""),
        ("kunde-1", "ä\ud800"),
        ("kunde\ud800", signature("kunde-1")),
        (None, signature("kunde-1")),
    ],
)
async def test_a_signature_that_does_not_fit_is_a_403(world: World, customer: str | None, proof: str) -> None:
    answer = await opened(world, customerId=customer, customerSignature=proof)
    assert (answer.status_code, answer.json()["error"]) == (403, "invalid_signature")


async def test_who_signs_in_as_somebody_else_does_not_continue_what_was_said_before(world: World) -> None:
    first = await world.session(customerId="one", customerSignature=signature("one"))
    second = await world.session(customerId="two", customerSignature=signature("two"), sessionToken=first["sessionToken"])
    assert second["conversationId"] != first["conversationId"]


async def test_a_missing_origin_is_refused_unless_the_key_is_native(world: World) -> None:
    refused = await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key("a")}, origin="")
    assert (refused.status_code, refused.json()["error"]) == (403, "origin_not_allowed")
    native = await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key("c")}, origin="")
    assert native.status_code == 200


async def test_in_dev_a_missing_origin_and_local_pages_pass() -> None:
    async with opened_world(dev=True) as world:
        for origin in ("", "http://localhost:5173", "http://127.0.0.1:8080"):
            answer = await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key("a")}, origin=origin)
            assert answer.status_code == 200
        foreign = await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key("a")}, origin="https://localhost.evil.example")
        assert foreign.status_code == 403


@pytest.mark.parametrize(("locale", "status"), [("en", 200), ("zh-Hant-TW", 200), ("x" * 17, 422), ("en_US", 422), ("", 422), ("e", 422)])
async def test_a_locale_is_a_language_tag_of_at_most_16(world: World, locale: str, status: int) -> None:
    assert (await opened(world, locale=locale)).status_code == status


KEY = "0198d000-0000-7000-8000-00000000000a"


async def test_a_key_that_can_be_guessed_opens_nobody_elses_conversation(world: World) -> None:
    body = {"publicKey": public_key("a")}
    first = await world.send("POST", f"{CHAT}/sessions", body=body, idempotency_key="1")
    second = await world.send("POST", f"{CHAT}/sessions", body=body, idempotency_key="1")
    assert second.status_code == 200
    assert second.json()["conversationId"] != first.json()["conversationId"]


async def test_a_repeated_request_gets_the_same_bytes_even_when_more_was_published_since(world: World) -> None:
    body = {"publicKey": public_key("a")}
    first = await world.send("POST", f"{CHAT}/sessions", body=body, idempotency_key=KEY)
    await world.trigger(first.json()["sessionToken"])
    await world.change_key("a", label="New name", intents=["address"])
    world.clock.advance(5_000)
    second = await world.send("POST", f"{CHAT}/sessions", body=body, idempotency_key=KEY)
    assert second.content == first.content
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    other = await world.send("POST", f"{CHAT}/sessions", body={**body, "locale": "de"}, idempotency_key=KEY)
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_conflict")


async def test_an_answer_to_a_page_names_its_origin(world: World) -> None:
    answer = await opened(world)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in answer.headers["vary"]
