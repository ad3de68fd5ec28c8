"""Every error has one shape and a documented code, on every route."""

import re
from collections.abc import Iterator

import httpx
import pytest

from api.errors import STATUSES, code_of, documented_codes, refusal_answer, status_of
from engine import errors
from engine.errors import AnswerRefused, Refused, Unfit
from engine.model.problems import Problem
from tests.api.world import CHAT, ENGINE, NOBODY, World


def every_refusal(kind: type[Refused] = Refused) -> Iterator[type[Refused]]:
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield below
            yield from every_refusal(below)


def assert_is_error(answer: httpx.Response) -> None:
    body = answer.json()
    assert list(body) == ["error", "message", "details"]
    assert (answer.status_code, body["error"]) in documented_codes()
    assert body["message"]
    assert isinstance(body["details"], dict)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]


def test_every_refusal_there_is_has_a_status() -> None:
    kinds = set(every_refusal())
    assert kinds - STATUSES.keys() == {AnswerRefused}
    assert status_of(AnswerRefused) == 422


def test_a_422_is_named_by_its_surface() -> None:
    assert code_of(Unfit, "chat") == "validation_failed"
    assert code_of(AnswerRefused, "engine") == "invalid_input"


def test_a_refusal_tells_when_to_come_back_and_how_to_authenticate() -> None:
    assert (b"retry-after", b"7") in refusal_answer(errors.RateLimited(retry_after=7)).headers
    assert (b"retry-after", b"1") in refusal_answer(errors.Unavailable()).headers
    assert (b"www-authenticate", b"Bearer") in refusal_answer(errors.InvalidApiKey()).headers


BAD_REQUESTS = [
    ("GET", "/nowhere", 404),
    ("GET", f"{CHAT}/nowhere", 404),
    ("PUT", f"{CHAT}/messages", 405),
    ("DELETE", f"{ENGINE}/intents", 405),
    ("POST", f"{CHAT}/sessions", 400),
    ("POST", f"{CHAT}/messages", 401),
    ("GET", f"{CHAT}/messages", 401),
    ("GET", f"{CHAT}/executions", 401),
    ("GET", f"{CHAT}/executions/{NOBODY}", 401),
    ("POST", f"{CHAT}/executions/{NOBODY}/cancel", 401),
    ("POST", f"{ENGINE}/triggers/chat", 401),
    ("POST", f"{ENGINE}/executions/{NOBODY}/resume", 401),
    ("POST", f"{ENGINE}/events", 401),
    ("POST", f"{ENGINE}/callbacks/cb_none", 404),
    ("POST", f"{ENGINE}/executions/{NOBODY}/cancel", 401),
    ("GET", f"{ENGINE}/executions/{NOBODY}", 401),
    ("GET", f"{ENGINE}/executions/{NOBODY}/trace", 401),
    ("GET", f"{ENGINE}/executions", 401),
    ("GET", f"{ENGINE}/intents", 401),
    ("GET", "/static/swagger/../../app.py", 404),
    ("GET", "/dev/config.json", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), BAD_REQUESTS)
async def test_an_error_has_exactly_error_message_and_details(world: World, method: str, path: str, status: int) -> None:
    answer = await world.send(method, path)
    assert answer.status_code == status
    assert_is_error(answer)


async def test_a_405_names_the_methods_that_are_allowed(world: World) -> None:
    answer = await world.send("PUT", f"{CHAT}/messages")
    assert set(re.split(r", ?", answer.headers["allow"])) == {"GET", "HEAD", "OPTIONS", "POST"}


async def test_a_401_names_the_scheme(world: World) -> None:
    answer = await world.send("GET", f"{CHAT}/messages")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_an_unexpected_error_tells_nothing_of_its_cause(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the text that a customer typed")

    monkeypatch.setattr(world.runtime.reader, "messages", fail)
    token = await world.token()
    answer = await world.send("GET", f"{CHAT}/messages?conversationId={NOBODY}", token=token)
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal_error", "message": "Something went wrong on our side.", "details": {}}
    written = "".join(capsys.readouterr())
    assert "request_failed" in written
    assert "customer typed" not in written


async def test_a_sane_request_id_is_kept_and_another_replaced(world: World) -> None:
    kept = await world.send("GET", "/health/live", x_request_id="trace-42")
    replaced = await world.send("GET", "/health/live", x_request_id="<script>")
    assert kept.headers["x-request-id"] == "trace-42"
    another = await world.send("GET", "/health/live")
    assert re.fullmatch("[0-9a-f]{24}", replaced.headers["x-request-id"])
    assert another.headers["x-request-id"] != replaced.headers["x-request-id"]


def test_problems_keep_their_shape() -> None:
    assert Unfit([Problem("/a", "b", "c")]).details == {"errors": [{"field": "/a", "code": "b", "message": "c"}]}
