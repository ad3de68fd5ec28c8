"""When a request is tried again, and how long is waited for it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.outbound.backoff import asked_pause, pause_before
from engine.runtime.outbound.port import Answer, OutboundRequest, Outcome
from tests.outbound.conftest import Bench, plain

BUSY = plain(b"busy", "503 Service Unavailable")


def keyed(bench: Bench, retries: int = 3, *, repeatable: bool = True) -> OutboundRequest:
    return OutboundRequest(method="POST", url=bench.base, json={"n": 1}, retries=retries, repeatable=repeatable, idempotency_key="k-1")


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 429])
async def test_a_busy_server_is_asked_again_with_the_same_request(bench: Bench, status: int) -> None:
    bench.listener.answers = [plain(b"", f"{status} X"), plain(b"", f"{status} X"), plain(b"done")]
    outcome = await bench.send(keyed(bench))
    assert (outcome.code, outcome.retries) == (None, 2)
    assert outcome.answer is not None
    assert outcome.answer.status == 200
    assert len(bench.listener.received) == 3
    assert len(set(bench.listener.received)) == 1
    assert bench.listener.heads[2]["idempotency-key"] == "k-1"
    assert bench.naps == [0.5, 1.0]


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 403, 404, 409, 410, 422])
async def test_any_other_answer_is_the_answer(bench: Bench, status: int) -> None:
    bench.listener.answers = [plain(b"", f"{status} X")]
    outcome = await bench.send(keyed(bench))
    assert (outcome.retries, bench.listener.connections, bench.naps) == (0, 1, [])


@pytest.mark.parametrize("answer", [BUSY, b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
async def test_a_request_that_is_not_repeatable_is_sent_once(bench: Bench, answer: bytes) -> None:
    bench.listener.answers = [answer]
    outcome = await bench.send(keyed(bench, repeatable=False))
    assert (outcome.retries, bench.listener.connections) == (0, 1)


async def test_the_last_answer_is_told_when_no_try_is_left(bench: Bench) -> None:
    bench.listener.answers = [BUSY]
    outcome = await bench.send(keyed(bench, retries=2))
    saved = outcome.saved()
    assert saved is not None
    assert (outcome.code, saved["status"], saved["text"], saved["retries"]) == (None, 503, "busy", 2)
    assert bench.listener.connections == 3


async def test_there_are_never_more_than_three_retries(bench: Bench) -> None:
    bench.listener.answers = [BUSY]
    assert (await bench.send(keyed(bench, retries=99))).retries == 3
    assert bench.naps == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"nonsense\r\n\r\n"])
async def test_a_connection_that_breaks_is_tried_again(bench: Bench, answer: bytes) -> None:
    bench.listener.answers = [answer, plain(b"done")]
    outcome = await bench.send(keyed(bench))
    assert (outcome.code, outcome.retries) == (None, 1)


async def test_a_name_without_an_address_and_a_closed_port_are_tried_again(bench: Bench) -> None:
    unknown = OutboundRequest(method="GET", url="http://unknown.example/", retries=2, repeatable=True)
    outcome = await bench.send(unknown)
    assert (outcome.code, outcome.retries, bench.names.asked) == ("http.dns", 2, ["unknown.example"] * 3)
    closed = OutboundRequest(method="GET", url="http://shop.example:1/", retries=1, repeatable=True)
    outcome = await bench.send(closed)
    assert (outcome.code, outcome.retries) == ("http.refused", 1)


async def test_a_try_that_takes_too_long_is_tried_again(bench: Bench) -> None:
    bench.listener.answers = [hang, plain(b"done")]
    request = OutboundRequest(method="GET", url=bench.base, timeout=1_000, retries=1, repeatable=True)
    outcome = await bench.send(request)
    assert (outcome.code, outcome.retries) == (None, 1)


async def hang(reader: object, writer: object) -> None:
    await reader.read()  # type: ignore[attr-defined] # until the client has gone


async def test_chance_takes_up_to_half_of_the_pause_away(bench: Bench) -> None:
    bench.listener.answers = [BUSY]
    bench.chance = 1.0
    await bench.send(keyed(bench))
    assert bench.naps == [0.25, 0.5, 1.0]


async def test_what_the_server_asks_for_is_waited_within_reason(bench: Bench) -> None:
    later = format_datetime(datetime.fromtimestamp(bench.clock.wall() / 1000, UTC) + timedelta(seconds=17), usegmt=True)
    bench.listener.answers = [plain(b"", "429 X", f"Retry-After: {asked}") for asked in ("7", later, "86400")]
    await bench.send(keyed(bench))
    # The date comes after seven seconds of waiting.
    assert bench.naps == [7.0, 10.0, 30.0]


@pytest.mark.parametrize("value", ["", "-1", "1.5", "soon", "1e9", "٣", "9" * 40, "Mon, 99 Foo 2026 00:00:00 GMT", "0, 0"])
def test_a_retry_after_that_cannot_be_read_asks_for_nothing(value: str) -> None:
    outcome = Outcome(answer=Answer(status=429, headers={"retry-after": value}))
    assert asked_pause(outcome, 0) is None


@given(st.text(max_size=40), st.integers(0, 2**41))
def test_no_retry_after_makes_us_fail_or_wait_for_ever(value: str, now: int) -> None:
    asked = asked_pause(Outcome(answer=Answer(status=429, headers={"retry-after": value})), now)
    assert 0.25 <= pause_before(1, 1.0, asked) <= 30


@given(st.integers(1, 3), st.floats(0, 1))
def test_pauses_grow_and_stay_between_half_and_all_of_their_length(retry: int, chance: float) -> None:
    assert 0.25 * 2 ** (retry - 1) <= pause_before(retry, chance, None) <= 0.5 * 2 ** (retry - 1)
