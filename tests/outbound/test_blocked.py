"""Nothing reaches what may not be reached: a real listener sees not even a connection."""

import socket
from collections.abc import AsyncIterator

import pytest

from engine.runtime.outbound.client import OutboundClient
from engine.runtime.outbound.port import OutboundRequest
from tests.outbound.conftest import PUBLIC, Bench, Listener, listening, many_loopbacks, pointing, words

SPELLINGS = words("""
    127.0.0.1 127.1 127.0.1 2130706433 017700000001 0x7f000001 0x7f.1 0177.0.0.1 127.0.0.01 127.0.0.1. 0 0.0.0.0 127.255.255.254
    [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [2002:7f00:1::] [2001:0:7f00:1::]
    [::1%25lo] [0:0:0:0:0:0:0:1] localhost localhost. LOCALHOST shop.localhost １２７.0.0.1 127。0。0。1 ①②⑦.0.0.1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ
    user@127.0.0.1 user:word@127.0.0.1 shop.example@127.0.0.1 127.0.0.1\\@shop.example 127.0.0.1%00.shop.example 127.0.0.1%2f
""")
HOME = {name: [["127.0.0.1"]] for name in ("localhost", "shop.localhost", "shop.example")}


@pytest.fixture
async def everywhere() -> AsyncIterator[Listener]:
    """A listener on every address of this machine."""
    async with listening("::") as one:
        yield one


def get(url: str) -> OutboundRequest:
    return OutboundRequest(method="GET", url=url, timeout=2_000, retries=3, repeatable=True)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_spelling_of_our_own_machine_is_reached(bench: Bench, everywhere: Listener, scheme: str, spelling: str) -> None:
    bench.names.answers.update(HOME)
    outcome = await bench.send(get(f"{scheme}://{spelling}:{everywhere.port}/"), allowed=())
    assert (outcome.code, outcome.answer, outcome.retries) == ("http.blocked", None, 0)
    assert everywhere.connections == 0


async def test_the_listener_that_nobody_may_reach_can_be_reached(bench: Bench, everywhere: Listener) -> None:
    for host in ("127.0.0.1", "[::1]"):
        assert (await bench.send(get(f"http://{host}:{everywhere.port}/"), allowed=(host,))).code is None
    assert everywhere.connections == 2


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_is_reached_through_a_redirect(bench: Bench, everywhere: Listener, spelling: str) -> None:
    async with listening() as door:
        bench.names.answers["door.example"] = [["127.0.0.1"]]
        bench.names.answers.update(HOME)
        door.answers = [pointing(f"http://{spelling}:{everywhere.port}/")]
        outcome = await bench.send(get(f"http://door.example:{door.port}/"), allowed=("door.example",))
        assert (outcome.code, outcome.answer) == ("http.blocked", None)
        assert (door.connections, everywhere.connections) == (1, 0)


@pytest.mark.parametrize(
    "url",
    words("""
    ftp://shop.example/ file:///etc/passwd gopher://shop.example/ //shop.example/ /path shop.example http:shop.example http:/shop.example
    http:// http:///path http://:80/ http://shop.example:0/ http://shop.example:65536/ http://shop.example:99999999/ http://shop.example:80a/
    http://shop.example:-1/ http://shop.example:8０/ http://user@shop.example/ http://:@shop.example/ http://user:a@b@shop.example/
    http://shop.example\\x/ http://shop.example%2f/ javascript:alert(1) data:text/plain,x ws://shop.example/ httpx://shop.example/
    http://metadata.google.internal/ http://METADATA.google.internal./ http://[shop.example]/
    """),
)
async def test_an_address_that_is_not_plainly_a_web_address_is_refused(bench: Bench, url: str) -> None:
    assert (await bench.send(get(url), allowed=())).code == "http.blocked"
    assert bench.names.asked == []


@pytest.mark.parametrize(
    "url", ["http://shop.example/a\r\nX: 1", "http://shop.example/a\n", " http://shop.example/", "http://shop.example/\x00", "\thttp://a/"]
)
async def test_control_characters_in_an_address_are_refused(bench: Bench, url: str) -> None:
    assert (await bench.send(get(url), allowed=())).code == "http.blocked"
    assert bench.names.asked == []


async def test_one_address_that_may_not_be_reached_closes_the_name(bench: Bench) -> None:
    for answers in (["127.0.0.1", PUBLIC], [PUBLIC, "127.0.0.1"], [PUBLIC, "::ffff:127.0.0.1"], [PUBLIC, "nonsense"]):
        bench.names.answers["mixed.example"] = [answers]
        assert (await bench.send(get(f"http://mixed.example:{bench.listener.port}/"), allowed=())).code == "http.blocked"
    assert bench.listener.connections == 0


@many_loopbacks
async def test_the_connection_goes_to_the_address_that_was_checked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object, **__: object) -> list[object]:
        raise AssertionError("a name was looked up again")

    async with listening("127.0.0.2") as other:
        bench.names.answers["rebinding.example"] = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]]
        monkeypatch.setattr(socket, "getaddrinfo", ask)
        outcome = await bench.send(get(f"http://rebinding.example:{bench.listener.port}/"), allowed=("127.0.0.1",))
        assert outcome.code is None
        assert bench.names.asked == ["rebinding.example"]
        assert (bench.listener.connections, other.connections) == (1, 0)
        assert bench.listener.heads[0]["host"] == f"rebinding.example:{bench.listener.port}"


@many_loopbacks
async def test_a_name_that_changes_its_address_between_tries_is_checked_again(bench: Bench) -> None:
    async with listening("127.0.0.2") as other:
        bench.names.answers["rebinding.example"] = [["127.0.0.2"], ["127.0.0.1"]]
        other.answers = [b""]
        request = get(f"http://rebinding.example:{other.port}/")
        assert (await bench.send(request, allowed=("127.0.0.2",))).code == "http.blocked"
        assert (other.connections, bench.listener.connections) == (1, 0)


@many_loopbacks
async def test_a_name_that_changes_its_address_during_a_redirect_is_checked_again(bench: Bench) -> None:
    async with listening("127.0.0.2") as other:
        bench.names.answers["rebinding.example"] = [["127.0.0.2"], ["127.0.0.1"]]
        other.answers = [pointing(f"http://rebinding.example:{bench.listener.port}/")]
        assert (await bench.send(get(f"http://rebinding.example:{other.port}/"), allowed=("127.0.0.2",))).code == "http.blocked"
        assert (other.connections, bench.listener.connections) == (1, 0)


async def test_only_the_port_that_the_operator_named_is_open(bench: Bench) -> None:
    port = bench.listener.port
    assert (await bench.send(get(bench.base), allowed=(f"shop.example:{port + 1}",))).code == "http.blocked"
    assert bench.listener.connections == 0
    assert (await bench.send(get(bench.base), allowed=(f"shop.example:{port}",))).code is None


async def test_metadata_stays_closed_when_its_name_and_address_are_allowed(bench: Bench) -> None:
    bench.names.answers["cloud.example"] = [["169.254.169.254"]]
    allowed = ("cloud.example", "169.254.169.254", "metadata.google.internal", "[fd00:ec2::254]")
    for host in ("cloud.example", "169.254.169.254", "metadata.google.internal", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"):
        assert (await bench.send(get(f"http://{host}/latest/meta-data"), allowed=allowed)).code == "http.blocked"


async def test_proxies_and_passwords_of_the_environment_are_not_used(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        outcome = await bench.get()
        assert outcome.code is None
        assert (proxy.connections, bench.listener.connections) == (0, 1)


async def test_the_systems_own_names_are_looked_up_and_judged(listener: Listener) -> None:
    url = f"http://localhost:{listener.port}/"
    assert (await OutboundClient().send(OutboundRequest(method="GET", url=url))).code == "http.blocked"
    assert listener.connections == 0
    assert (await OutboundClient(["localhost"]).send(OutboundRequest(method="GET", url=url))).code is None


async def test_a_name_that_the_system_does_not_know_is_told_so() -> None:
    outcome = await OutboundClient().send(OutboundRequest(method="GET", url=f"http://{'x' * 60}.invalid/"))
    assert (outcome.code, outcome.saved()) == ("http.dns", None)
