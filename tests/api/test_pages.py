"""Pages, health, and what stands around the surfaces."""

import re

import pytest

from api.pages import STATIC
from engine.errors import Unavailable
from tests.api.world import World, opened_world, public_key


async def test_the_schema_page_needs_nobody_but_us(world: World) -> None:
    page = await world.send("GET", "/schema")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    linked = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert linked
    for path in linked:
        answer = await world.send("GET", path)
        assert answer.status_code == 200, path
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"https?://", page.text)


async def test_a_file_is_sent_once(world: World) -> None:
    first = await world.send("GET", "/static/swagger/swagger-ui.css")
    again = await world.send("GET", "/static/swagger/swagger-ui.css", if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/static/swagger/none.js",
        "/static/swagger/%2e%2e/%2e%2e/app.py",
        "/static/swagger/SHA256SUMS",
        "/static/swagger",
        "/static/%00",
        "/static/chat/main.js",
        "/",
    ],
)
async def test_what_is_not_on_the_shelf_does_not_exist(world: World, path: str) -> None:
    assert (await world.send("GET", path)).status_code == 404


async def test_the_chat_page_is_there_in_dev() -> None:
    async with opened_world(dev=True) as world:
        page = await world.send("GET", "/")
        assert page.status_code == 200
        assert "default-src 'self'" in page.headers["content-security-policy"]
        for path in re.findall(r'(?:src|href)="(/[^"]+)"', page.text):
            assert (await world.send("GET", path)).status_code == 200, path
        config = await world.send("GET", "/dev/config.json")
        assert config.json() == {"publicKey": public_key("a")}


def test_vendored_files_keep_their_licences() -> None:
    names = {path.name for path in (STATIC / "swagger").iterdir()}
    assert {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt", "SHA256SUMS"} <= names


async def test_the_process_lives_and_is_ready(world: World) -> None:
    assert (await world.send("GET", "/health/live")).json() == {"status": "live"}
    ready = await world.send("GET", "/health/ready")
    assert ready.json() == {"status": "ready", "database": True, "scheduler": True, "expiry_lag_ms": 0}


async def test_a_ticker_that_does_not_tick_is_not_ready(world: World) -> None:
    world.clock.advance(60_000)
    answer = await world.send("GET", "/health/ready")
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert answer.json()["details"]["scheduler"] is False
    assert answer.headers["retry-after"]
    assert (await world.send("GET", "/health/live")).status_code == 200


async def test_a_database_that_does_not_answer_is_not_ready(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dead() -> None:
        raise Unavailable

    monkeypatch.setattr(world.runtime.store, "healthy", dead)
    answer = await world.send("GET", "/health/ready")
    assert answer.status_code == 503
    assert answer.json()["details"]["database"] is False


async def test_a_database_that_does_not_answer_is_no_error_of_the_chat_page(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dead() -> None:
        raise Unavailable

    async with opened_world(dev=True) as world:
        monkeypatch.setattr(world.runtime.registry, "register", dead)
        answer = await world.send("GET", "/dev/config.json")
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert answer.headers["retry-after"]


async def test_head_has_the_headers_without_the_body(world: World) -> None:
    answer = await world.send("HEAD", "/health/live")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/health/live", "/nowhere"])
async def test_a_host_that_is_none_is_a_400(world: World, path: str) -> None:
    answer = await world.send("GET", path, host="a b/c")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_input")
