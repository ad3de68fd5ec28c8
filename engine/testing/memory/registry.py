"""A registry in memory, with the promises of the port."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from engine.errors import TenantExists
from engine.model.values import Millis
from engine.runtime.store.registry import (
    ApiKeyRow,
    ConnectionRow,
    Draft,
    FlowHead,
    FlowVersionRow,
    PriceRow,
    PublicKeyRow,
    Register,
    Resealed,
    TenantRow,
    WebhookRow,
)

SealedT = TypeVar("SealedT", ConnectionRow, WebhookRow)


class MemoryRegistry:
    """Tenants, keys, flows and prices in dicts."""

    def __init__(self) -> None:
        self._revision = 0
        self._tenants: dict[str, TenantRow] = {}
        self._public_keys: dict[tuple[str, str], PublicKeyRow] = {}
        self._api_keys: dict[tuple[str, str], ApiKeyRow] = {}
        self._versions: dict[tuple[str, str, int], FlowVersionRow] = {}
        self._prices: dict[tuple[str, str, Millis], PriceRow] = {}
        self._connections: dict[tuple[str, str], ConnectionRow] = {}
        self._webhooks: dict[tuple[str, str], WebhookRow] = {}

    async def revision(self) -> int:
        """Counts changes."""
        return self._revision

    async def register(self) -> Register:
        """Everything, in order of its keys."""
        return Register(
            revision=self._revision,
            tenants=tuple(self._tenants[key] for key in sorted(self._tenants)),
            public_keys=tuple(self._public_keys[key] for key in sorted(self._public_keys)),
            api_keys=tuple(self._api_keys[key] for key in sorted(self._api_keys)),
            flows=self._heads(),
            prices=tuple(self._prices[key] for key in sorted(self._prices)),
            connections=tuple(self._connections[key] for key in sorted(self._connections)),
            webhooks=tuple(self._webhooks[key] for key in sorted(self._webhooks)),
        )

    def _heads(self) -> tuple[FlowHead, ...]:
        newest = {(row.tenant_id, row.flow): row for _, row in sorted(self._versions.items())}
        return tuple(
            FlowHead(tenant_id=row.tenant_id, flow=row.flow, version=row.version, digest=row.digest, intent=row.intent)
            for row in newest.values()
        )

    async def add_tenant(self, tenant: TenantRow, public_key: PublicKeyRow, api_key: ApiKeyRow) -> None:
        """All three or none."""
        if any(row.name == tenant.name for row in self._tenants.values()):
            raise TenantExists(f"There is a tenant {tenant.name!r} already.")
        self._tenants[tenant.id] = tenant
        self._public_keys[public_key.tenant_id, public_key.id] = public_key
        self._api_keys[api_key.tenant_id, api_key.id] = api_key
        self._revision += 1

    async def put_public_key(self, row: PublicKeyRow) -> None:
        """By tenant and id."""
        self._public_keys[row.tenant_id, row.id] = row
        self._revision += 1

    async def put_api_key(self, row: ApiKeyRow) -> None:
        """By tenant and id."""
        self._api_keys[row.tenant_id, row.id] = row
        self._revision += 1

    async def publish(self, tenant_id: str, drafts: Sequence[Draft], at: Millis) -> Sequence[FlowVersionRow]:
        """Versions count on from the active one."""
        published: list[FlowVersionRow] = []
        for draft in drafts:
            versions = [row for row in self._versions.values() if (row.tenant_id, row.flow) == (tenant_id, draft.flow)]
            active = max(versions, key=lambda row: row.version, default=None)
            if active is not None and active.digest == draft.digest:
                continue
            version = 1 if active is None else active.version + 1
            row = FlowVersionRow(tenant_id=tenant_id, version=version, published_at=at, **msgspec.structs.asdict(draft))
            self._versions[tenant_id, draft.flow, version] = row
            published.append(row)
        self._revision += bool(published)
        return published

    async def version(self, tenant_id: str, flow: str, version: int) -> FlowVersionRow | None:
        """By its key."""
        return self._versions.get((tenant_id, flow, version))

    async def documents(self) -> Sequence[tuple[FlowHead, bytes]]:
        """In the order of their tenants and ids."""
        return [(head, self._versions[head.tenant_id, head.flow, head.version].document) for head in self._heads()]

    async def put_prices(self, rows: Sequence[PriceRow]) -> None:
        """By tenant, model and moment."""
        for row in rows:
            self._prices[row.tenant_id, row.model, row.effective_from] = row
        self._revision += bool(rows)

    async def put_connection(self, row: ConnectionRow) -> None:
        """By tenant and name."""
        self._connections[row.tenant_id, row.name] = row
        self._revision += 1

    async def drop_connection(self, tenant_id: str, name: str) -> bool:
        """By tenant and name."""
        found = self._connections.pop((tenant_id, name), None)
        self._revision += found is not None
        return found is not None

    async def put_webhook(self, row: WebhookRow) -> None:
        """By tenant and id."""
        self._webhooks[row.tenant_id, row.id] = row
        self._revision += 1

    async def drop_webhook(self, tenant_id: str, webhook_id: str) -> bool:
        """By tenant and id."""
        found = self._webhooks.pop((tenant_id, webhook_id), None)
        self._revision += found is not None
        return found is not None

    async def drop_old_secrets(self, until: Millis) -> int:
        """Looks at every endpoint."""
        old = [row for row in self._webhooks.values() if row.old_until is not None and row.old_until <= until]
        for row in old:
            self._webhooks[row.tenant_id, row.id] = msgspec.structs.replace(row, old_secret=None, old_until=None)
        self._revision += bool(old)
        return len(old)

    async def reseal(self, secrets: Sequence[Resealed]) -> int:
        """Looks at every connection and endpoint."""
        fresh = {(secret.tenant_id, secret.was): secret.sealed for secret in secrets}
        count = _put_fresh(self._connections, ("secret",), fresh) + _put_fresh(self._webhooks, ("secret", "old_secret"), fresh)
        self._revision += bool(count)
        return count

    async def close(self) -> None:
        """Nothing to let go of."""


def _put_fresh(rows: dict[tuple[str, str], SealedT], names: Sequence[str], fresh: Mapping[tuple[str, bytes], bytes]) -> int:
    count = 0
    for key, row in rows.items():
        changed = {name: fresh[place] for name in names if (place := (row.tenant_id, getattr(row, name))) in fresh}
        rows[key] = msgspec.structs.replace(row, **changed)
        count += len(changed)
    return count
