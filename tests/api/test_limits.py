"""Rate limits: counted per address and per session, told on every answer, in bounded memory."""

import pytest

from api.addresses import client_address, counted_address
from api.limits import Limiter
from api.settings import Rate, Settings, read_settings
from engine.testing.clock import ManualClock
from tests.api.world import CHAT, World, opened_world, public_key

BODY = {"text": "hello", "intentName": "order_status"}


def test_a_window_takes_so_many_and_begins_anew_when_it_is_over() -> None:
    clock = ManualClock()
    limiter = Limiter(Rate(2, 60), clock.monotonic)
    assert [limiter.count("a").exceeded for _ in range(3)] == [False, False, True]
    clock.advance(59_000)
    assert limiter.count("a").reset == 1
    clock.advance(1_000)
    assert not limiter.count("a").exceeded


def test_askers_are_counted_apart() -> None:
    limiter = Limiter(Rate(1, 60), ManualClock().monotonic)
    assert not limiter.count("a").exceeded
    assert not limiter.count("b").exceeded
    assert limiter.count("a").exceeded


def test_memory_is_bounded_and_what_is_over_is_forgotten() -> None:
    clock = ManualClock()
    limiter = Limiter(Rate(1, 60), clock.monotonic, most=100)
    for number in range(1_000):
        limiter.count(str(number))
    assert len(limiter) == 100
    clock.advance(61_000)
    limiter.count("new")
    assert len(limiter) == 1


async def test_sessions_are_counted_for_their_address() -> None:
    async with opened_world(Settings(rate_limit_sessions=Rate(2, 60))) as world:
        answers = [await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key("a")}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
        assert answers[2].json()["error"] == "rate_limited"
        assert answers[2].headers["retry-after"] == answers[2].headers["ratelimit-reset"] == "60"
        world.clock.advance(60_000)
        assert (await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key("a")})).status_code == 200


async def test_messages_are_counted_for_their_session_and_others_for_their_address() -> None:
    async with opened_world(Settings(rate_limit_sessions=None, rate_limit_messages=Rate(2, 60))) as world:
        one, two = await world.token(), await world.token()
        for _ in range(2):
            assert (await world.send("POST", f"{CHAT}/messages", token=one, body=BODY)).status_code == 200
        assert (await world.send("POST", f"{CHAT}/messages", token=one, body=BODY)).status_code == 429
        assert (await world.send("POST", f"{CHAT}/messages", token=two, body=BODY)).status_code == 200
        statuses = [(await world.send("POST", f"{CHAT}/messages", token=f"st_{n}", body=BODY)).status_code for n in range(3)]
        assert statuses == [401, 401, 429]


@pytest.mark.parametrize("body", [b"x" * 70_000, b"{", {"text": "", "intentName": "order_status"}])
async def test_every_answer_of_a_limited_route_tells_what_is_left(body: object) -> None:
    async with opened_world(Settings(rate_limit_sessions=None)) as world:
        token = await world.token()
        answer = await world.send("POST", f"{CHAT}/messages", token=token, body=body)
        assert answer.status_code >= 400
        assert answer.headers["ratelimit-limit"] == "120"
        assert answer.headers["ratelimit-remaining"] == "119"
        assert answer.headers["ratelimit-reset"] == "60"


async def test_limits_can_be_switched_off(world: World) -> None:
    answer = await world.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key("a")})
    assert "ratelimit-limit" not in answer.headers


def address(peer: str | None, forwarded: list[str], trusted: str) -> str:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "http", "client": None if peer is None else (peer, 1), "headers": headers}
    networks = read_settings({"BATON_TRUSTED_PROXIES": trusted}).trusted_proxies
    return client_address(scope, networks)  # type: ignore[arg-type] # only what it reads


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("203.0.113.9", ["1.1.1.1"], "", "203.0.113.9"),
        ("203.0.113.9", ["1.1.1.1"], "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1"], "10.0.0.0/8", "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6, 1.1.1.1"], "10.0.0.0/8", "1.1.1.1"),
        ("10.0.0.1", ["6.6.6.6", "1.1.1.1, 10.0.0.2"], "10.0.0.0/8", "1.1.1.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.0/8", "10.0.0.3"),
        ("10.0.0.1", ["1.1.1.1, nonsense"], "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.0/8", "10.0.0.1"),
        ("::1", ["2001:db8::1"], "::1", "2001:db8::1"),
        (None, ["1.1.1.1"], "10.0.0.0/8", "unknown"),
    ],
)
def test_a_forwarded_address_is_believed_from_the_right_as_far_as_trust_goes(
    peer: str | None, forwarded: list[str], trusted: str, expected: str
) -> None:
    assert address(peer, forwarded, trusted) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("unknown", "unknown", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_a_network_whose_addresses_are_free_to_choose_counts_as_one_asker(one: str, other: str, same: bool) -> None:
    assert (counted_address(one) == counted_address(other)) is same


async def test_renewing_a_session_brings_no_fresh_quota() -> None:
    async with opened_world(Settings(rate_limit_sessions=None, rate_limit_messages=Rate(2, 60))) as world:
        token = await world.token()
        statuses = []
        for _ in range(3):
            world.clock.advance(1_000)
            token = await world.token(sessionToken=token)
            statuses.append((await world.send("POST", f"{CHAT}/messages", token=token, body=BODY)).status_code)
        assert statuses == [200, 200, 429]
