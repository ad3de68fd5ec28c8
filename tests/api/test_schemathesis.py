"""Requests made from the OpenAPI document, right ones and wrong ones: none is answered by a 500, each answer is as the document says."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.api.world import CHAT, ENGINE, ORIGIN, World, opened_world, public_key

BASE = "http://testserver"
EXAMPLES = 25
ROUTES = [
    ("POST", f"{CHAT}/sessions"),
    ("POST", f"{CHAT}/messages"),
    ("POST", f"{CHAT}/executions/{{execution_id}}/cancel"),
    ("GET", f"{CHAT}/executions/{{execution_id}}"),
    ("GET", f"{CHAT}/executions"),
    ("GET", f"{CHAT}/messages"),
    ("POST", f"{ENGINE}/triggers/chat"),
    ("POST", f"{ENGINE}/executions/{{execution_id}}/resume"),
    ("POST", f"{ENGINE}/executions/{{execution_id}}/cancel"),
    ("POST", f"{ENGINE}/executions/bulk"),
    ("POST", f"{ENGINE}/events"),
    ("POST", f"{ENGINE}/callbacks/{{token}}"),
    ("POST", f"{ENGINE}/tasks/claim"),
    *(("POST", f"{ENGINE}/tasks/{{task_id}}/{act}") for act in ("heartbeat", "complete", "fail")),
    ("GET", f"{ENGINE}/executions/{{execution_id}}"),
    ("GET", f"{ENGINE}/executions/{{execution_id}}/trace"),
    ("GET", f"{ENGINE}/executions"),
    ("GET", f"{ENGINE}/intents"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
]
RIGHT = [(method, path, GenerationMode.POSITIVE) for method, path in ROUTES]
WRONG = [(method, path, GenerationMode.NEGATIVE) for method, path in ROUTES if not path.startswith("/health")]
"""Where there are no parameters, there is nothing that could be wrong."""


class Target:
    """The world on a loop of its own, since Hypothesis calls plain functions, with values that make a request go far."""

    def __init__(self, loop: asyncio.AbstractEventLoop, world: World, session: dict[str, Any], document: dict[str, Any]) -> None:
        self.loop = loop
        self.world = world
        self.session = session
        self.document = document

    def known(self) -> dict[str, Any]:
        """Values that name what exists, under the names that bodies, queries and paths give them."""
        reply = self.loop.run_until_complete(self.world.trigger(self.session["sessionToken"]))
        return {
            "publicKey": public_key("a"),
            "intentName": "order_status",
            "intent_name": "order_status",
            "waitToken": reply["waitToken"],
            "wait_token": reply["waitToken"],
            "executionId": reply["executionId"],
            "execution_id": reply["executionId"],
            "conversationId": self.session["conversationId"],
            "conversation_id": self.session["conversationId"],
            "tenant_id": None,
            "text": "A-1",
            "event_name": "order.paid",
            "token": self.world.runtime.keyring.callback_token(self.world.tenant(), reply["executionId"], "0/paid/1"),
        }

    def send(self, case: Any, known: dict[str, Any]) -> httpx.Response:
        """The case's request, with what is known put in the places of what was made up."""
        case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
        if isinstance(case.body, dict):
            case.body = {name: known.get(name, value) for name, value in case.body.items()}
        made = case.as_transport_kwargs(base_url=BASE)
        secret = "sk_acme" if case.path.startswith(ENGINE) else self.session["sessionToken"]
        headers = {**made["headers"], "Authorization": f"Bearer {secret}", "Origin": ORIGIN}
        query = {name: known.get(name, value) for name, value in made.get("params", {}).items()}
        if "wait" in query:
            query["wait"] = "0"  # nobody is to wait for news that never comes
        request = self.world.client.build_request(
            made["method"],
            made["url"],
            params=query or None,
            headers={name: value.encode("latin-1", "replace") for name, value in headers.items()},
            json=made.get("json"),
            **{"data" if isinstance(made.get("data"), dict) else "content": made.get("data")},
        )
        return self.loop.run_until_complete(self.world.client.send(request))

    def judge(self, case: Any, answer: httpx.Response) -> None:
        """The answer's status is documented and no 5xx, and its body fits the schema of that status."""
        operation = self.document["paths"][case.path][case.method.lower()]
        assert answer.status_code < 500, answer.text
        assert str(answer.status_code) in operation["responses"], answer.text
        described = operation["responses"][str(answer.status_code)].get("content")
        if described is not None:
            schema = {**described["application/json"]["schema"], "components": self.document["components"]}
            jsonschema_rs.Draft202012Validator(schema).validate(answer.json())


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        opened: asyncio.Future[World] = loop.create_future()
        over = asyncio.Event()
        holding = loop.create_task(hold(opened, over))
        world = loop.run_until_complete(opened)
        session = loop.run_until_complete(world.session())
        document = loop.run_until_complete(world.send("GET", "/schema/openapi.json")).json()
        yield Target(loop, world, session, document)
        over.set()
        loop.run_until_complete(holding)


async def hold(opened: "asyncio.Future[World]", over: asyncio.Event) -> None:
    """Keep a world open from one task, as its task group wants it."""
    async with opened_world() as world:
        opened.set_result(world)
        await over.wait()


async def test_the_list_of_routes_is_that_of_the_document() -> None:
    async with opened_world() as world:
        document = (await world.send("GET", "/schema/openapi.json")).json()
    assert {(method.upper(), path) for path, operations in document["paths"].items() for method in operations} == set(ROUTES)


@pytest.mark.parametrize(("method", "path", "mode"), [*RIGHT, *WRONG])
def test_no_request_made_from_the_document_is_answered_by_a_500(target: Target, method: str, path: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_dict(target.document)[path][method]
    known = target.known()

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode), helped=st.booleans())
    def check_request(case: Any, helped: bool) -> None:
        target.judge(case, target.send(case, known if helped else {}))

    check_request()
