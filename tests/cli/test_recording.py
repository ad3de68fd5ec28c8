"""`baton test --record`: what tests have no stubs for is really asked, and stands in their files afterwards."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.conftest import Baton

SECRET = "top-secret-of-the-shop"
KEY = "k" * 32
FLOW = """\
flow: order
intent: {}
nodes:
  number: {type: ask, prompt: Which order?, next: look}
  look:
    type: http
    method: GET
    url: /orders/{{ vars.number }}
    connection: shop
    retries: 1
    save: order
    on_error: {404: none, other: sorry}
    next: tell
  tell: {type: message, text: "{{ vars.order.json.item }} {{ vars.order.headers['x-shelf'] | default('-') }}", next: end}
  none: {type: message, text: None., next: end}
  sorry: {type: message, text: "Sorry: {{ vars.error.code }}.", next: end}
"""
TESTS = """\
# What is known of orders.
flow: order
tests:
  - name: an order is found   # by its number
    steps:
      - trigger: hi
      - bot: Which order?
      - user: A-1
      - bot: Lampe „Ü“ 7
      - sent: [{url: /orders/A-1}]

  - name: an order is not found
    stubs: {look: [{status: 503}]}   # and nothing at first
    steps: [{trigger: hi}, {bot: any}, {user: A-2}, {bot: None.}]
  - name: with its own stub
    stubs:
      look: [{json: {item: Chair}}]
    steps: [{trigger: hi}, {bot: any}, {user: A-3}, {bot: Chair -}]
"""
RECORDED = TESTS.replace(
    "by its number\n",
    'by its number\n    stubs:\n      look:\n        - {headers: {x-shelf: "7"}, json: {id: "A-1", item: "Lampe „Ü“"}}\n',
).replace("{look: [{status: 503}]}", '{look: [{status: 503}, {status: 404, headers: {x-shelf: "7"}, json: {error: "unknown"}}]}')


class Shop(ThreadingHTTPServer):
    """A shop that answers those who know its secret, and notes what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Counter)
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, str]] = {
            "/v1/orders/A-1": (200, json.dumps({"id": "A-1", "item": "Lampe „Ü“"}, ensure_ascii=False)),
            "/v1/orders/A-2": (404, '{"error": "unknown"}'),
        }


class Counter(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        known = self.headers["Authorization"] == f"Bearer {SECRET}"
        status, text = self.server.answers[self.path] if known else (401, "{}")
        self.send_response(status)
        self.send_header("X-Shelf", "7")
        self.send_header("Set-Cookie", "session=hidden")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
        pass


@pytest.fixture
def shop(baton: Baton, flows: Path, tenant: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The shop, which the database has a connection to, with a flow that asks there and its tests."""
    (flows / "order.yaml").write_text(FLOW)
    (flows / "order.test.yaml").write_text(TESTS)
    monkeypatch.setenv("BATON_SECRET_KEY", KEY)
    with Shop() as shop:
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        monkeypatch.setenv("BATON_ALLOWED_HOSTS_OUTBOUND", f"127.0.0.1:{shop.server_port}")
        url = f"http://127.0.0.1:{shop.server_port}/v1"
        assert baton("connections", "set", "shop", "--kind", "bearer", "--url", url, typed=SECRET).exit_code == 0
        yield shop
        shop.shutdown()


def test_missing_stubs_are_asked_for_once_and_written_where_they_belong(baton: Baton, flows: Path, shop: Shop) -> None:
    assert baton("test", "flows").exit_code == 1
    assert shop.asked == []
    (flows / "order.test.yaml").chmod(0o640)
    result = baton("test", "flows", "--record")
    assert result.stdout.splitlines() == [
        "flows/order.test.yaml:4: recorded: an order is found: 1 stub for `look`",
        "flows/order.test.yaml:15: recorded: an order is not found: 1 stub for `look`",
        "3 passed, 0 failed.",
    ]
    assert result.exit_code == 0
    assert (flows / "order.test.yaml").read_text() == RECORDED
    assert (flows / "order.test.yaml").stat().st_mode & 0o777 == 0o640
    assert shop.asked == ["/v1/orders/A-1", "/v1/orders/A-2"]
    assert sorted(path.name for path in flows.iterdir()) == ["greeting.yaml", "order.test.yaml", "order.yaml"]


def test_with_all_its_stubs_a_test_asks_nobody(baton: Baton, flows: Path, shop: Shop) -> None:
    (flows / "order.test.yaml").write_text(RECORDED)
    result = baton("test", "flows", "--record")
    assert (result.stdout, result.exit_code) == ("3 passed, 0 failed.\n", 0)
    assert shop.asked == []


def test_only_the_tests_that_are_named_are_recorded(baton: Baton, flows: Path, shop: Shop) -> None:
    assert baton("test", "flows", "--record", "-k", "not found").exit_code == 0
    assert shop.asked == ["/v1/orders/A-2"]


def test_an_answer_that_holds_the_secret_is_not_written(baton: Baton, flows: Path, shop: Shop) -> None:
    for told in (f'{{"item": "Lampe „Ü“", "token": "{SECRET}"}}', f'{{"item": "Lampe „Ü“", "a": ["x{SECRET}y"]}}'):
        shop.answers["/v1/orders/A-1"] = (200, told)
        result = baton("test", "flows", "--record", "-k", "is found")
        assert result.exit_code == 1
        assert "not recorded: an order is found" in result.stdout
        assert "holds the secret of the connection `shop`: nothing was written" in result.stdout
        assert SECRET not in result.output
        assert (flows / "order.test.yaml").read_text() == TESTS


def test_a_test_that_does_not_pass_is_told_and_left_as_it_was(baton: Baton, flows: Path, shop: Shop) -> None:
    shop.answers["/v1/orders/A-1"] = (200, '{"item": "Chair"}')
    result = baton("test", "flows", "--record", "-k", "is found")
    assert result.exit_code == 1
    assert result.stdout.startswith("flows/order.test.yaml:9: not recorded: an order is found\n  step 4 (bot): ")
    assert "+ Chair 7" in result.stdout
    assert (flows / "order.test.yaml").read_text() == TESTS


def test_lines_are_those_of_the_file_as_it_is_then(baton: Baton, flows: Path, shop: Shop) -> None:
    path = flows / "order.test.yaml"
    path.write_text(TESTS.replace("{bot: None.}", "{bot: Nothing.}"))
    told = baton("test", "flows", "--record").stdout.splitlines()
    (line,) = (int(line.split(":")[1]) for line in told if "not recorded: an order is not found" in line)
    assert "Nothing." in path.read_text().splitlines()[line - 1]


def test_a_file_that_cannot_be_written_is_told_by_its_own_name(baton: Baton, flows: Path, shop: Shop) -> None:
    long = flows / f"{'o' * 240}.test.yaml"  # the file that it is to take the place of it has a longer name
    (flows / "order.test.yaml").rename(long)
    result = baton("test", long, "--record")
    assert (result.exit_code, result.stderr) == (1, f"Error: {long} cannot be written: File name too long.\n")
    assert long.read_text() == TESTS


def test_where_json_is_not_enough_the_answer_stands_there_as_it_came(baton: Baton, flows: Path, shop: Shop) -> None:
    (flows / "order.yaml").write_text(FLOW.replace("vars.order.json.item", "vars.order.text"))
    shop.answers["/v1/orders/A-1"] = (200, '{"item":   1}')
    (flows / "order.test.yaml").write_text(TESTS.replace("bot: Lampe „Ü“ 7", """bot: '{"item":   1} 7'"""))
    assert baton("test", "flows", "--record", "-k", "is found").exit_code == 0
    assert 'text: "{\\"item\\":   1}"' in (flows / "order.test.yaml").read_text()


def test_what_may_not_be_reached_is_a_finding_and_no_stub(baton: Baton, flows: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATON_ALLOWED_HOSTS_OUTBOUND", "")
    result = baton("test", "flows", "--record", "-k", "is found")
    assert (result.exit_code, shop.asked) == (1, [])
    assert "`look` sends a request, and nothing came that could be recorded: http.blocked" in result.stdout
    assert (flows / "order.test.yaml").read_text() == TESTS


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_keeps_both(baton: Baton, flows: Path, shop: Shop) -> None:
    path = flows / "order.test.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TESTS.replace("\n", "\r\n").encode())
    assert baton("test", "flows", "--record").exit_code == 0
    assert path.read_bytes() == b"\xef\xbb\xbf" + RECORDED.replace("\n", "\r\n").encode()


def test_with_json_the_lines_about_recording_go_elsewhere(baton: Baton, flows: Path, shop: Shop) -> None:
    result = baton("test", "flows", "--record", "--json")
    assert [test["passed"] for test in json.loads(result.stdout)["tests"]] == [True] * 3
    assert "recorded: an order is found" in result.stderr
