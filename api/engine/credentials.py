"""Who speaks on the engine surface: API keys, known by their SHA-256, with scopes."""

import hashlib
from typing import Final

from api.asked import Asked
from engine.errors import InsufficientScope, InvalidApiKey, NotFound
from engine.runtime.catalog import Catalog
from engine.runtime.requests import Caller, Idempotency
from engine.runtime.store.registry import ApiKeyRow

_SCOPES: Final = frozenset({"engine", "*"})


def admit(catalog: Catalog, asked: Asked) -> tuple[ApiKeyRow, Caller]:
    """The key that the request carries, and its tenant as the caller; refuses one that is not active, or lacks the scope."""
    secret = asked.bearer()
    key = catalog.api_key(hashlib.sha256(secret.encode()).digest()) if secret.startswith("sk_") else None
    if key is None or key.status != "active":
        raise InvalidApiKey
    if not _SCOPES & set(key.scopes):
        raise InsufficientScope(details={"required": "engine"})
    return key, Caller(tenant_id=key.tenant_id, surface="engine")


def demand_own_tenant(key: ApiKeyRow, tenant_id: str | None) -> None:
    """A tenant may be named only by its own keys; of any other nothing is told, not even that it exists."""
    if tenant_id is not None and tenant_id != key.tenant_id:
        raise NotFound


def demand_named_tenant(key: ApiKeyRow, asked: Asked, named: str | None) -> None:
    """The same for the tenant that a body names, and for the one in the query."""
    demand_own_tenant(key, named)
    demand_own_tenant(key, asked.query().get("tenant_id"))


def idempotency_of(key: ApiKeyRow, asked: Asked, raw: bytes) -> Idempotency | None:
    """The request's Idempotency-Key, which counts for one API key, method and path."""
    return asked.idempotency(f"engine:{key.id}:{asked.scope['method']}:{asked.scope['path']}", raw)
