"""A small shop to try flows with: it looks up orders, takes payments, and calls back when one is settled. Nothing is kept.

    GET  /orders/ID                  the order, 404 where there is none
    POST /payments {order, tell}     a payment; `tell` is called back once it is settled. One Idempotency-Key: one payment.
    GET  /payments/ID                how the payment stands
    GET  /pay/ID                     the page on which a person pays or declines

A-1001 is paid by itself after a moment, A-1002 is declined, A-1003 waits for a person. For trouble on demand ask for A-5000 (fails always),
A-5001 (fails at the first asking of three), A-5008 (is slow).
"""

import argparse
import json
import os
import threading
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs

PORT: Final = 8090
SECRET: Final = "sample-shop"  # noqa: S105 - for everybody to know
_TRIES: Final = 5
_MOST: Final = 65_536
_ORDERS: Final = {
    "A-1001": ("Walnut desk lamp", 89, "shipped", -3, 2),
    "A-1002": ("Linen armchair", 349, "preparing", -1, 1),
    "A-1003": ("Four espresso cups", 36.5, "delivered", -8, -2),
    "A-5000": ("Broken vase", 20, "lost", -1, 1),
    "A-5001": ("Shy clock", 45, "shipped", -2, 1),
    "A-5008": ("Slow cooker", 120, "preparing", -1, 3),
}
"""Item, total in euros, status, and the days from today on which it was ordered and moves."""
_OUTCOMES: Final = {"A-1001": "paid", "A-1002": "declined", "A-5008": "paid"}
_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Payment</title><body style="font:1.1rem system-ui;max-width:26rem;margin:3rem auto;padding:0 1rem">
<h1>{total:.2f} € for order {order}</h1><p>This payment is <strong>{status}</strong>.</p>{buttons}</body></html>"""
_BUTTONS: Final = """<form method="post"><button name="decision" value="paid">Pay</button>
<button name="decision" value="declined">Decline</button></form>"""


@dataclass
class Payment:
    """One payment, and whom to tell of its end."""

    id: str
    order: str
    amount: float
    page: str
    status: str = "open"
    tell: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Plan:
    """How the shop behaves; seconds."""

    settle: float = 3.0
    slow: float = 8.0
    engine: str | None = None
    api_key: str | None = field(default=None, repr=False)


class Shop(ThreadingHTTPServer):
    """The shop and what it knows."""

    daemon_threads = True

    def __init__(self, port: int, plan: Plan) -> None:
        super().__init__(("127.0.0.1", port), Counter)
        self.plan = plan
        self.payments: dict[str, Payment] = {}
        self._keys: dict[str, str] = {}
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def asked(self, order: str) -> int:
        """How often the order was asked for, this time included."""
        with self._lock:
            self._asked[order] = self._asked.get(order, 0) + 1
            return self._asked[order]

    def begin(self, order: str, tell: str | None, key: str | None) -> Payment:
        """A new payment; the one before where the key is the same."""
        with self._lock:
            known = self._keys.get(key or "")
            if known is not None:
                return self.payments[known]
            number = f"P-{len(self.payments) + 1}"
            payment = self.payments[number] = Payment(number, order, _ORDERS[order][1], f"{self.url}/pay/{number}", tell=tell)
            if key:
                self._keys[key] = number
        if outcome := _OUTCOMES.get(order):
            timer = threading.Timer(self.plan.settle, self.settle, (payment, outcome))
            timer.daemon = True
            timer.start()
        return payment

    def settle(self, payment: Payment, outcome: str) -> None:
        """The payment ends, once; then whoever is to know is told."""
        with self._lock:
            if payment.status != "open":
                return
            payment.status = outcome
        told = {"payment": payment.id, "order": payment.order, "amount": payment.amount, "status": outcome}
        if payment.tell:
            _post(payment.tell, told)
        if outcome == "paid" and self.plan.engine and self.plan.api_key:
            event = {"event_name": "order.paid", "data": told, "idempotency_key": f"{self.url} {payment.id}"}
            _post(f"{self.plan.engine.rstrip('/')}/api/v1/engine/events", event, self.plan.api_key)


def _post(url: str, body: dict[str, Any], token: str | None = None) -> None:
    """Send it, again after failures that may pass; whoever takes it must do so once for each payment."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    for tries in range(_TRIES):
        try:
            request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - whoever knows our secret named it
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the same
                print(f"told of {body.get('event_name', body.get('payment'))}: {answer.status}", flush=True)
                return
        except (OSError, ValueError) as error:
            print(f"telling failed: {error}", flush=True)
            if isinstance(error, ValueError) or (isinstance(error, urllib.error.HTTPError) and error.code < 500):  # noqa: PLR2004 - it will not pass
                return
            time.sleep(2**tries)


class Counter(BaseHTTPRequestHandler):
    """Serves one customer of the shop after the other."""

    server: Shop
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Orders, payments, and the page to pay on."""
        match self.path.split("?")[0].strip("/").split("/"):
            case ["orders", number] if self._is_known():
                self._order(number)
            case ["payments", number] if self._is_known():
                payment = self.server.payments.get(number)
                self._answer(404, {"error": "unknown_payment"}) if payment is None else self._answer(200, _shown(payment))
            case ["pay", number] if number in self.server.payments:
                self._page(self.server.payments[number])
            case ["orders" | "payments", _]:
                self._answer(401, {"error": "unknown_customer"})
            case _:
                self._answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        """A new payment, or the decision of a person."""
        raw = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MOST))
        match self.path.strip("/").split("/"):
            case ["payments"] if self._is_known():
                self._payment(raw)
            case ["payments"]:
                self._answer(401, {"error": "unknown_customer"})
            case ["pay", number] if number in self.server.payments:
                decision = parse_qs(raw.decode(errors="replace")).get("decision", [""])[0]
                if decision in {"paid", "declined"}:
                    threading.Thread(target=self.server.settle, args=(self.server.payments[number], decision), daemon=True).start()
                    time.sleep(0.1)  # so that the page shows it
                self._page(self.server.payments[number])
            case _:
                self._answer(404, {"error": "not_found"})

    def _is_known(self) -> bool:
        return compare_digest(self.headers.get("Authorization", ""), f"Bearer {SECRET}")

    def _order(self, number: str) -> None:
        times = self.server.asked(number)
        if number == "A-5008":
            time.sleep(self.server.plan.slow)
        if number == "A-5000":
            self._answer(500, {"error": "out_of_order"})
        elif number == "A-5001" and times % 3 == 1:
            self._answer(503, {"error": "busy"})
        elif number in _ORDERS:
            item, total, status, ordered, day = _ORDERS[number]
            self._answer(200, {"id": number, "item": item, "total": total, "status": status, "ordered": _day(ordered), "day": _day(day)})
        else:
            self._answer(404, {"error": "unknown_order"})

    def _payment(self, raw: bytes) -> None:
        try:
            asked = json.loads(raw)
            order, tell = str(asked["order"]), asked.get("tell")
        except (ValueError, KeyError, TypeError, AttributeError):
            self._answer(400, {"error": "invalid"})
            return
        if order == "A-5000":
            self._answer(500, {"error": "out_of_order"})
        elif order not in _ORDERS:
            self._answer(404, {"error": "unknown_order"})
        else:
            self._answer(201, _shown(self.server.begin(order, tell, self.headers.get("Idempotency-Key"))))

    def _page(self, payment: Payment) -> None:
        buttons = _BUTTONS if payment.status == "open" else ""
        text = _PAGE.format(total=payment.amount, order=payment.order, status=payment.status, buttons=buttons)
        self._send(200, "text/html; charset=utf-8", text.encode())

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
        """One line a request: what was asked and what was answered."""
        print(format % args, flush=True)


def _shown(payment: Payment) -> dict[str, Any]:
    return {name: value for name, value in asdict(payment).items() if name != "tell"}


def _day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def _asked() -> argparse.Namespace:
    told = __doc__ or ""
    parser = argparse.ArgumentParser("scripts/shop", description=told, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=PORT, help=f"where it listens, on 127.0.0.1 alone ({PORT})")
    parser.add_argument("--settle", type=float, default=3.0, metavar="SECONDS", help="after which a payment is settled by itself (3)")
    parser.add_argument("--slow", type=float, default=8.0, metavar="SECONDS", help="that A-5008 takes (8)")
    parser.add_argument("--engine", metavar="URL", help="a Baton server to send order.paid to; its API key is in BATON_API_KEY")
    return parser.parse_args()


def main() -> None:
    """Serve until it is interrupted."""
    asked = _asked()
    try:
        shop = Shop(asked.port, Plan(asked.settle, asked.slow, asked.engine, os.environ.get("BATON_API_KEY")))
    except OSError as error:
        raise SystemExit(f"127.0.0.1:{asked.port} cannot be listened on: {error.strerror}. Choose another with --port.") from error
    with shop:
        print(f"The shop is open on {shop.url} (secret: {SECRET})", flush=True)
        if shop.server_port != PORT:
            print(
                f"Tell Baton:  echo {SECRET} | scripts/baton connections set shop --kind bearer --url {shop.url}\n"
                f"             BATON_ALLOWED_HOSTS_OUTBOUND=127.0.0.1:{shop.server_port} scripts/serve",
                flush=True,
            )
        try:
            shop.serve_forever()
        except KeyboardInterrupt:
            print("Closed.")


if __name__ == "__main__":
    main()
