"""What goes out, and what a run gets of the answer."""

import pytest

from engine.runtime.outbound.port import Answer, Credentials, OutboundRequest
from tests.outbound.conftest import Bench, plain


async def test_an_answer_is_told_with_its_status_headers_text_and_json(bench: Bench) -> None:
    bench.listener.answers = [plain(b'{"eta": "tomorrow"}', "200 OK", "X-Shop: main", "Vary: a", "Vary: b", "Set-Cookie: sid=1")]
    outcome = await bench.get("/orders?x=1")
    assert outcome.code is None
    assert outcome.saved() == {
        "status": 200,
        "headers": {"content-length": "19", "x-shop": "main", "vary": "a, b"},
        "json": {"eta": "tomorrow"},
        "text": '{"eta": "tomorrow"}',
        "retries": 0,
    }
    assert bench.listener.received == [
        f"GET /orders?x=1 HTTP/1.1\r\nHost: shop.example:{bench.listener.port}\r\nUser-Agent: baton\r\nAccept: */*\r\n"
        "Accept-Encoding: gzip, deflate\r\nConnection: close\r\n\r\n".encode(),
    ]


@pytest.mark.parametrize("status", [204, 404, 500, 999])
async def test_every_status_is_an_answer(bench: Bench, status: int) -> None:
    bench.listener.answers = [plain(b"", f"{status} X")]
    outcome = await bench.get()
    assert (outcome.code, outcome.answer) == (None, Answer(status=status, headers={"content-length": "0"}, text=""))


async def test_the_answer_to_head_has_no_body_whatever_its_length_says(bench: Bench) -> None:
    bench.listener.answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\nContent-Encoding: gzip\r\n\r\n"]
    outcome = await bench.send(OutboundRequest(method="HEAD", url=bench.base))
    assert outcome.answer is not None
    assert (outcome.answer.status, outcome.answer.text) == (200, "")


async def test_the_query_is_encoded_name_by_name(bench: Bench) -> None:
    query = {"a&b": "1=2 ü/?", "list": ["x", 2], "yes": True, "none": None, "half": 0.5}
    await bench.send(OutboundRequest(method="GET", url=bench.base + "/a%2Fb?fixed=1#part", query=query))
    assert bench.listener.lines == ["GET /a%2Fb?fixed=1&a%26b=1%3D2%20%C3%BC%2F%3F&list=x&list=2&yes=true&half=0.5 HTTP/1.1"]


@pytest.mark.parametrize(
    ("request_parts", "body", "kind"),
    [
        ({"json": {"a": "ü"}}, '{"a":"ü"}'.encode(), "application/json"),
        ({"json": None}, b"null", "application/json"),
        ({"body": "grüße"}, "grüße".encode(), "text/plain; charset=utf-8"),
        ({"body": b"\x00\xff"}, b"\x00\xff", "application/octet-stream"),
        ({"body": "a=1", "headers": {"content-TYPE": "application/x-www-form-urlencoded"}}, b"a=1", "application/x-www-form-urlencoded"),
    ],
)
async def test_bodies_go_out_with_their_length_and_type(bench: Bench, request_parts: dict[str, object], body: bytes, kind: str) -> None:
    await bench.send(OutboundRequest(method="POST", url=bench.base, **request_parts))  # type: ignore[arg-type]
    assert bench.listener.bodies == [body]
    assert bench.listener.heads[0]["content-type"] == kind
    assert bench.listener.heads[0]["content-length"] == str(len(body))


async def test_the_idempotency_key_and_the_authors_headers_are_sent(bench: Bench) -> None:
    headers = {"Authorization": "Bearer t", "Cookie": "a=1", "User-Agent": "shop/1", "Accept-Encoding": "zstd", "X-Text": "  ü "}
    await bench.send(OutboundRequest(method="POST", url=bench.base, headers=headers, idempotency_key="order-7"))
    head = bench.listener.heads[0]
    assert (head["authorization"], head["cookie"], head["user-agent"]) == ("Bearer t", "a=1", "shop/1")
    assert (head["accept-encoding"], head["idempotency-key"], head["content-length"]) == ("gzip, deflate", "order-7", "0")
    assert bench.listener.received[0].count("X-Text: ü\r\n".encode()) == 1


async def test_credentials_go_to_their_origin_and_stand_before_the_authors(bench: Bench) -> None:
    credentials = Credentials(origin=bench.base + "/v1", headers={"authorization": "Bearer real"}, query={"key": "k&1"})
    headers = {"Authorization": "Bearer fake"}
    await bench.send(OutboundRequest(method="GET", url=bench.base + "/x", headers=headers, credentials=credentials))
    assert bench.listener.lines == ["GET /x?key=k%261 HTTP/1.1"]
    assert bench.listener.heads[0]["authorization"] == "Bearer real"


async def test_credentials_of_another_origin_stay_at_home(bench: Bench) -> None:
    origins = [f"https://shop.example:{bench.listener.port}", "http://shop.example", "http://other.example"]
    for origin in origins:
        credentials = Credentials(origin=origin, headers={"x-key": "secret"}, query={"key": "secret"})
        await bench.send(OutboundRequest(method="GET", url=bench.base + "/x", credentials=credentials))
    assert bench.listener.connections == 3
    assert not any(b"secret" in request for request in bench.listener.received)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "1\r\nX-B: 2"},
        {"X-A": "1\n2"},
        {"X-A": "\x00"},
        {"X-A": "\ud800"},
        {"X-A\r\nX-B": "1"},
        {"X A": "1"},
        {"": "1"},
        {":path": "/"},
        {"Ünï": "1"},
        {"Host": "other.example"},
        {"content-length": "0"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "keep-alive"},
        {"Keep-Alive": "1"},
        {"TE": "trailers"},
        {"Trailer": "x"},
        {"Upgrade": "h2c"},
        {"Expect": "100-continue"},
        {"Proxy-Authorization": "x"},
    ],
)
async def test_headers_that_break_the_message_are_refused_before_anything_is_sent(bench: Bench, headers: dict[str, str]) -> None:
    requests = [
        OutboundRequest(method="GET", url=bench.base, headers=headers),
        OutboundRequest(method="GET", url=bench.base, credentials=Credentials(origin=bench.base, headers=headers)),
    ]
    assert [(await bench.send(request)).code for request in requests] == ["http.blocked", "http.blocked"]
    assert bench.listener.connections == 0


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"idempotency_key": "a\r\nb"}, "http.blocked"),
        ({"idempotency_key": ""}, "http.blocked"),
        ({"method": "CONNECT"}, "http.blocked"),
        ({"method": "TRACE"}, "http.blocked"),
        ({"method": "GET / HTTP/1.1\r\n"}, "http.blocked"),
        ({"query": {"a": {"b": 1}}}, "http.blocked"),
        ({"query": {"a": "\ud800"}}, "http.blocked"),
        ({"json": "\ud800"}, "http.blocked"),
        ({"body": "\ud800"}, "http.blocked"),
        ({"body": "x" * 262_145}, "http.request_size"),
        ({"json": "x" * 262_143}, "http.request_size"),
        ({"headers": {"X-A": "x" * 66_000}}, "http.request_size"),
        ({"query": {"a": "ü" * 11_000}}, "http.request_size"),
    ],
)
async def test_what_cannot_be_sent_is_refused_before_a_connection(bench: Bench, parts: dict[str, object], code: str) -> None:
    request = OutboundRequest(**{"method": "POST", "url": bench.base, **parts})  # type: ignore[arg-type]
    assert (await bench.send(request)).code == code
    assert (bench.listener.connections, bench.names.asked) == (0, [])


async def test_the_largest_body_goes_out(bench: Bench) -> None:
    outcome = await bench.send(OutboundRequest(method="PUT", url=bench.base, body="x" * 262_144))
    assert outcome.code is None
    assert len(bench.listener.bodies[0]) == 262_144


async def test_no_secret_shows_where_a_request_or_an_answer_is_printed(bench: Bench) -> None:
    bench.listener.answers = [plain(b"sesame", "200 OK", "X-Echo: sesame"), b"sesame is no HTTP\r\n\r\n"]
    request = OutboundRequest(
        method="GET",
        url=bench.base + "/sesame?sesame",
        query={"k": "sesame"},
        headers={"X-Key": "sesame"},
        json="sesame",
        credentials=Credentials(origin=bench.base, headers={"a": "sesame"}, query={"b": "sesame"}),
        idempotency_key="sesame",
    )
    outcomes = [await bench.send(request), await bench.send(request)]
    assert [outcome.code for outcome in outcomes] == [None, "http.refused"]
    assert "sesame" not in repr((request, request.credentials, outcomes))
