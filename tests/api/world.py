"""A small world behind the doors: two tenants with keys and flows, on the memory store and a clock that tests move."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec
from litestar import Litestar

from api.app import create_app
from api.settings import Settings
from engine.model.flow import Flow
from engine.runtime.catalog import encode_flow
from engine.runtime.ids import uuid7
from engine.runtime.runtime import Runtime
from engine.runtime.store.registry import ApiKeyRow, Draft, PriceRow, PublicKeyRow, Registry, TenantRow
from engine.runtime.tokens import Keyring
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore

CHAT: Final = "/api/public/v1/chat"
ENGINE: Final = "/api/v1/engine"
ORIGIN: Final = "https://shop.example"
JSON: Final = {"content-type": "application/json"}
NOBODY: Final = "01900000-0000-7000-8000-00000000dead"


def public_key(letter: str) -> str:
    """A public key that is made of one letter."""
    return f"pk_test_{letter * 32}"


FLOWS: Final[list[dict[str, Any]]] = [
    {
        "flow": "order_status",
        "title": {"en": "Order status", "de": "Bestellung"},
        "intent": {
            "label": {"en": "Track my order", "de": "Bestellung verfolgen"},
            "examples": ["where is my parcel"],
            "icon": {"kind": "emoji", "value": "📦"},
            "pinned": True,
            "priority": 1,
        },
        "inputs": {"page": {"type": "string", "default": "/"}},
        "expires_after": "1h",
        "nodes": {
            "number": {
                "type": "ask",
                "prompt": "What's your order number?",
                "validation": {"pattern": "[A-Z]-[0-9]+"},
                "progress": 50,
                "next": "found",
            },
            "found": {"type": "message", "text": "Order {{ vars.number }} has shipped.", "next": "end"},
        },
    },
    {
        "flow": "address",
        "intent": {"label": "Change my address", "priority": 5},
        "nodes": {
            "where": {
                "type": "form",
                "title": "Where to?",
                "fields": [{"name": "street", "type": "text", "required": True}, {"name": "city", "type": "text", "required": True}],
                "next": "end",
            }
        },
    },
    {
        "flow": "alone",
        "intent": {"label": "Be alone"},
        "nodes": {"quiet": {"type": "ask", "prompt": "Quiet?", "timeout": {"after": "5m", "next": "end"}, "next": "end"}},
    },
    {
        "flow": "broken",
        "intent": {"label": "Break"},
        "nodes": {"stop": {"type": "end", "status": "failed", "code": "order.lost"}},
    },
]


class World:
    """The application with its runtime, and short ways to do what tests do all the time."""

    def __init__(self, runtime: Runtime, clock: ManualClock, app: Litestar, client: httpx.AsyncClient) -> None:
        self.runtime = runtime
        self.clock = clock
        self.app = app
        self.client = client

    async def send(self, method: str, path: str, *, token: str | None = None, body: Any = None, **headers: str) -> httpx.Response:
        """One request from the shop's page; header names with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"origin": ORIGIN, **({"authorization": f"Bearer {token}"} if token else {}), **named}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        return await self.client.request(method, path, content=raw, headers={name: value for name, value in sent.items() if value})

    async def session(self, key: str = "a", **body: Any) -> dict[str, Any]:
        """An open session."""
        answer = await self.send("POST", f"{CHAT}/sessions", body={"publicKey": public_key(key), **body})
        assert answer.status_code == 200, answer.text
        opened: dict[str, Any] = answer.json()
        return opened

    async def token(self, key: str = "a", **body: Any) -> str:
        """The token of a fresh session."""
        return str((await self.session(key, **body))["sessionToken"])

    async def trigger(self, token: str, intent: str = "order_status", **body: Any) -> dict[str, Any]:
        """The reply to a trigger."""
        answer = await self.send("POST", f"{CHAT}/messages", token=token, body={"text": "hello", "intentName": intent, **body})
        assert answer.status_code == 200, answer.text
        reply: dict[str, Any] = answer.json()["reply"]
        return reply

    async def answer(self, token: str, reply: dict[str, Any], **body: Any) -> httpx.Response:
        """The answer to the open wait of a reply."""
        named = {"waitToken": reply["waitToken"], "executionId": reply["executionId"]}
        return await self.send("POST", f"{CHAT}/messages", token=token, body={**named, **body})

    def tenant(self, letter: str = "a") -> str:
        """The id of the tenant that a public key belongs to."""
        row = self.runtime.catalog.public_key(public_key(letter))
        assert row is not None
        return row.tenant_id

    async def publish(self, *flows: dict[str, Any]) -> None:
        """Publish more flows for both tenants."""
        for letter in "a9":
            await self.runtime.registry.publish(self.tenant(letter), [_draft(flow) for flow in flows], self.clock.wall())
        await self.runtime.catalog.refresh()

    async def change_key(self, letter: str, **change: Any) -> None:
        """Change a public key, and let the server see it."""
        row = self.runtime.catalog.public_key(public_key(letter))
        assert row is not None
        await self.runtime.registry.put_public_key(msgspec.structs.replace(row, **change))
        await self.runtime.catalog.refresh()
        self.clock.advance(1_000)


def signature(customer_id: str, letter: str = "a") -> str:
    """What the tenant's own server would send for the customer."""
    return hmac.new(f"identity-{letter}".encode(), customer_id.encode(), hashlib.sha256).hexdigest()


@asynccontextmanager
async def opened_world(settings: Settings | None = None, *, dev: bool = False) -> AsyncIterator[World]:
    """The world, open for requests."""
    clock = ManualClock()
    registry = MemoryRegistry()
    await stock(registry, clock.wall())
    runtime = Runtime(MemoryStore(clock), registry, Keyring([b"k" * 32]), clock)
    await runtime.catalog.refresh()
    app = create_app(runtime, settings or Settings(rate_limit_sessions=None, rate_limit_messages=None), dev=dev)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type] # both are ASGI, each spells it its own way
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield World(runtime, clock, app, client)
    await runtime.stop()


_KEYS: Final[dict[str, dict[str, Any]]] = {
    "a": {"origins": [ORIGIN], "label": "Acme", "accent_color": "#123456"},
    "b": {"origins": ["https://*.acme.com"], "intents": ["order_status", "unpublished"]},
    "c": {"native": True},
    "d": {"origins": [ORIGIN], "expose_trace": True},
    "e": {"origins": [ORIGIN], "status": "paused"},
    "f": {"origins": [ORIGIN], "intents": []},
    "9": {"origins": [ORIGIN, "https://globex.example:8443"]},
}


async def stock(registry: Registry, at: int) -> None:
    """Put the two tenants with their keys, flows and prices into the registry."""
    await _add_tenant(registry, "acme", "abcdef", at)
    await _add_tenant(registry, "globex", "9", at + 1_000)


async def _add_tenant(registry: Registry, name: str, letters: str, at: int) -> None:
    tenant_id = uuid7(at)
    keys = [_public_key(tenant_id, letter, at + place) for place, letter in enumerate(letters)]
    await registry.add_tenant(TenantRow(id=tenant_id, name=name, created_at=at), keys[0], _api_key(tenant_id, f"sk_{name}", ["engine"], at))
    for key in keys[1:]:
        await registry.put_public_key(key)
    await registry.put_api_key(_api_key(tenant_id, f"sk_{name}_reader", ["reports"], at))
    await registry.put_api_key(_api_key(tenant_id, f"sk_{name}_gone", ["*"], at, status="revoked"))
    await registry.publish(tenant_id, [_draft(flow) for flow in FLOWS], at)
    price = PriceRow(tenant_id=tenant_id, id=uuid7(at), model="small", input="2", output="6", cached_input="1", effective_from=0)
    await registry.put_prices([price])


def _public_key(tenant_id: str, letter: str, at: int) -> PublicKeyRow:
    row = {"identity_secret": f"identity-{letter}", **_KEYS[letter]}
    return PublicKeyRow(tenant_id=tenant_id, id=uuid7(at), key=public_key(letter), created_at=at, **row)


def _api_key(tenant_id: str, secret: str, scopes: list[str], at: int, status: Any = "active") -> ApiKeyRow:
    digest = hashlib.sha256(secret.encode()).digest()
    return ApiKeyRow(tenant_id=tenant_id, id=uuid7(at), digest=digest, hint=secret[:6], created_at=at, scopes=scopes, status=status)


def _draft(given: dict[str, Any]) -> Draft:
    flow = msgspec.convert(given, Flow)
    return Draft(flow=flow.flow, digest=flow.flow, intent=flow.flow, source="", document=encode_flow(flow))
