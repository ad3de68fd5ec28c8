"""Where an answer points: what goes along, what stays behind, and what is not followed."""

import pytest

from engine.runtime.outbound.port import Credentials, OutboundRequest
from tests.outbound.conftest import Bench, listening, plain, pointing

BODY = b'{"a":1}'


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "GET", "GET"),
        (301, "POST", "GET"),
        (301, "PUT", "PUT"),
        (302, "POST", "GET"),
        (302, "DELETE", "DELETE"),
        (302, "HEAD", "HEAD"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
    ],
)
async def test_the_method_changes_as_the_status_says_and_the_body_with_it(bench: Bench, status: int, method: str, then: str) -> None:
    bench.listener.answers = [pointing("/next?x=1", f"{status} X"), plain(b"")]
    outcome = await bench.send(OutboundRequest(method=method, url=bench.base + "/first", json={"a": 1}))
    assert outcome.code is None
    assert bench.listener.lines == [f"{method} /first HTTP/1.1", f"{then} /next?x=1 HTTP/1.1"]
    kept = then == method
    assert bench.listener.bodies == [BODY, BODY if kept else b""]
    assert ("content-type" in bench.listener.heads[1], "content-length" in bench.listener.heads[1]) == (kept, kept)


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("next", "/a/next"),
        ("../next", "/next"),
        ("?page=2", "/a/b?page=2"),
        ("/ü x?q=ä", "/%C3%BC%20x?q=%C3%A4"),
        ("/%C3%BC#part", "/%C3%BC"),
    ],
)
async def test_a_location_is_read_relative_to_where_it_came_from(bench: Bench, location: str, path: str) -> None:
    bench.listener.answers = [pointing(location), plain(b"")]
    assert (await bench.get("/a/b?page=1")).code is None
    assert bench.listener.lines[1] == f"GET {path} HTTP/1.1"


@pytest.mark.parametrize("status", [300, 304, 305, 306])
async def test_other_statuses_are_answers_wherever_they_point(bench: Bench, status: int) -> None:
    bench.listener.answers = [f"HTTP/1.1 {status} X\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n".encode()]
    outcome = await bench.get()
    assert outcome.answer is not None
    assert (outcome.answer.status, bench.listener.connections) == (status, 1)


async def test_a_redirect_to_nowhere_is_an_answer(bench: Bench) -> None:
    bench.listener.answers = [plain(b"", "302 Found")]
    outcome = await bench.get()
    assert outcome.answer is not None
    assert outcome.answer.status == 302


async def test_three_redirects_are_followed_and_the_fourth_is_not(bench: Bench) -> None:
    bench.listener.answers = [pointing("/1"), pointing("/2"), pointing("/3"), plain(b"there")]
    assert (await bench.get()).code is None
    assert bench.listener.connections == 4
    bench.listener.answers = [pointing("/again")]
    request = OutboundRequest(method="GET", url=bench.base, retries=3, repeatable=True)
    outcome = await bench.send(request)
    assert (outcome.code, outcome.answer, outcome.retries) == ("http.refused", None, 0)
    assert bench.listener.connections == 8


@pytest.mark.parametrize(
    "location",
    [
        *("ftp://shop.example/", "file:///etc/passwd", "gopher://shop.example/", "data:text/plain,x", "javascript:alert(1)"),
        *("http://u:p@shop.example/", "//u@shop.example/", "http://shop.example:0/", "http://[::1/", "http://[fe80::1%25eth0]/"),
        *("http://a b/", "https:shop.example", "http://b\xfccher.example/", "http://shop.example\t/"),
    ],
)
async def test_a_location_that_is_no_web_address_is_not_followed(bench: Bench, location: str) -> None:
    bench.listener.answers = [pointing(location)]
    assert (await bench.get()).code == "http.blocked"
    assert bench.listener.connections == 1


async def test_secrets_do_not_cross_origins_and_do_not_come_back(bench: Bench) -> None:
    async with listening() as other:
        bench.listener.answers = [pointing(f"http://shop.example:{other.port}/there", "307 X"), plain(b"")]
        other.answers = [pointing(f"{bench.base}/back", "307 X")]
        request = OutboundRequest(
            method="POST",
            url=bench.base + "/first",
            json={},
            headers={"Authorization": "sesame", "Cookie": "sesame", "X-Api-Key": "sesame", "Accept-Language": "de"},
            credentials=Credentials(origin=bench.base, headers={"X-Key": "sesame"}, query={"key": "sesame"}),
            idempotency_key="order-7",
        )
        assert (await bench.send(request)).code is None
        assert bench.listener.received[0].count(b"sesame") == 5
        assert not any(b"sesame" in received for received in [*other.received, *bench.listener.received[1:]])
        for head in (*other.heads, bench.listener.heads[1]):
            assert (head["idempotency-key"], head["accept-language"], head["content-type"]) == ("order-7", "de", "application/json")


async def test_secrets_stay_within_their_origin(bench: Bench) -> None:
    bench.listener.answers = [pointing("/second?key=s"), pointing("/third"), plain(b"")]
    credentials = Credentials(origin=bench.base, headers={"X-Key": "k"}, query={"key": "s"})
    headers = {"Authorization": "a", "X-Api-Key": "b"}
    await bench.send(OutboundRequest(method="GET", url=bench.base + "/first", headers=headers, credentials=credentials))
    assert [line.split()[1] for line in bench.listener.lines] == ["/first?key=s", "/second?key=s", "/third?key=s"]
    assert [(head["authorization"], head["x-api-key"], head["x-key"]) for head in bench.listener.heads] == [("a", "b", "k")] * 3


async def test_cookies_are_not_kept_between_redirects_tries_or_requests(bench: Bench) -> None:
    cookie = "Set-Cookie: sid=1; Path=/"
    bench.listener.answers = [plain(b"", "302 X", "Location: /next", cookie), plain(b"", "503 X", cookie), plain(b"", "200 OK", cookie)]
    client = bench.client("shop.example")
    for _ in range(2):
        await client.send(OutboundRequest(method="GET", url=bench.base, retries=1, repeatable=True))
    assert bench.listener.connections == 4
    assert not any("cookie" in head for head in bench.listener.heads)


async def test_the_body_of_a_redirect_is_not_waited_for(bench: Bench) -> None:
    bench.listener.answers = [b"HTTP/1.1 302 X\r\nLocation: /next\r\nContent-Length: 999999\r\n\r\n", plain(b"there")]
    outcome = await bench.get()
    assert outcome.answer is not None
    assert outcome.answer.text == "there"
