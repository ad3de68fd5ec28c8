"""Which pages may speak to the chat surface, compared by scheme, host and port."""

import pytest

from api.origins import fits, is_local, origin_parts
from tests.api.world import CHAT, World, opened_world

TABLE = [
    ("https://shop.example", "https://shop.example", True),
    ("https://shop.example:443", "https://shop.example", True),
    ("https://SHOP.example", "https://shop.example", True),
    ("https://shop.example/", "https://shop.example", False),
    ("http://shop.example", "https://shop.example", False),
    ("https://shop.example:8443", "https://shop.example", False),
    ("https://shop.example:8443", "https://shop.example:8443", True),
    ("https://shop.example.evil.com", "https://shop.example", False),
    ("https://evil-shop.example", "https://shop.example", False),
    ("https://shop.example@evil.com", "https://shop.example", False),
    ("https://shop.example evil", "https://shop.example", False),
    ("null", "https://shop.example", False),
    ("", "https://shop.example", False),
    ("https://a.acme.com", "https://*.acme.com", True),
    ("https://b.a.acme.com", "https://*.acme.com", True),
    ("https://acme.com", "https://*.acme.com", False),
    ("https://evilacme.com", "https://*.acme.com", False),
    ("https://.acme.com", "https://*.acme.com", False),
    ("http://a.acme.com", "https://*.acme.com", False),
    ("https://a.acme.com:444", "https://*.acme.com", False),
    ("https://*.acme.com", "https://*.acme.com", False),
    ("https://a.acme.com", "*", False),
    ("https://a.acme.com", "https://*", False),
    ("https://[::1]:3000", "https://[::1]:3000", True),
]


@pytest.mark.parametrize(("origin", "pattern", "expected"), TABLE)
def test_an_origin_fits_by_scheme_host_and_port(origin: str, pattern: str, expected: bool) -> None:
    assert fits(origin, [pattern]) is expected


@pytest.mark.parametrize(
    "origin", ["http://localhost", "http://localhost:5173", "https://127.0.0.1:8080", "http://[::1]:80", "http://app.localhost"]
)
def test_pages_on_this_machine_are_local(origin: str) -> None:
    assert is_local(origin)


@pytest.mark.parametrize(
    "origin", ["http://localhost.evil.com", "http://127.0.0.1.nip.io", "null", "file://localhost", "http://notlocalhost"]
)
def test_others_are_not(origin: str) -> None:
    assert not is_local(origin)


def test_an_origin_has_three_parts() -> None:
    assert origin_parts("https://shop.example") == ("https", "shop.example", 443)
    assert origin_parts("https://shop.example/path") is None


async def preflight(world: World, origin: str, path: str = f"{CHAT}/messages") -> dict[str, str]:
    answer = await world.send("OPTIONS", path, origin=origin, access_control_request_method="POST")
    assert answer.status_code == 204
    return dict(answer.headers)


@pytest.mark.parametrize("origin", ["https://shop.example", "https://x.acme.com", "https://globex.example:8443"])
async def test_a_preflight_echoes_an_origin_that_any_active_key_allows(world: World, origin: str) -> None:
    headers = await preflight(world, origin)
    assert headers["access-control-allow-origin"] == origin
    assert "Idempotency-Key" in headers["access-control-allow-headers"]
    assert "POST" in headers["access-control-allow-methods"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://shop.example", "http://localhost:3000"])
async def test_and_no_other(world: World, origin: str) -> None:
    assert "access-control-allow-origin" not in await preflight(world, origin)


async def test_in_dev_a_local_page_is_echoed_too() -> None:
    async with opened_world(dev=True) as world:
        assert (await preflight(world, "http://localhost:3000"))["access-control-allow-origin"] == "http://localhost:3000"


async def test_a_key_that_is_paused_takes_its_origins_with_it(world: World) -> None:
    assert "access-control-allow-origin" in await preflight(world, "https://x.acme.com")
    await world.change_key("b", status="paused")
    assert "access-control-allow-origin" not in await preflight(world, "https://x.acme.com")


async def test_a_page_may_read_the_headers_that_it_needs_also_of_errors(world: World) -> None:
    answer = await world.send("GET", f"{CHAT}/messages")
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    quota = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
    assert exposed == {"ETag", "Idempotent-Replayed", "X-Request-Id", "Retry-After"} | quota
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


async def test_the_engine_surface_knows_no_pages(world: World) -> None:
    answer = await world.send("GET", "/api/v1/engine/intents", token="sk_acme")
    assert "access-control-allow-origin" not in answer.headers
    refused = await world.send("OPTIONS", "/api/v1/engine/intents", access_control_request_method="GET")
    assert "access-control-allow-origin" not in refused.headers


async def test_options_without_a_preflight_tells_the_methods(world: World) -> None:
    answer = await world.send("OPTIONS", f"{CHAT}/messages", origin="")
    assert answer.status_code == 204
    assert "POST" in answer.headers["allow"]


def test_what_is_longer_than_any_origin_is_not_even_looked_at() -> None:
    assert origin_parts("https://" + "a" * 200) is not None
    assert origin_parts("https://" + "a" * 300) is None
