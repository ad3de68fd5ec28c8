"""Texts that are known again in every field of every request, right and wrong: none of them is in the log or in what is refused.

The same is asked of tokens, keys and secrets, also of those that go out to others.
"""

import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.loading import Source
from engine.runtime.administration import publish
from engine.runtime.connections import Terms, put_connection
from engine.runtime.store.sqlite.open import open_registry
from engine.runtime.vault import Vault
from engine.runtime.webhooks.endpoints import add_webhook
from tests.proofs.corpus import cases, exchange
from tests.proofs.crashes import Place, place_with
from tests.proofs.line import Line, Told
from tests.proofs.mortal import SECRET
from tests.proofs.nursery import nursery
from tests.proofs.routes import ENGINE, Owner, Route, owner, routes
from tests.proofs.talkers import CHAT, OK

_MARK: Final = "canary"
_NAMES: Final = {
    *("publicKey", "intentName", "intent_name", "conversationId", "conversation_id", "executionId"),
    *("waitToken", "wait_token", "lease_token", "tenant_id", "queue", "locale"),
}
"""Keys whose values name something that has to be there."""
_TOKENS: Final = re.compile(rb'"(?:sessionToken|waitToken|wait_token|lease_token)":"([^"]+)"')
_HEADERS: Final = {
    "User-Agent": f"{_MARK}-agent",
    "Referer": f"https://shop.example/{_MARK}-page",
    "Cookie": f"a={_MARK}-cookie",
    "X-Forwarded-For": f"{_MARK}-address",
    "X-Request-Id": f"{_MARK} id that is none",
}
_SECRET_OUT: Final = f"{_MARK}-secret-of-a-connection"
_FLOW: Final = """
flow: reaching
intent: {}
nodes:
  there: {type: http, connection: shop, method: POST, url: /there, json: {run: "{{ run.id }}", text: "{{ trigger.text }}"}, next: nowhere}
  nowhere:
    type: http
    method: POST
    url: "http://127.0.0.1:9/canary-path?canary=query"
    json: {text: "{{ trigger.text }}"}
    headers: {X-Canary: canary-header}
    on_error: {other: asked}
    next: asked
  asked:
    type: form
    title: "{{ trigger.text }}"
    fields: [{name: street, type: text, required: true}]
    next: end
"""


@dataclass
class Sung:
    """What was found of the canaries."""

    requests: int = 0
    refusals: int = 0
    failures: int = 0
    """Of these the ones that were our fault, as they had to be."""
    lines: int = 0
    """Of the log."""
    found: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""
        return not self.found

    def line(self) -> str:
        """The figures for people."""
        return (
            f"canaries in every field of {self.requests} requests: {len(self.found)} found in {self.lines} lines of log "
            f"and in {self.refusals} refusals, {self.failures} of which are failures of ours"
        )


async def sing() -> Sung:
    """Send canaries everywhere, and look for them."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+b") as log:
        async with nursery(log.fileno()) as opened, place_with(opened, Path(folder)) as place:
            sung = Sung()
            secrets = {*await _connected(place), place.api_key, place.stranger.api_key, place.stranger.identity_secret, SECRET.decode()}
            await _send(place, sung, secrets)
        log.seek(0)
        text = log.read()
        sung.lines = text.count(b"\n")
        sung.found += [] if b'"turn_taken"' in text else ["the log was not kept"]
        sung.found += [f"in the log: {one}" for one in {_MARK, *secrets} if one.encode() in text]
    return sung


async def _connected(place: Place) -> list[str]:
    """A connection and an endpoint, with a flow that uses both; gives their secrets."""
    at, vault = time.time_ns() // 1_000_000, Vault([SECRET])
    registry = await open_registry(place.database)
    terms = Terms(kind="bearer", base_url=f"http://127.0.0.1:{place.shop.port}", secret=_SECRET_OUT)
    await put_connection(registry, vault, place.tenant_id, "shop", terms, at)
    _, secret = await add_webhook(registry, vault, place.tenant_id, f"http://127.0.0.1:9/{_MARK}-hook", [], at)
    await publish(registry, place.tenant_id, [Source("reaching.yaml", _FLOW)], at)
    await registry.close()

    async def say(_: str) -> str:
        return f"{_MARK}-answer"

    place.shop.acts["/there"] = say
    return [_SECRET_OUT, secret]


async def _send(place: Place, sung: Sung, secrets: set[str]) -> None:
    alive = await place.bear(log_level="debug")
    async with Line(alive.port) as line:
        who = await owner(place, line)
        secrets.add(who.session["Authorization"].removeprefix("Bearer "))
        laden = [_laden(route, number) for number, route in enumerate(await routes(line, who))]
        for route in laden:
            for case in cases(route):
                for answer in await exchange(alive.port, case.raw):
                    _look(sung, f"{route.method} {route.path}: {case.what}", answer)
        for what, route in _with_wrong_credentials(who, laden):
            _look(sung, what, await route.ask(line))
        for route in [*laden, *laden]:  # the second time all tokens and keys are used
            answer = await route.ask(line)
            secrets.update(token.decode() for token in _TOKENS.findall(answer.body))
            _look(sung, f"{route.method} {route.path}", answer)
        reply = await _reach(line, who, sung)
        secrets.add(reply["waitToken"])
        _damage(place.database, reply["executionId"])
        named = {"waitToken": reply["waitToken"], "executionId": reply["executionId"], "values": {"street": f"{_MARK}-street"}}
        for told in [await line.ask("POST", f"{CHAT}/messages", named, {**who.session, **_HEADERS}) for _ in range(2)]:
            sung.failures += told.status >= 500
            _look(sung, "a run that is damaged", told)
    await place.nursery.kill()


async def _reach(line: Line, who: Owner, sung: Sung) -> dict[str, Any]:
    """The reply of a run that has asked others, and waits with a form; wrong answers do not hurt it."""
    asked = {"text": f"{_MARK}-text", "intentName": "reaching"}
    answer = await line.ask("POST", f"{CHAT}/messages", asked, {**who.session, **_HEADERS})
    assert answer.status == OK, answer
    reply: dict[str, Any] = answer.json()["reply"]
    named = {"waitToken": reply["waitToken"], "executionId": reply["executionId"]}
    for values in ({f"{_MARK}_field": 1}, {"street": [f"{_MARK}-street"]}, {"street": {_MARK: _MARK}}, {"street": f"{_MARK}\0"}):
        told = await line.ask("POST", f"{CHAT}/messages", {**named, "values": values}, {**who.session, **_HEADERS})
        _look(sung, f"values {[*values]}", told)
    return reply


def _laden(route: Route, number: int) -> Route:
    """The route's request with canaries in every place that takes any text."""
    keyed = {"Idempotency-Key": f"{_MARK}-key-{number}"} if route.method == "POST" and "callbacks" not in route.path else {}
    body = _with_canaries(route.body)
    if route.path in {f"{ENGINE}/triggers/chat", f"{ENGINE}/executions/bulk"}:
        body.get("items", [body])[0]["customer_id"] = f"{_MARK}-customer"
        body.pop("conversation_id", None)
    return msgspec.structs.replace(route, headers={**route.headers, **_HEADERS, **keyed}, body=body)


def _with_canaries(value: Any, at: str = "any") -> Any:
    match value:
        case dict():
            return {key: _with_canaries(inner, key) for key, inner in value.items()}
        case list():
            return [_with_canaries(inner, at) for inner in value]
        case str() if at == "event_name":
            return f"order.{_MARK}"
        case str() if at not in _NAMES:
            return f"{_MARK}-{at}"
        case _:
            return value


def _with_wrong_credentials(who: Owner, laden: list[Route]) -> Iterator[tuple[str, Route]]:
    for route in laden:
        for token in (f"{_MARK}-token", f"st_{_MARK}", who.session["Authorization"][7:-1] + "x", ""):
            wrong = {**route.headers, "Authorization": f"Bearer {token}"}
            yield f"{route.method} {route.path} with a wrong credential", msgspec.structs.replace(route, headers=wrong)
        if route.path.endswith("/sessions"):
            for more in (
                {"customerId": f"{_MARK}-customer", "customerSignature": f"{_MARK}-signature"},
                {"sessionToken": f"{_MARK}-session"},
                {"publicKey": f"pk_{_MARK}"},
                {"locale": f"{_MARK}{_MARK}{_MARK}"},
            ):
                wrong_body = {**route.body, **more}
                yield f"sessions with {[*more]}", msgspec.structs.replace(route, headers={}, body=wrong_body)


def _look(sung: Sung, what: str, answer: Told) -> None:
    """What a refusal says of the request are the names of its places; what it may show besides is the run as it is now."""
    sung.requests += 1
    if answer.status < 400 or not answer.body:
        return
    sung.refusals += 1
    told = answer.json()
    told["details"].pop("current", None)
    for error in told["details"].get("errors", ()):
        error.pop("field")
    if _MARK in msgspec.json.encode(told).decode():
        sung.found.append(f"{what}: {told}")


def _damage(database: Path, run_id: str) -> None:
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        connection.execute("UPDATE run SET state = x'c1ff' WHERE id = ?", (run_id,))
