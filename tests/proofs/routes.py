"""A right request for every route of the OpenAPI document, on things of its own: what a proof then makes wrong, or sends to strangers."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from engine.runtime.tokens import Keyring
from tests.proofs.crashes import Place
from tests.proofs.line import Line, Told
from tests.proofs.mortal import SECRET
from tests.proofs.talkers import CHAT, OK

ENGINE: Final = "/api/v1/engine"
Headers = dict[str, str]


class Route(Struct, frozen=True):
    """A route as the document names it, and a request that it takes."""

    method: str
    path: str
    """With the names of what is different in each request."""
    target: str
    headers: Headers
    body: Any = None

    async def ask(self, line: Line, headers: Headers | None = None) -> Told:
        """The answer to the right request, with these headers in the place of its own where they are given."""
        return await line.ask(self.method, self.target, self.body, self.headers if headers is None else headers)


class Owner(Struct, frozen=True):
    """Who has things that the routes are about: an API key of a tenant, and a customer's session."""

    place: Place
    api: Headers
    session: Headers
    conversation: str


async def owner(place: Place, line: Line) -> Owner:
    """A fresh session, and the tenant's key."""
    opened = (await line.ask("POST", f"{CHAT}/sessions", {"publicKey": place.public_key})).json()
    session = {"Authorization": f"Bearer {opened['sessionToken']}"}
    return Owner(place, {"Authorization": f"Bearer {place.api_key}"}, session, opened["conversationId"])


async def routes(line: Line, who: Owner) -> list[Route]:
    """One for each route; those that concern a run or a task have one of their own."""
    return [*await _chat(line, who), *await _engine(line, who), *await _tasks(line, who), *_health()]


async def undescribed(line: Line, known: list[Route]) -> set[tuple[str, str]]:
    """Routes of the document of which there is no request, and requests of which there is no route."""
    document = (await line.ask("GET", "/schema/openapi.json")).json()
    described = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    return described ^ {(route.method, route.path) for route in known}


async def _chat(line: Line, who: Owner) -> list[Route]:
    async def run() -> Mapping[str, Any]:
        answer = await line.ask("POST", f"{CHAT}/messages", {"text": "hello", "intentName": "chatting"}, who.session)
        reply: Mapping[str, Any] = answer.json()["reply"]
        return reply

    mine, ended = await run(), await run()
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "model": "small"}
    trigger = {
        "text": "hello",
        "intentName": "chatting",
        "conversationId": who.conversation,
        "context": {"page": "/"},
        "variables": {"note": "n"},
        "tokenUsage": usage,
    }
    resume = {"waitToken": mine["waitToken"], "executionId": mine["executionId"], "text": "more", "variables": {"note": "n"}}
    opening = {"publicKey": who.place.public_key, "locale": "en", "variables": {"note": "n"}}
    execution, conversation = f"{CHAT}/executions/{{execution_id}}", f"?conversationId={who.conversation}"
    return [
        Route("POST", f"{CHAT}/sessions", f"{CHAT}/sessions", {}, opening),
        Route("POST", f"{CHAT}/messages", f"{CHAT}/messages", who.session, trigger),
        Route("POST", f"{CHAT}/messages", f"{CHAT}/messages", who.session, resume),
        Route("POST", f"{execution}/cancel", f"{CHAT}/executions/{ended['executionId']}/cancel", who.session, {}),
        Route("GET", execution, f"{CHAT}/executions/{mine['executionId']}", who.session),
        Route("GET", f"{CHAT}/executions", f"{CHAT}/executions{conversation}", who.session),
        Route("GET", f"{CHAT}/messages", f"{CHAT}/messages{conversation}", who.session),
    ]


async def _engine(line: Line, who: Owner) -> list[Route]:
    async def run(intent: str = "chatting") -> Mapping[str, Any]:
        answer = await line.ask("POST", f"{ENGINE}/triggers/chat", {"intent_name": intent}, who.api)
        assert answer.status == OK, answer
        envelope: Mapping[str, Any] = answer.json()
        return envelope

    mine, ended, called = await run(), await run(), await run()
    trigger = {
        "tenant_id": who.place.tenant_id,
        "intent_name": "chatting",
        "text": "hello",
        "conversation_id": mine["conversation_id"],
        "context": {"page": "/"},
        "variables": {"note": "n"},
    }
    resume = {"wait_token": mine["metadata"]["wait_token"], "input": {"text": "more"}, "context": {"a": 1}, "variables": {"note": "n"}}
    items = [{"intent_name": "chatting", "text": "hello", "context": {"a": 1}, "idempotency_key": "bulk-1"}]
    event = {"event_name": "order.paid", "data": {"order": "A-1"}, "idempotency_key": "event-1"}
    execution, own = f"{ENGINE}/executions/{{execution_id}}", f"{ENGINE}/executions/{mine['execution_id']}"
    token = Keyring([SECRET]).callback_token(who.place.tenant_id, called["execution_id"], "0/called/1")
    return [
        Route("POST", f"{ENGINE}/triggers/chat", f"{ENGINE}/triggers/chat", who.api, trigger),
        Route("POST", f"{execution}/resume", f"{own}/resume", who.api, resume),
        Route("POST", f"{execution}/cancel", f"{ENGINE}/executions/{ended['execution_id']}/cancel", who.api, {}),
        Route("POST", f"{ENGINE}/executions/bulk", f"{ENGINE}/executions/bulk", who.api, {"items": items}),
        Route("POST", f"{ENGINE}/events", f"{ENGINE}/events", who.api, event),
        Route("POST", f"{ENGINE}/callbacks/{{token}}", f"{ENGINE}/callbacks/{token}", {}, {"paid": True}),
        Route("GET", execution, own, who.api),
        Route("GET", f"{execution}/trace", f"{own}/trace", who.api),
        Route("GET", f"{ENGINE}/executions", f"{ENGINE}/executions?conversation_id={mine['conversation_id']}", who.api),
        Route("GET", f"{ENGINE}/intents", f"{ENGINE}/intents?tenant_id={who.place.tenant_id}", who.api),
    ]


async def _tasks(line: Line, who: Owner) -> list[Route]:
    for _ in range(4):
        await line.ask("POST", f"{ENGINE}/triggers/chat", {"intent_name": "queued", "text": "a.pdf"}, who.api)
    claim = {"queue": "documents", "limit": 3, "lease_seconds": 600}
    claimed = (await line.ask("POST", f"{ENGINE}/tasks/claim", claim, who.api)).json()["tasks"]
    said: list[tuple[str, dict[str, Any]]] = [
        ("heartbeat", {"lease_seconds": 60}),
        ("complete", {"result": {"pages": 3}}),
        ("fail", {"code": "unreadable", "message": "no", "retry": False}),
    ]
    return [
        Route("POST", f"{ENGINE}/tasks/claim", f"{ENGINE}/tasks/claim", who.api, {**claim, "limit": 1}),
        *(
            Route(
                "POST",
                f"{ENGINE}/tasks/{{task_id}}/{verb}",
                f"{ENGINE}/tasks/{task['task_id']}/{verb}",
                who.api,
                {"lease_token": task["lease_token"], **body},
            )
            for task, (verb, body) in zip(claimed, said, strict=True)
        ),
    ]


def _health() -> list[Route]:
    return [Route("GET", path, path, {}) for path in ("/health/live", "/health/ready")]
