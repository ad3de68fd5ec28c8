"""The dev room: a session sees its own runs from inside, on a server that was started with `--dev`, and nowhere else."""

from collections.abc import AsyncIterator
from xml.etree import ElementTree as ET

import msgspec
import pytest

from engine.loading.drawing import STYLE
from engine.model.flow import Flow
from engine.runtime.catalog import encode_flow
from engine.runtime.store.registry import Draft
from tests.api.world import NOBODY, World, opened_world, public_key

SVG = "/dev/flows/order_status/1/graph.svg"
CALLING = {
    "flow": "menu",
    "intent": {},
    "nodes": {
        "hello": {"type": "message", "text": "Hello.", "next": "take"},
        "take": {"type": "call", "flow": "ask_address", "next": "bye"},
        "bye": {"type": "ask", "prompt": "Bye?", "next": "end"},
    },
}
CALLED = {"flow": "ask_address", "nodes": {"street": {"type": "ask", "prompt": "Street?", "next": "end"}}}


@pytest.fixture
async def dev() -> AsyncIterator[World]:
    """The world of a server that was started with `--dev`, where one flow calls another."""
    async with opened_world(dev=True) as world:
        key = world.runtime.catalog.public_key(public_key("a"))
        assert key is not None
        flows = [msgspec.convert(flow, Flow) for flow in (CALLING, CALLED)]
        drafts = [Draft(flow=flow.flow, digest="1", intent=flow.intent_name, source="", document=encode_flow(flow)) for flow in flows]
        await world.runtime.registry.publish(key.tenant_id, drafts, 0)
        await world.runtime.catalog.refresh()
        yield world


def way_of(reply: dict[str, object]) -> str:
    return f"/dev/executions/{reply['executionId']}/way"


async def test_the_way_tells_where_the_run_stands_and_how_it_came_there(dev: World) -> None:
    token = await dev.token()
    reply = await dev.trigger(token)
    way = (await dev.send("GET", way_of(reply), token=token)).json()
    assert (way["status"], way["flow"], way["version"], way["node"]) == ("waiting_input", "order_status", 1, "number")
    assert way["stack"] == [{"flow": "order_status", "version": 1, "node": "number"}]
    assert [(visit["node"], visit["edge"], visit["target"]) for visit in way["visits"]] == [("number", "waits", None)]
    assert (await dev.answer(token, reply, text="A-1")).status_code == 200
    way = (await dev.send("GET", way_of(reply), token=token)).json()
    assert way["status"] == "completed"
    assert [(visit["node"], visit["edge"], visit["target"]) for visit in way["visits"]][1:] == [
        ("number", "next", "found"),
        ("found", "next", "end"),
    ]


async def test_inside_a_called_flow_its_callers_are_told_outermost_first(dev: World) -> None:
    token = await dev.token()
    reply = await dev.trigger(token, "menu")
    way = (await dev.send("GET", way_of(reply), token=token)).json()
    assert (way["flow"], way["node"]) == ("ask_address", "street")
    assert [(standing["flow"], standing["node"]) for standing in way["stack"]] == [("menu", "take"), ("ask_address", "street")]
    assert [(visit["flow"], visit["node"], visit["edge"]) for visit in way["visits"]] == [
        ("menu", "hello", "next"),
        ("menu", "take", "calls"),
        ("ask_address", "street", "waits"),
    ]


async def test_a_flow_that_the_run_has_come_back_from_is_told_too(dev: World) -> None:
    token = await dev.token()
    reply = await dev.trigger(token, "menu")
    assert (await dev.answer(token, reply, text="Main Street 1")).status_code == 200
    way = (await dev.send("GET", way_of(reply), token=token)).json()
    assert [standing["flow"] for standing in way["stack"]] == ["menu"]
    assert way["left"] == [{"flow": "ask_address", "version": 1, "node": None}]


async def test_a_published_version_is_drawn(dev: World) -> None:
    token = await dev.token()
    answer = await dev.send("GET", SVG, token=token)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    nodes = {group.get("data-node") for group in ET.fromstring(answer.text).iter("{http://www.w3.org/2000/svg}g")}  # noqa: S314 - our own text
    assert {"number", "found", "end"} <= nodes
    again = await dev.send("GET", SVG, token=token, if_none_match=answer.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


async def test_the_style_of_graphs_is_there_before_a_session_is(dev: World) -> None:
    answer = await dev.send("GET", "/dev/graph.css")
    assert (answer.text, answer.headers["content-type"]) == (STYLE, "text/css; charset=utf-8")


@pytest.mark.parametrize(
    "path", ["/dev/flows/order_status/2/graph.svg", "/dev/flows/nothing/1/graph.svg", "/dev/flows/order_status/x/graph.svg"]
)
async def test_what_was_never_published_is_not_drawn(dev: World, path: str) -> None:
    assert (await dev.send("GET", path, token=await dev.token())).status_code == 404


async def test_nobody_sees_the_run_of_another(dev: World) -> None:
    reply = await dev.trigger(await dev.token())
    for other in (await dev.token(), await dev.token("9")):
        answer = await dev.send("GET", way_of(reply), token=other)
        assert (answer.status_code, answer.json()["error"]) == (404, "execution_not_found")
    for unknown in (NOBODY, "x"):
        assert (await dev.send("GET", f"/dev/executions/{unknown}/way", token=await dev.token())).status_code == 404


async def test_nobody_sees_the_flow_of_another_tenant(dev: World) -> None:
    assert (await dev.send("GET", "/dev/flows/menu/1/graph.svg", token=await dev.token("9"))).status_code == 404


@pytest.mark.parametrize("path", [f"/dev/executions/{NOBODY}/way", SVG])
async def test_without_a_session_nothing_is_seen(dev: World, path: str) -> None:
    for token in (None, "forged"):
        answer = await dev.send("GET", path, token=token)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_session_token")


async def test_in_production_there_is_no_such_room(world: World) -> None:
    token = await world.token()
    reply = await world.trigger(token)
    for path in (way_of(reply), SVG, "/dev/graph.css", "/dev/config.json"):
        answer = await world.send("GET", path, token=token)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_the_room_is_no_part_of_the_api(dev: World) -> None:
    described = (await dev.send("GET", "/schema/openapi.json")).json()
    assert [path for path in described["paths"] if path.startswith("/dev")] == []
