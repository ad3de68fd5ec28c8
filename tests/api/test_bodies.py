"""The request corpus: what strangers send is refused with every problem named, and never answered by a 500."""

import json
from typing import Any

import httpx
import msgspec
import pytest
from msgspec import Struct

from api.body import Shape
from api.chat.wire import SessionBody, TriggerBody
from api.engine.wire import Claim, Event
from engine.errors import Malformed
from tests.api.world import CHAT, ENGINE, World, public_key

TRIGGER = {"text": "hello", "intentName": "order_status"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "model": "m"}


@pytest.fixture
async def token(world: World) -> str:
    return await world.token()


async def post(world: World, token: str, body: Any) -> httpx.Response:
    return await world.send("POST", f"{CHAT}/messages", token=token, body=body)


def fields(answer: httpx.Response) -> set[str]:
    return {error["field"] for error in answer.json()["details"]["errors"]}


NOT_READABLE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"5",
    b"{} {}",
    b"\xff\xfe",
    b'{"text": "\xed\xa0\x80", "intentName": "order_status"}',
    b'\xef\xbb\xbf{"text": "a", "intentName": "order_status"}',
    b'{"text": "a", "intentName": "order_status", "context": {"x": NaN}}',
    b'{"text": "a", "intentName": "order_status", "context": {"x": 1e999}}',
    b'{"text": "a", "intentName": "order_status", "context": {"x": ' + b"9" * 5000 + b"}}",
    b'{"text": "a", "intentName": "order_status", "context": {"x": ' + b"[" * 65 + b"]" * 65 + b"}}",
    b"[" * 30_000,
    b'{"a":' * 10_000,
    b'{"text": "a\x00", "intentName": "order_status"}',
]


@pytest.mark.parametrize("body", NOT_READABLE, ids=lambda body: repr(body[:24]))
async def test_what_cannot_be_read_is_a_400(world: World, token: str, body: bytes) -> None:
    answer = await post(world, token, body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_input"
    assert answer.json()["details"]["errors"]


@pytest.mark.parametrize("key", ["text", "intentName", "conversationId", "context", "variables", "tokenUsage"])
@pytest.mark.parametrize("wrong", [5, True, 1.5, ["x"], {"x": 1}, "x"], ids=repr)
async def test_a_wrong_json_type_is_a_400_that_names_the_key(world: World, token: str, key: str, wrong: Any) -> None:
    right = {"context": dict, "variables": dict, "tokenUsage": dict}.get(key, str)
    if isinstance(wrong, right):
        wrong = None if key in {"text", "intentName"} else 0
    answer = await post(world, token, {**TRIGGER, key: wrong})
    assert answer.status_code == 400
    assert fields(answer) == {f"/{key}"}


async def test_all_problems_of_a_wrong_shape_are_listed_and_those_of_fitness_too(world: World, token: str) -> None:
    answer = await post(world, token, {"text": 5, "context": [], "variables": 1, "zzz": 1, "tokenUsage": {"model": "m"}})
    assert answer.status_code == 400
    assert fields(answer) == {
        "/text",
        "/intentName",
        "/context",
        "/variables",
        "/zzz",
        "/tokenUsage/prompt_tokens",
        "/tokenUsage/completion_tokens",
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": "hi"},
        {**TRIGGER, "waitToken": "wt_x", "executionId": "y"},
        {"waitToken": "wt_x", "executionId": "y"},
        {"waitToken": "wt_x", "executionId": "y", "values": None},
        {"waitToken": "wt_x", "executionId": "y", "values": {}, "text": ""},
        {"executionId": "y", "values": {}},
    ],
    ids=repr,
)
async def test_neither_and_both_are_a_400(world: World, token: str, body: dict[str, Any]) -> None:
    answer = await post(world, token, body)
    assert answer.status_code == 400
    assert answer.json()["details"]["errors"]


UNFIT = [
    ({"text": ""}, "/text"),
    ({"text": "x" * 4001}, "/text"),
    ({"text": "a\0b"}, "/text"),
    ({"text": "a\ud800b"}, "/text"),
    ({"intentName": "order_status", "zz\0": 1}, "/zz\ufffd"),
    ({"context": {"a": ["\udfff"]}}, "/context/a/0"),
    ({"context": {"\ud800": 1}}, "/context/\ufffd"),
    ({"context": {"n": 2**63}}, "/context/n"),
    ({"context": {"n": [10**30]}}, "/context/n/0"),
    ({"context": {"page": 5}}, "/context/page"),
    ({"a/b~c": 1}, "/a~1b~0c"),
    ({"mode": "reload"}, "/mode"),
    ({"variables": {f"v{n}": 1 for n in range(51)}}, "/variables"),
    ({"variables": {"v": "ä" * 2048}}, "/variables"),
    ({"variables": {"V": 1}}, "/variables/V"),
    ({"variables": {"v": {"a": 1}}}, "/variables/v"),
    ({"variables": {"v": [{"a": 1}]}}, "/variables/v"),
    ({"variables": {"v": [[[[[1]]]]]}}, "/variables/v"),
    ({"tokenUsage": {**USAGE, "prompt_tokens": -1}}, "/tokenUsage/prompt_tokens"),
    ({"tokenUsage": {**USAGE, "prompt_tokens": 10**9 + 1}}, "/tokenUsage/prompt_tokens"),
    ({"tokenUsage": {**USAGE, "prompt_tokens": 10**9}}, "/tokenUsage"),
    ({"tokenUsage": {**USAGE, "total_tokens": 3}}, "/tokenUsage/total_tokens"),
    ({"tokenUsage": {**USAGE, "cached_prompt_tokens": 2}}, "/tokenUsage/cached_prompt_tokens"),
    ({"tokenUsage": {**USAGE, "model": "m m"}}, "/tokenUsage/model"),
    ({"tokenUsage": {**USAGE, "model": "m\n"}}, "/tokenUsage/model"),
    ({"tokenUsage": {**USAGE, "cost": 1}}, "/tokenUsage/cost"),
]


@pytest.mark.parametrize(("change", "field"), UNFIT, ids=[field for _, field in UNFIT])
async def test_what_can_be_read_but_is_not_acceptable_is_a_422_that_names_the_place(
    world: World, token: str, change: dict[str, Any], field: str
) -> None:
    answer = await post(world, token, {**TRIGGER, **change})
    assert answer.status_code == 422
    assert answer.json()["error"] == "validation_failed"
    assert field in fields(answer)


FIT: list[dict[str, Any]] = [
    {"text": "x" * 4000},
    {"text": "😀" * 4000},
    {"text": "\\u0000 as typed"},
    {"variables": {"v": [[[[1]]]], "w": None, "x": 1.5, "y": True}},
    {"variables": {f"v{n}": n for n in range(50)}},
    {"variables": {"v": "x" * (4096 - 8)}},
    {"context": {"n": 2**63 - 1, "m": -(2**63), "deep": [[[[[[{"a": 1}]]]]]]}},
    {"conversationId": None, "context": None, "variables": None, "tokenUsage": None},
    {"tokenUsage": {"prompt_tokens": 5.0, "completion_tokens": 0, "total_tokens": None, "model": "a/b:c@d.e_f-1"}},
]


@pytest.mark.parametrize("change", FIT, ids=lambda change: repr(change)[:40])
async def test_what_is_just_within_the_bounds_is_taken(world: World, token: str, change: dict[str, Any]) -> None:
    answer = await post(world, token, {**TRIGGER, **change})
    assert answer.status_code == 200, answer.text


async def test_texts_count_in_code_points_however_they_are_escaped(world: World, token: str) -> None:
    escaped = json.dumps({**TRIGGER, "text": "😀" * 4000}, ensure_ascii=True).encode()
    assert (await post(world, token, escaped)).status_code == 200
    too_long = json.dumps({**TRIGGER, "text": "😀" * 4001}, ensure_ascii=True).encode()
    assert (await post(world, token, too_long)).status_code == 422


async def test_of_equal_keys_the_last_one_counts(world: World, token: str) -> None:
    for first in (b'"x"', b"5"):  # the quick way and the close look agree
        body = b'{"text": ' + first + b', "intentName": "nothing", "text": "hello", "intentName": "order_status"}'
        assert (await post(world, token, body)).status_code == 200


async def test_ten_megabytes_are_refused_without_being_kept(world: World, token: str) -> None:
    given = 0

    async def endless() -> Any:
        nonlocal given
        for _ in range(160):
            given += 65_536
            yield b"x" * 65_536

    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "origin": "https://shop.example"}
    answer = await world.client.post(f"{CHAT}/messages", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "payload_too_large")
    assert given <= 3 * 65_536


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON ; Charset="UTF-8"', 200),
        ("application/json; charset=latin-1", 415),
        ("text/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_a_body_says_that_it_is_json(world: World, token: str, content_type: str, status: int) -> None:
    answer = await world.send("POST", f"{CHAT}/messages", token=token, body=TRIGGER, content_type=content_type)
    assert answer.status_code == status


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_malformed_idempotency_key_is_a_422(world: World, token: str, key: str) -> None:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "idempotency-key": key}
    answer = await world.client.post(f"{CHAT}/messages", json=TRIGGER, headers=headers)
    assert answer.status_code == 422
    assert fields(answer) == {"/Idempotency-Key"}


@pytest.mark.parametrize("prefer", ["wait=61", "wait=-1", "wait=soon", "respond-async, wait=1.5"])
async def test_a_preference_out_of_range_is_a_422(world: World, token: str, prefer: str) -> None:
    answer = await world.send("POST", f"{CHAT}/messages", token=token, body=TRIGGER, prefer=prefer)
    assert answer.status_code == 422
    assert fields(answer) == {"/Prefer"}


@pytest.mark.parametrize("prefer", ["wait=0", "wait=60", 'respond-async, wait="5"', "return=minimal"])
async def test_a_preference_within_range_is_taken(world: World, token: str, prefer: str) -> None:
    answer = await world.send("POST", f"{CHAT}/messages", token=token, body=TRIGGER, prefer=prefer)
    assert answer.status_code == 200


async def test_the_engine_calls_both_kinds_invalid_input_and_points_below_its_own_keys(world: World) -> None:
    body = {"intent_name": "address", "text": "x"}
    started = (await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body=body)).json()
    path = f"{ENGINE}/executions/{started['execution_id']}/resume"
    answer = await world.send(
        "POST", path, token="sk_acme", body={"wait_token": started["metadata"]["wait_token"], "input": {"values": {"street": 5}}, "x": 1}
    )
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input")
    assert fields(answer) == {"/x", "/input/values/street", "/input/values/city"}
    wrong = await world.send("POST", path, token="sk_acme", body={"wait_token": "w", "input": {}})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_input")


def test_the_quick_way_and_the_close_look_agree_on_what_is_right() -> None:
    shape = Shape(TriggerBody)
    raw = msgspec.json.encode({**TRIGGER, "tokenUsage": {"prompt_tokens": 1, "completion_tokens": 2, "model": "m"}})
    quick = shape.quick(raw)
    assert quick is not None
    assert shape.judge(msgspec.json.decode(raw), ()) == (quick, ())


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        (SessionBody, {"publicKey": public_key("a"), "locale": "de\n"}, "/locale"),
        (SessionBody, {"publicKey": public_key("a") + "\n"}, "/publicKey"),
        (TriggerBody, {**TRIGGER, "tokenUsage": {**USAGE, "model": "m\n"}}, "/tokenUsage/model"),
        (Claim, {"queue": "docs\n"}, "/queue"),
        (Event, {"event_name": "paid\n"}, "/event_name"),
    ],
)
def test_a_text_that_must_have_a_form_does_not_end_with_a_line(kind: type[Struct], body: dict[str, Any], field: str) -> None:
    written = json.dumps(body)
    for raw in (written, written.replace("\\n", "\\u000A")):
        _, unfit = Shape(kind).read(raw.encode())
        assert [(problem.field, problem.code) for problem in unfit] == [(field, "pattern")]


def test_the_public_key_pattern_is_told_beside_other_problems() -> None:
    with pytest.raises(Malformed) as refusal:
        Shape(SessionBody).read(b'{"publicKey": "no key", "locale": 5}')
    assert {problem.field for problem in refusal.value.problems} == {"/publicKey", "/locale"}
    _, unfit = Shape(SessionBody).read(msgspec.json.encode({"publicKey": public_key("a"), "customerId": ""}))
    assert [problem.field for problem in unfit] == ["/customerId"]
