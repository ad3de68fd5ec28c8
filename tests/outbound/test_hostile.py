"""Servers that lie, hang, drip, flood and break off: every one ends as a code, soon and in little memory."""

import asyncio
import gzip
import itertools
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.outbound.port import OutboundRequest
from tests.outbound.conftest import Bench, Play, plain
from tests.support.pace import pace

LIMIT = 262_144
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


def packed(body: bytes, encoding: str) -> bytes:
    return plain(body, "200 OK", f"Content-Encoding: {encoding}")


def endless(head: bytes, piece: bytes) -> Play:
    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(piece)
            await writer.drain()

    return play


def dripping(head: bytes, piece: bytes) -> Play:
    async def play(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)

    return play


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Length: 100\r\n\r\nhalf")
    await writer.drain()
    writer.transport.abort()


def refused(pieces: bytes) -> object:
    return pytest.param(pieces, id=repr(pieces[:60]))


@pytest.mark.parametrize(
    "answer",
    [
        refused(answer)
        for answer in (
            b"",
            b"\r\n\r\n",
            b"nonsense\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.9\r\n",
            b"HTTP/1.1 99 X\r\n\r\n",
            b"HTTP/1.1 1000 X\r\n\r\n",
            b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            OK,
            OK + b"no colon\r\n\r\n",
            OK + b"X-A: a\x00b\r\nContent-Length: 0\r\n\r\n",
            OK + b"Content-Length: -1\r\n\r\n",
            OK + b"Content-Length: 1x\r\n\r\n",
            OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            OK + b"Content-Length: 10\r\n\r\nshort",
            OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            CHUNKED + b"zz\r\n\r\n",
            CHUNKED + b"-1\r\n\r\n",
            CHUNKED + b"5\r\nab\r\n0\r\n\r\n",
            CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
            CHUNKED + b"2\r\nab\r\n",
            CHUNKED + b"ffffffffffffffffffffffff\r\nab",
            packed(b"no gzip", "gzip"),
            packed(b"\xff\xff\xff", "deflate"),
            packed(gzip.compress(b"whole" * 99)[:-9], "gzip"),
            packed(gzip.compress(b"whole") + b"\x1fgarbage", "gzip"),
            packed(b"x", "br"),
            packed(b"x", "zstd"),
            packed(gzip.compress(gzip.compress(b"x")), "gzip, gzip"),
        )
    ],
)
async def test_an_answer_that_cannot_be_read_is_a_refused_one(bench: Bench, answer: bytes) -> None:
    bench.listener.answers = [answer]
    outcome = await bench.get()
    assert (outcome.code, outcome.answer) == ("http.refused", None)


async def test_a_connection_that_is_reset_is_refused(bench: Bench) -> None:
    bench.listener.answers = [reset]
    assert (await bench.get()).code == "http.refused"


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(hang, id="nothing"),
        pytest.param(dripping(b"", b"H"), id="head"),
        pytest.param(dripping(OK, b"X: y\r\n"), id="headers"),
        pytest.param(dripping(OK + b"Content-Length: 99999\r\n\r\n", b"x"), id="body"),
        pytest.param(dripping(CHUNKED, b"1\r\nx\r\n"), id="chunks"),
        pytest.param(dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="interim answers"),
    ],
)
async def test_a_server_that_takes_its_time_is_left_at_the_end_of_ours(bench: Bench, play: Play) -> None:
    bench.listener.answers = [play]
    began = asyncio.get_running_loop().time()
    outcome = await bench.send(OutboundRequest(method="GET", url=bench.base, timeout=200))
    assert (outcome.code, outcome.answer) == ("http.timeout", None)
    assert asyncio.get_running_loop().time() - began < 2 * pace()


async def test_the_time_is_for_all_redirects_together(bench: Bench) -> None:
    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.15)
        writer.write(plain(b"", "302 X", "Location: /on"))

    bench.listener.answers = [slow]
    assert (await bench.send(OutboundRequest(method="GET", url=bench.base, timeout=250))).code == "http.timeout"
    assert bench.listener.connections <= 2


async def test_the_time_holds_for_a_server_that_does_not_read(bench: Bench) -> None:
    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    bench.listener.answers = [deaf]
    assert (await bench.send(OutboundRequest(method="POST", url=bench.base, body="x" * LIMIT, timeout=200))).code == "http.timeout"


async def test_the_time_holds_for_the_look_up_of_the_name(bench: Bench) -> None:
    asked = asyncio.Event()

    async def never(*_: object) -> list[str]:
        asked.set()
        await asyncio.Event().wait()
        return []

    bench.names = never  # type: ignore[assignment]
    assert (await bench.send(OutboundRequest(method="GET", url=bench.base, timeout=50))).code == "http.timeout"
    assert asked.is_set()


async def test_waiting_for_a_place_is_within_the_time_and_a_place_comes_back(bench: Bench) -> None:
    client = bench.client("shop.example", at_once=1)
    bench.listener.answers = [hang, plain(b"done")]
    first = asyncio.create_task(client.send(OutboundRequest(method="GET", url=bench.base)))
    await bench.listener.asked.wait()
    assert (await client.send(OutboundRequest(method="GET", url=bench.base, timeout=50))).code == "http.timeout"
    assert bench.listener.connections == 1
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert first.cancelled()
    assert (await client.send(OutboundRequest(method="GET", url=bench.base))).code is None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(plain(b"x" * LIMIT), id="length"),
        pytest.param(CHUNKED + b"40000\r\n" + b"x" * LIMIT + b"\r\n0\r\n\r\n", id="chunk"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * LIMIT, id="until the end"),
        pytest.param(packed(gzip.compress(b"x" * LIMIT), "gzip"), id="gzip"),
        pytest.param(packed(gzip.compress(b"x" * 9) + gzip.compress(b"x" * (LIMIT - 9)), "x-gzip"), id="two members"),
        pytest.param(packed(gzip.compress(b"x" * LIMIT) + b"\x00" * 99, "gzip"), id="padded"),
        pytest.param(packed(zlib.compress(b"x" * LIMIT), "deflate"), id="deflate"),
        pytest.param(packed(raw_deflate(b"x" * LIMIT), "deflate"), id="bare deflate"),
    ],
)
async def test_the_largest_body_comes_in_however_it_is_packed(bench: Bench, answer: bytes) -> None:
    bench.listener.answers = [answer]
    outcome = await bench.get()
    assert outcome.code is None
    assert outcome.answer is not None
    assert outcome.answer.text == "x" * LIMIT


BOMB = gzip.compress(b"\x00" * 50_000_000)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(plain(b"x" * (LIMIT + 1)), id="one byte more"),
        pytest.param(endless(OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 9_999), id="announced"),
        pytest.param(endless(b"HTTP/1.0 200 OK\r\n\r\n", b"x" * 9_999), id="without end"),
        pytest.param(endless(CHUNKED, b"270f\r\n" + b"x" * 9_999 + b"\r\n"), id="chunks without end"),
        pytest.param(endless(CHUNKED, b"1\r\nx\r\n" * 999), id="chunks of one byte"),
        pytest.param(CHUNKED + b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n", id="too many chunks"),
        pytest.param(packed(gzip.compress(b"x" * (LIMIT + 1)), "gzip"), id="one byte more, packed"),
        pytest.param(packed(BOMB, "gzip"), id="gzip bomb"),
        pytest.param(packed(zlib.compress(b"\x00" * 50_000_000), "deflate"), id="deflate bomb"),
        pytest.param(packed(raw_deflate(b"\x00" * 50_000_000), "deflate"), id="bare deflate bomb"),
        pytest.param(endless(OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"") * 999), id="empty members"),
    ],
)
async def test_a_body_that_is_too_large_ends_early_and_leaves_its_status(bench: Bench, answer: bytes | Play) -> None:
    bench.listener.answers = [answer]
    outcome = await bench.get()
    assert outcome.code == "http.response_size"
    assert outcome.answer is not None
    assert (outcome.answer.status, outcome.answer.text, outcome.answer.json) == (200, None, None)


async def test_a_bomb_takes_no_memory(bench: Bench) -> None:
    bench.listener.answers = [packed(BOMB, "gzip")]
    tracemalloc.start()
    try:
        await bench.get()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(plain(b"", "200 OK", "X-A: " + "x" * 40_000), id="one large"),
        pytest.param(plain(b"", "200 OK", *[f"X-{n}: {n}" for n in range(4_000)]), id="many small"),
        pytest.param(endless(OK, b"X-A: " + b"x" * 999 + b"\r\n"), id="without end"),
        pytest.param(endless(OK + b"X-A: ", b"x" * 999), id="one without end"),
        pytest.param(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 999), id="interim answers without end"),
        pytest.param(endless(CHUNKED + b"1;", b"x" * 999), id="a chunk's extension without end"),
        pytest.param(endless(CHUNKED + b"0\r\n", b"X-A: " + b"x" * 999 + b"\r\n"), id="trailers without end"),
    ],
)
async def test_headers_without_measure_end_early(bench: Bench, answer: bytes | Play) -> None:
    bench.listener.answers = [answer]
    outcome = await bench.get()
    assert outcome.code in {"http.response_size", "http.refused"}


@pytest.mark.parametrize(
    ("body", "kind", "text", "json"),
    [
        (b"{", "application/json", "{", None),
        (b"", "application/json", "", None),
        (b"null", "application/json", "null", None),
        (b"[1,", "text/html", "[1,", None),
        (b" [1] ", "text/plain", " [1] ", [1]),
        (b'{"a":"\xff"}', "application/json", '{"a":"\ufffd"}', {"a": "\ufffd"}),
        (b"\xef\xbb\xbf[1]", "application/json", "[1]", [1]),
        ("ä".encode("latin-1"), "text/plain; charset=ISO-8859-1", "ä", None),
        ('"ä"'.encode("utf-16"), "application/json; charset=utf-16", '"ä"', "ä"),
        ("дом".encode("koi8-r"), 'text/plain; Charset="KOI8-R"', "дом", None),
        (b"\xe4", "text/plain; charset=utf-8", "\ufffd", None),
        (b"YQ==", "text/plain; charset=base64", "YQ==", None),
        (b"a-b", "text/plain; charset=punycode", "a-b", None),
        (b"\\x41", "text/plain; charset=unicode_escape", "\\x41", None),
        (b"\\x41", "text/plain; charset=iso-8859-99", "\\x41", None),
        (b"NaN", "application/json", "NaN", None),
        (b"\x00callback:0/paid/1\x00", "text/plain", "\ufffdcallback:0/paid/1\ufffd", None),
        (
            b'{"\\u0000a": ["\\u0000b\\\\u0000"]}',
            "application/json",
            '{"\\u0000a": ["\\u0000b\\\\u0000"]}',
            {"\ufffda": ["\ufffdb\\u0000"]},
        ),
        (b"[" * 900 + b'"\\u0000"' + b"]" * 900, "application/json", "[" * 900 + '"\\u0000"' + "]" * 900, None),
        (b'"\\ud800"', "application/json", '"\\ud800"', None),
        (b"1" + b"0" * 30, "application/json", "1" + "0" * 30, 1e30),
        (b'{"id": 9223372036854775808}', "application/json", '{"id": 9223372036854775808}', {"id": 2.0**63}),
        (b"1e999", "application/json", "1e999", None),
        (b"[" * 100_000 + b"]" * 100_000, "application/json", "[" * 100_000 + "]" * 100_000, None),
    ],
)
async def test_a_body_is_readable_text_and_json_only_where_a_run_can_keep_it(
    bench: Bench, body: bytes, kind: str, text: str, json: object
) -> None:
    bench.listener.answers = [plain(body, "200 OK", f"Content-Type: {kind}")]
    outcome = await bench.get()
    assert outcome.answer is not None
    assert (outcome.answer.text, outcome.answer.json) == (text, json)


async def test_garbage_of_every_kind_ends_as_an_outcome(bench: Bench) -> None:
    chance = random.Random(7)  # noqa: S311 - the same garbage each time
    whole = [
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
        plain(b"hello"),
        packed(gzip.compress(b"hello" * 9), "gzip"),
        plain(b"", "302 X", "Location: /x"),
    ]
    codes = set()
    for answer, _ in itertools.product(whole, range(50)):
        broken = bytearray(answer)
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        bench.listener.answers = [bytes(broken[: chance.randint(1, len(broken) + 20)])]
        codes.add((await bench.get()).code)
    assert codes <= {None, "http.refused", "http.response_size", "http.blocked", "http.dns"}


@given(st.binary(max_size=2_000), st.integers(1, 50), st.sampled_from(["gzip", "deflate", "bare"]))
def test_what_is_unpacked_piece_by_piece_is_what_was_packed(body: bytes, size: int, kind: str) -> None:
    from engine.runtime.outbound.answers import _Packed  # noqa: PLC0415 - the inside of one module, for the sake of every cut

    whole = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "bare": raw_deflate(body)}[kind]
    unpacker = _Packed(gzip=kind == "gzip")
    pieces = [unpacker.unpack(whole[at : at + size], LIMIT) for at in range(0, len(whole), size)]
    unpacker.finish()
    assert b"".join(pieces) == body
