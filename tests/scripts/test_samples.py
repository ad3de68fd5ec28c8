"""The sample shop and the example worker, with a real server between them: the flows that reach outside, from end to end."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.cli import samples
from scripts.samples import shop as the_shop
from scripts.samples import worker as the_worker
from scripts.samples.shop import Plan, Shop
from scripts.samples.worker import Engine, TaskFailed, do, serve
from tests.cli.conftest import Baton, baton, folder  # noqa: F401 - fixtures
from tests.support.server import ROOT, SECRET, environment, running_server

SLOW = 1.2
PASSPORT = "L898902C36"


@contextmanager
def open_shop(plan: Plan) -> Iterator[Shop]:
    with Shop(0, plan) as shop:
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        try:
            yield shop
        finally:
            shop.shutdown()


class Place:
    """A server with the project's flows, connected to a shop, and who asks it in the tenant's name."""

    def __init__(self, url: str, api_key: str, public_key: str, shop: Shop) -> None:
        self.shop = shop
        self.url, self.api_key = url, api_key
        self.engine = httpx.Client(base_url=f"{url}/api/v1/engine", headers={"Authorization": f"Bearer {api_key}"}, timeout=30)
        self.chat = httpx.Client(base_url=f"{url}/api/public/v1/chat", timeout=30)
        self.public_key = public_key

    def trigger(self, intent: str) -> dict[str, Any]:
        return self._answered(self.engine.post("/triggers/chat", json={"intent_name": intent}))

    def answer(self, run: dict[str, Any], text: str, **headers: str) -> dict[str, Any]:
        body = {"wait_token": run["metadata"]["wait_token"], "input": {"text": text}}
        return self._answered(self.engine.post(f"/executions/{run['execution_id']}/resume", json=body, headers=headers))

    def until(self, run: dict[str, Any], reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The run once it has come so far."""
        deadline = time.monotonic() + 20
        while not reached(now := self._answered(self.engine.get(f"/executions/{run['execution_id']}"))):
            assert time.monotonic() < deadline, now
            time.sleep(0.05)
        return now

    def _answered(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def close(self) -> None:
        self.engine.close()
        self.chat.close()


@pytest.fixture
def place(baton: Baton, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:  # noqa: F811 - the fixtures
    monkeypatch.setenv("BATON_SECRET_KEY", SECRET)
    shutil.copytree(ROOT / "flows", folder / "flows")
    with open_shop(Plan(settle=0.2, slow=SLOW)) as shop:
        made = json.loads(baton("init", "--native", "--json").stdout)
        set_up = baton("connections", "set", "shop", "--kind", "bearer", "--url", shop.url, typed=the_shop.SECRET)
        assert set_up.exit_code == 0, set_up.stderr
        published = baton("publish", "flows")
        assert published.exit_code == 0, published.stderr
        allowed = {"BATON_ALLOWED_HOSTS_OUTBOUND": f"127.0.0.1:{shop.server_port}"}
        with running_server(folder, settings=allowed) as server:
            place = Place(server.url, made["api_key"], made["public_key"], shop)
            yield place
            place.close()


def kinds(run: dict[str, Any]) -> list[str]:
    return [block["payload"].get("title") or block["payload"].get("text") for block in run["blocks"]]


def looks_up_orders(place: Place) -> None:
    found = place.answer(place.trigger("order_lookup"), "A-5001")
    assert kinds(found) == ["Shy clock", "Another one?"]
    assert kinds(place.answer(place.trigger("order_lookup"), "A-9999"))[0] == "The shop knows no order A-9999."


def is_paid_by_a_callback(place: Place) -> None:
    begun = place.answer(place.trigger("order_payment"), "A-1001")
    assert begun["expected_input"]["kind"] == "event"
    paid = place.until(begun, lambda run: run["status"] == "completed")
    assert kinds(paid)[-1] == "Paid. Thank you! 🎉"
    declined = place.until(place.answer(place.trigger("order_payment"), "A-1002"), lambda run: run["status"] == "waiting_input")
    assert kinds(declined)[-1].startswith("The payment was declined.")
    open_one = place.answer(place.trigger("order_payment"), "A-1003")
    page = open_one["blocks"][0]["payload"]["url"]
    assert "Decline" in httpx.get(page).text
    assert "<strong>paid</strong>" in httpx.post(page, data={"decision": "paid"}).text
    place.until(open_one, lambda run: run["status"] == "completed")


def has_a_document_checked(place: Place) -> None:
    runs = [place.answer(place.trigger("document_check"), number) for number in (PASSPORT, "L898902C37", "### ###")]
    assert serve(Engine(place.url, place.api_key), "documents", seconds=0, pause=0, once=True)
    told = [kinds(place.until(run, lambda run: run["status"] != "waiting_time"))[-1] for run in runs]
    assert [text[:15] for text in told] == ["Your passport L", "The check digit", "What is the num"]


def follows_a_paid_order(place: Place) -> None:
    event = {"event_name": "order.paid", "data": {"order": "A-1001", "amount": 89}}
    [run_id] = place.engine.post("/events", json=event).json()["execution_ids"]
    run = {"execution_id": run_id}
    place.until(run, lambda run: run["status"] == "waiting_time")
    place.engine.post("/events", json={"event_name": "order.shipped", "data": {"order": "A-1001", "parcel": "DE-1"}})
    place.until(run, lambda run: run["status"] == "completed")


def answers_before_slow_work_is_done_and_is_followed(place: Place) -> None:
    """What the contract says of Prefer, `running`, GET ?wait= and the stored reply of a key."""
    token = place.chat.post("/sessions", json={"publicKey": place.public_key}).json()["sessionToken"]
    place.chat.headers["Authorization"] = f"Bearer {token}"
    asked = place.chat.post("/messages", json={"text": "hi", "intentName": "order_lookup"}).json()["reply"]
    body = {"executionId": asked["executionId"], "waitToken": asked["waitToken"], "text": "A-5008"}
    hasty = {"Prefer": "wait=0", "Idempotency-Key": "slow"}
    began = time.monotonic()
    first = place.chat.post("/messages", json=body, headers=hasty)
    assert time.monotonic() - began < SLOW
    reply = first.json()["reply"]
    assert (reply["status"], reply["blocks"], reply["waitToken"], reply["expectedInput"]) == ("running", [], None, None)
    seen = place.chat.get(f"/executions/{asked['executionId']}")
    assert seen.json()["reply"]["status"] == "running"
    held = place.chat.get(f"/executions/{asked['executionId']}?wait=20", headers={"If-None-Match": seen.headers["ETag"]})
    assert time.monotonic() - began > SLOW
    assert held.json()["reply"]["status"] == "waiting_input"
    assert kinds(held.json()["reply"])[0] == "Slow cooker"
    again = place.chat.post("/messages", json=body, headers=hasty)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    patient = place.answer(place.trigger("order_lookup"), "A-5008")
    assert (patient["status"], kinds(patient)[0]) == ("waiting_input", "Slow cooker")


def test_the_flows_that_reach_outside_do_so(place: Place) -> None:
    looks_up_orders(place)
    is_paid_by_a_callback(place)
    has_a_document_checked(place)
    follows_a_paid_order(place)
    answers_before_slow_work_is_done_and_is_followed(place)


def test_one_key_is_one_payment() -> None:
    with open_shop(Plan(settle=60)) as shop, httpx.Client(base_url=shop.url) as client:
        client.headers["Authorization"] = f"Bearer {the_shop.SECRET}"
        first, again, other = (
            client.post("/payments", json={"order": "A-1001"}, headers={"Idempotency-Key": key}).json() for key in ("k", "k", "l")
        )
        assert first == again != other
        assert client.get(f"/payments/{first['id']}").json()["status"] == "open"
        assert client.get("/orders/A-5000").status_code == 500
        assert client.post("/payments", content=b"[]").status_code == 400
        assert client.get("/orders/A-1001", headers={"Authorization": "Bearer other"}).status_code == 401


def test_a_shop_tells_the_engine_of_what_is_paid() -> None:
    told: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(the_shop, "_post", lambda url, body, token=None: told.append({"url": url, "token": token, **body}))
        with open_shop(Plan(settle=60, engine="http://engine/", api_key="sk_x")) as shop:
            payment = shop.begin("A-1001", None, None)
            shop.settle(payment, "paid")
            shop.settle(payment, "declined")
    [event] = told
    assert (event["url"], event["token"], event["event_name"]) == ("http://engine/api/v1/engine/events", "sk_x", "order.paid")
    assert event["data"]["status"] == payment.status == "paid"


def test_the_demo_connects_to_the_shop_as_it_is() -> None:
    assert (samples.PORT, samples.TERMS.secret, samples.TERMS.base_url) == (
        the_shop.PORT,
        the_shop.SECRET,
        f"http://127.0.0.1:{the_shop.PORT}",
    )


@pytest.mark.parametrize(("number", "valid"), [(PASSPORT, True), ("l89 8902c36", True), ("L898902C37", False)])
def test_a_worker_checks_the_digit(number: str, valid: bool) -> None:
    assert do({"number": number})["valid"] is valid


def test_a_worker_cannot_read_what_is_no_number() -> None:
    with pytest.raises(TaskFailed) as failed:
        do({"number": "é"})
    assert failed.value.code == "unreadable"


@pytest.mark.parametrize(
    ("address", "code", "told"),
    [
        ("foo", 2, "'foo' is no address: write it as http://HOST:PORT"),
        ("http://a:b", 2, "'http://a:b' is no address"),
        ("http://127.0.0.1:1", 1, "no server: "),
    ],
)
def test_a_worker_that_cannot_ask_says_why_and_by_its_exit_code(address: str, code: int, told: str) -> None:
    command = [sys.executable, the_worker.__file__, "--once", "--server", address]
    ended = subprocess.run(command, env=environment(BATON_API_KEY="sk_x"), capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == code
    assert told in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_worker_that_breaks_gives_its_task_back_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, bool]] = []

    class Breaking(Engine):
        def fail(self, _task: dict[str, Any], code: str, _message: str, *, retry: bool = False) -> None:
            given.append((code, retry))

    engine = Breaking("http://engine", "sk_x")
    monkeypatch.setattr(the_worker, "do", lambda _: 1 / 0)
    for attempt in (1, 3):
        with pytest.raises(ZeroDivisionError):
            the_worker.work_on(engine, {"task_id": "t", "attempt": attempt, "payload": {}, "lease_token": ""}, 0)
    assert given == [("worker.broke", True), ("worker.broke", False)]
