"""The OpenAPI document is complete: every route, every status and code, from the same Structs that serve."""

import json
from typing import Any

import jsonschema_rs
import pytest
from litestar import Litestar

from api.errors import documented_codes
from api.settings import Rate, Settings
from tests.api.world import CHAT, ENGINE, World, opened_world, public_key

NOT_DESCRIBED = {"/schema/openapi.json", "/schema", "/static/{name:path}", "/", "/dev/config.json"}
TRANSPORT = {
    "content-type",
    "content-length",
    "x-content-type-options",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "vary",
}
"""What any answer has from the protocol and for browsers, which is no part of the document."""
KEY = "k" * 32
ANYWHERE = {"not_found", "method_not_allowed"}
"""What paths and methods that the document does not have are answered."""


@pytest.fixture
async def document(world: World) -> dict[str, Any]:
    answer = await world.send("GET", "/schema/openapi.json")
    assert answer.status_code == 200
    described: dict[str, Any] = answer.json()
    return described


def served(app: Litestar) -> set[tuple[str, str]]:
    routes = [(route, handler) for route in app.routes for handler in getattr(route, "route_handlers", [])]
    methods = [(route.path_format, method) for route, handler in routes for method in handler.http_methods]
    return {(path, method.lower()) for path, method in methods if method not in {"HEAD", "OPTIONS"}}


async def test_every_route_is_described_and_nothing_else(world: World, document: dict[str, Any]) -> None:
    described = {(path, method) for path, operations in document["paths"].items() for method in operations}
    hidden = {path.replace("{name:path}", "{name}") for path in NOT_DESCRIBED}
    assert described == {(path, method) for path, method in served(world.app) if path not in hidden}


async def test_every_code_stands_at_some_route_with_its_status(document: dict[str, Any]) -> None:
    found = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    schema = response["content"]["application/json"]["schema"]
                    found |= {(int(status), code) for code in schema["allOf"][1]["properties"]["error"]["enum"]}
    missing = set(documented_codes()) - found
    assert found <= set(documented_codes())
    assert {code for _, code in missing} <= ANYWHERE


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= document["components"]["schemas"].keys()
    assert {"SessionBody", "TriggerBody", "ResumeBody", "ReplyOut", "Envelope", "ErrorBody"} <= names


async def test_every_schema_is_json_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        assert jsonschema_rs.meta.is_valid(schema)
        jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})  # raises where a reference leads nowhere


async def test_the_document_does_not_change_by_itself(document: dict[str, Any]) -> None:
    async with opened_world() as other:
        assert (await other.send("GET", "/schema/openapi.json")).json() == document


async def test_bodies_credentials_and_headers_are_described(document: dict[str, Any]) -> None:
    messages = document["paths"][f"{CHAT}/messages"]["post"]
    assert messages["security"] == [{"session": []}]
    variants = messages["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert [variant["$ref"].rpartition("/")[2] for variant in variants] == ["TriggerBody", "ResumeBody"]
    assert {parameter["name"] for parameter in messages["parameters"]} == {"Idempotency-Key", "Prefer"}
    assert "RateLimit-Remaining" in messages["responses"]["200"]["headers"]
    assert {"200", "400", "401", "403", "404", "409", "410", "413", "415", "422", "429", "500", "503"} == set(messages["responses"])
    callback = document["paths"][f"{ENGINE}/callbacks/{{token}}"]["post"]
    assert "security" not in callback
    assert set(callback["requestBody"]["content"]) == {"application/json", "application/x-www-form-urlencoded"}
    assert {"200", "400", "404", "409", "410", "413", "415", "422", "500", "503"} == set(callback["responses"])
    event = document["components"]["schemas"]["Event"]
    assert event["required"] == ["event_name"]
    assert event["additionalProperties"] is False
    assert "304" in document["paths"][f"{ENGINE}/intents"]["get"]["responses"]


async def test_answers_have_the_headers_that_the_document_tells_of_and_no_others() -> None:
    async with opened_world(Settings(rate_limit_messages=Rate(4, 60))) as world:
        document = (await world.send("GET", "/schema/openapi.json")).json()
        seen: set[tuple[str, str]] = set()

        async def judge(method: str, path: str, route: str = "", **asked: Any) -> None:
            answer = await world.send(method, path, **asked)
            described = document["paths"][route or path][method.lower()]["responses"][str(answer.status_code)]["headers"]
            assert {name.lower() for name in described} == set(answer.headers) - TRANSPORT, (path, answer.status_code)
            for name, header in described.items():
                whole = header["schema"]["type"] == "integer"
                value = int(answer.headers[name]) if whole else answer.headers[name]
                assert jsonschema_rs.is_valid(header["schema"], value), (name, value)
            seen.add((route or path, str(answer.status_code)))

        opening: dict[str, Any] = {"body": {"publicKey": public_key("a")}, "idempotency_key": KEY}
        token = (await world.send("POST", f"{CHAT}/sessions", **opening)).json()["sessionToken"]
        begun: dict[str, Any] = {"body": {"text": "hi", "intentName": "order_status"}, "token": token, "idempotency_key": KEY}
        run_id = (await world.send("POST", f"{CHAT}/messages", **begun)).json()["reply"]["executionId"]
        await judge("POST", f"{CHAT}/sessions", **opening)
        await judge("POST", f"{CHAT}/sessions", body={"publicKey": public_key("a"), "sessionToken": "st_forged"})
        await judge("POST", f"{CHAT}/messages", **begun)
        await judge("POST", f"{CHAT}/messages", **{**begun, "body": b"x" * 70_000})
        await judge("POST", f"{CHAT}/messages", **{**begun, "body": {}})
        await judge("POST", f"{CHAT}/messages", **begun)
        await judge("POST", f"{CHAT}/messages", body={})
        shown: dict[str, Any] = {"path": f"{CHAT}/executions/{run_id}", "route": f"{CHAT}/executions/{{execution_id}}"}
        await judge("GET", **shown, token=token)
        await judge("GET", **shown, token=token, if_none_match="*")
        await judge("GET", **shown)
        engine: dict[str, Any] = {"body": {"intent_name": "order_status"}, "idempotency_key": KEY}
        await world.send("POST", f"{ENGINE}/triggers/chat", **engine, token="sk_acme")
        await judge("POST", f"{ENGINE}/triggers/chat", **engine, token="sk_acme")
        await judge("POST", f"{ENGINE}/triggers/chat", **engine, token="sk_nobody")
        await judge("POST", f"{ENGINE}/callbacks/none", f"{ENGINE}/callbacks/{{token}}", body={})
        await judge("GET", "/health/ready")
        world.clock.advance(60_000)
        await judge("GET", "/health/ready")
    assert {status for _, status in seen} == {"200", "304", "400", "401", "404", "413", "429", "503"}
