"""Many triggers in one call: each has its result, in order, and none disturbs another."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from engine.model.events import Returned
from engine.runtime.performing import Call
from tests.api.world import ENGINE, World

BULK = f"{ENGINE}/executions/bulk"
SLOW: dict[str, Any] = {
    "flow": "slow",
    "intent": {"label": "Slow"},
    "nodes": {"look": {"type": "http", "method": "GET", "url": "https://shop.example/", "on_error": "end", "next": "end"}},
}


class Dead(BaseException):
    """The process dies here."""


async def bulk(world: World, items: Any, key: str = "sk_acme", **headers: str) -> httpx.Response:
    return await world.send("POST", BULK, token=key, body={"items": items}, **headers)


async def results(world: World, items: Any, **headers: str) -> list[dict[str, Any]]:
    answer = await bulk(world, items, **headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    assert [one["index"] for one in found] == list(range(len(items)))
    assert [set(one) for one in found] == [{"index", "execution_id", "error"}] * len(items)
    return found


async def shown(world: World, run_id: str) -> dict[str, Any]:
    envelope: dict[str, Any] = (await world.send("GET", f"{ENGINE}/executions/{run_id}", token="sk_acme")).json()
    return envelope


async def test_each_item_is_a_trigger_and_the_results_are_in_order(world: World) -> None:
    items = [{"intent_name": name, "text": "hi"} for name in ("order_status", "address", "broken")]
    found = await results(world, items)
    assert [one["error"] for one in found] == [None] * 3
    runs = [await shown(world, one["execution_id"]) for one in found]
    assert [run["metadata"]["flow"] for run in runs] == ["order_status", "address", "broken"]
    assert [run["status"] for run in runs] == ["waiting_input", "waiting_input", "failed"]
    assert len({run["conversation_id"] for run in runs}) == 3


GOOD = {"intent_name": "order_status"}
BAD = [
    (5, "invalid_input", "/items/1"),
    ({}, "invalid_input", "/items/1/intent_name"),
    ({"intent_name": 5}, "invalid_input", "/items/1/intent_name"),
    ({**GOOD, "text": "x" * 4001}, "invalid_input", "/items/1/text"),
    ({**GOOD, "zzz": 1}, "invalid_input", "/items/1/zzz"),
    ({**GOOD, "tenant_id": "x"}, "invalid_input", "/items/1/tenant_id"),
    ({**GOOD, "text": "a\0"}, "invalid_input", "/items/1/text"),
    ({**GOOD, "context": {"page": 5}}, "invalid_input", "/items/1/context/page"),
    ({**GOOD, "variables": {"A": 1}}, "invalid_input", "/items/1/variables/A"),
    ({**GOOD, "idempotency_key": ""}, "invalid_input", "/items/1/idempotency_key"),
    ({"intent_name": "nobody"}, "intent_not_matched", None),
]


@pytest.mark.parametrize(("item", "code", "field"), BAD, ids=lambda value: repr(value)[:40])
async def test_a_bad_item_has_its_error_and_disturbs_no_other(world: World, item: Any, code: str, field: str | None) -> None:
    first, bad, last = await results(world, [GOOD, item, GOOD])
    assert [one["error"] for one in (first, last)] == [None, None]
    assert bad["execution_id"] is None
    assert set(bad["error"]) == {"error", "message", "details"}
    assert bad["error"]["error"] == code
    assert [problem["field"] for problem in bad["error"]["details"].get("errors", [])] == ([] if field is None else [field])


async def test_an_item_with_the_same_key_is_the_same_run(world: World) -> None:
    keyed = [{**GOOD, "idempotency_key": f"k{number % 5}"} for number in range(20)]
    found = await results(world, keyed)
    assert [one["execution_id"] for one in found] == [found[number % 5]["execution_id"] for number in range(20)]
    assert await results(world, keyed) == found
    [other] = await results(world, [{**GOOD, "idempotency_key": "k0", "text": "else"}])
    assert other["error"]["error"] == "idempotency_conflict"


async def test_a_call_with_the_same_key_gives_the_same_bytes(world: World) -> None:
    items = [GOOD, {"intent_name": "nobody"}]
    first, again = [await bulk(world, items, idempotency_key="k") for _ in range(2)]
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert "idempotent-replayed" not in first.headers
    other = await bulk(world, [GOOD], idempotency_key="k")
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_conflict")
    assert (await bulk(world, [GOOD], idempotency_key="k" * 256)).status_code == 422


async def test_a_call_that_is_under_way_is_not_done_twice(world: World) -> None:
    answers = await asyncio.gather(*(bulk(world, [GOOD] * 40, idempotency_key="k") for _ in range(4)))
    done = [answer for answer in answers if answer.status_code == 200]
    assert {answer.json().get("error") for answer in answers if answer not in done} <= {"turn_in_progress"}
    assert len({answer.content for answer in done}) == 1
    assert (await bulk(world, [GOOD] * 40, idempotency_key="k")).content == done[0].content


async def test_what_a_crash_left_of_a_call_is_found_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    trigger = world.runtime.executor.trigger

    async def dying(*given: Any, **named: Any) -> Any:
        if len(begun) == 3:
            raise Dead
        taken = await trigger(*given, **named)
        begun.append(taken.reply.execution_id)
        return taken

    same = [{**GOOD, "customer_id": "one"}] * 5
    monkeypatch.setattr(world.runtime.executor, "trigger", dying)
    with pytest.raises(Dead):
        await bulk(world, same, idempotency_key="k")
    monkeypatch.setattr(world.runtime.executor, "trigger", trigger)
    found = [one["execution_id"] for one in await results(world, same, idempotency_key="k")]
    assert found[:3] == begun
    assert len(set(found)) == 5


async def test_the_items_of_one_customer_share_a_conversation(world: World) -> None:
    found = await results(world, [{**GOOD, "customer_id": f"c{number % 2}"} for number in range(6)])
    talks = [(await shown(world, one["execution_id"]))["conversation_id"] for one in found]
    assert talks == [talks[0], talks[1]] * 3
    assert talks[0] != talks[1]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, ""),
        (b"[", 400, ""),
        (b'{"items": 5}', 400, "/items"),
        (b'{"items": null}', 400, "/items"),
        (b"{}", 400, "/items"),
        (b'{"items": [], "more": 1}', 422, "/more"),
        (json.dumps({"items": [{}] * 1_001}).encode(), 422, "/items"),
    ],
)
async def test_a_wrong_call_is_refused_as_a_whole(world: World, body: bytes, status: int, field: str) -> None:
    answer = await world.send("POST", BULK, token="sk_acme", body=body)
    assert (answer.status_code, answer.json()["error"]) == (status, "invalid_input")
    assert [error["field"] for error in answer.json()["details"]["errors"]] == [field]


async def test_a_bound_that_is_passed_is_told(world: World) -> None:
    many = await world.send("POST", BULK, token="sk_acme", body={"items": [{}] * 1_001})
    assert many.json()["details"]["errors"] == [{"field": "/items", "code": "length", "message": "There must be at most 1,000 of these."}]
    claim = {"queue": "documents", "limit": 101, "lease_seconds": 0}
    wrong = await world.send("POST", f"{ENGINE}/tasks/claim", token="sk_acme", body=claim)
    assert {error["field"]: (error["code"], error["message"]) for error in wrong.json()["details"]["errors"]} == {
        "/limit": ("range", "This must be at most 100."),
        "/lease_seconds": ("range", "This must be at least 1."),
    }
    text = await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body={**GOOD, "text": "x" * 4_001})
    assert text.json()["details"]["errors"] == [{"field": "/text", "code": "length", "message": "Its length must be at most 4,000."}]


async def test_a_call_needs_a_key_of_its_tenant_and_a_bounded_body(world: World) -> None:
    assert (await bulk(world, [GOOD], key="sk_acme_gone")).json()["error"] == "invalid_api_key"
    other = await world.send("POST", BULK, token="sk_acme", body={"items": [], "tenant_id": world.tenant("9")})
    assert (other.status_code, other.json()["error"]) == (404, "not_found")
    padding = "x" * 1_000
    assert await results(world, [{**GOOD, "context": {"about": padding}}] * 900)
    huge = await bulk(world, [{**GOOD, "context": {"about": padding}}] * 1_100)
    assert (huge.status_code, huge.json()["error"]) == (413, "payload_too_large")


async def test_nothing_to_do_is_done(world: World) -> None:
    assert await results(world, []) == []


async def test_the_answer_does_not_wait_for_requests_of_the_runs(world: World) -> None:
    released, called = asyncio.Event(), []

    async def hold(call: Call) -> Returned:
        called.append(call.run_id)
        await released.wait()
        return Returned(at=0, step=call.invoke.step, result={"status": 200})

    world.runtime.executor.worker._outside.performers["http"] = hold  # type: ignore[index] # noqa: SLF001 - in the place of the network
    await world.publish(SLOW)
    found = [one["execution_id"] for one in await results(world, [{"intent_name": "slow", "idempotency_key": str(n)} for n in range(50)])]
    assert {(await shown(world, run_id))["status"] for run_id in found} == {"running"}
    again = await results(world, [{"intent_name": "slow", "idempotency_key": str(n)} for n in range(50)])
    assert [one["execution_id"] for one in again] == found
    released.set()
    await world.runtime.executor.settle()
    assert sorted(called) == sorted(found)
    assert {(await shown(world, run_id))["status"] for run_id in found} == {"completed"}


async def test_a_live_turn_comes_between_the_items(world: World) -> None:
    call = asyncio.create_task(bulk(world, [GOOD] * 1_000))
    await asyncio.sleep(0)
    live = await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body=GOOD)
    assert live.status_code == 200
    assert not call.done()
    assert len((await call).json()["results"]) == 1_000
