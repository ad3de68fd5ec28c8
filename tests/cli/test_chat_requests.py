"""`baton chat` with a flow that reaches out: its requests are really made, within what the operator allows."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from api.cli import reaching, samples
from api.cli.talking import conversing
from tests.cli.conftest import Baton

ORDER = """\
flow: order
intent: {}
nodes:
  number: {type: ask, prompt: Which order?, next: look}
  look: {type: http, method: GET, url: "http://127.0.0.1:PORT/orders", save: order, on_error: sorry, next: tell}
  tell: {type: message, text: "{{ vars.order.text }}", next: end}
  sorry: {type: message, text: "Sorry: {{ vars.error.code }}.", next: end}
"""
RESTING = ORDER.replace("flow: order", "flow: resting").replace("number: {type: ask, prompt: Which order?", "number: {type: wait, for: 1s")


@contextmanager
def shop(flows: Path, seconds: float = 0.0) -> Iterator[int]:
    """A server that answers after some time; gives its port, which the flow knows."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(seconds)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"It comes on Monday.")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name, text in (("order", ORDER), ("resting", RESTING)):
            (flows / f"{name}.yaml").write_text(text.replace("PORT", str(server.server_port)))
        yield server.server_port
        server.shutdown()


def test_a_request_is_really_made(baton: Baton, flows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop(flows) as port:
        monkeypatch.setenv("BATON_ALLOWED_HOSTS_OUTBOUND", f"127.0.0.1:{port}")
        assert baton("chat", "order", typed="A-1\n").stdout.splitlines()[-2:] == ["It comes on Monday.", "  (completed)"]


def test_an_address_that_the_operator_has_not_allowed_is_not_reached(baton: Baton, flows: Path) -> None:
    with shop(flows):
        assert baton("chat", "order", typed="A-1\n").stdout.splitlines()[-2] == "Sorry: http.blocked."


OVER = ORDER.replace('url: "http://127.0.0.1:PORT/orders"', "url: /orders, connection: shop")


def test_a_connection_of_the_database_is_used(
    baton: Baton, flows: Path, tenant: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(flows) as port:
        (flows / "order.yaml").write_text(OVER)
        monkeypatch.setenv("BATON_ALLOWED_HOSTS_OUTBOUND", f"127.0.0.1:{port}")
        assert baton("chat", "order", typed="A-1\n").stdout.splitlines()[-2] == "Sorry: http.blocked."
        monkeypatch.setenv("BATON_SECRET_KEY", "k" * 32)
        assert baton("connections", "set", "shop", "--kind", "bearer", "--url", f"http://127.0.0.1:{port}", typed="s").exit_code == 0
        assert baton("chat", "order", typed="A-1\n").stdout.splitlines()[-2] == "It comes on Monday."
        monkeypatch.setenv("BATON_SECRET_KEY", "l" * 32)
        result = baton("chat", "order", typed="A-1\n")
        assert (result.exit_code, result.stderr.count("cannot be opened with the server's key")) == (1, 1)


def test_without_a_database_the_sample_shop_is_asked(baton: Baton, flows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop(flows) as port:
        (flows / "order.yaml").write_text(OVER)
        monkeypatch.setenv("BATON_ALLOWED_HOSTS_OUTBOUND", f"127.0.0.1:{port}")
        monkeypatch.setattr(reaching, "TERMS", msgspec.structs.replace(samples.TERMS, base_url=f"http://127.0.0.1:{port}"))
        assert baton("chat", "order", typed="A-1\n").stdout.splitlines()[-2] == "It comes on Monday."


def test_work_that_takes_its_time_is_seen_to_go_on(baton: Baton, flows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversing, "_SOON", 0.1)
    with shop(flows, 1.0) as port:
        monkeypatch.setenv("BATON_ALLOWED_HOSTS_OUTBOUND", f"127.0.0.1:{port}")
        assert baton("chat", "order", typed="A-1\n").stdout.splitlines()[-3:] == ["  (...)", "It comes on Monday.", "  (completed)"]


def test_work_that_time_has_begun_is_seen_and_costs_the_clock_of_a_recorded_test_nothing(
    baton: Baton, flows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop(flows, 1.0) as port:
        monkeypatch.setenv("BATON_ALLOWED_HOSTS_OUTBOUND", f"127.0.0.1:{port}")
        told = baton("chat", "resting", "--record", "talk.test.yaml").stdout.splitlines()
    assert told == ["  (it waits 1 s)", "  (...)", "It comes on Monday.", "  (completed)"]
    assert (flows.parent / "talk.test.yaml").read_text().count("advance: ") == 1
