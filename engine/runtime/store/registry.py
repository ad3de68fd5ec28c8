"""The registry's port: what operators and authors manage, and what running servers keep in memory.

Changes are rare and small; each is one transaction that also raises `revision`, so that servers notice it by a look at one number.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct, field

from engine.model.values import Millis

KeyStatus = Literal["active", "paused", "revoked"]
ConnectionKind = Literal["bearer", "basic", "header", "query"]
WebhookStatus = Literal["enabled", "disabled", "deleted"]
"""A deleted one has no secret any more, and is kept until its deliveries are gone."""


class TenantRow(Struct, frozen=True, kw_only=True):
    """Who owns flows, keys, prices and conversations."""

    id: str
    name: str
    created_at: Millis


class PublicKeyRow(Struct, frozen=True, kw_only=True):
    """What a web page shows to open sessions: which intents it offers, and to which origins."""

    tenant_id: str
    id: str
    key: str
    """`pk_(live|test)_` and 32 hexadecimal digits."""
    created_at: Millis
    identity_secret: str
    """Under it the tenant's own server signs customer ids."""
    label: str | None = None
    accent_color: str | None = None
    intents: list[str] | None = None
    """None: all that are published."""
    origins: list[str] = field(default_factory=list)
    native: bool = False
    expose_trace: bool = False
    trusted_usage: bool = False
    status: KeyStatus = "active"


class ApiKeyRow(Struct, frozen=True, kw_only=True):
    """A server's credential; only the SHA-256 of the key is kept."""

    tenant_id: str
    id: str
    digest: bytes
    hint: str
    """The first characters, so that people can tell keys apart."""
    created_at: Millis
    scopes: list[str]
    status: KeyStatus = "active"


class FlowVersionRow(Struct, frozen=True, kw_only=True):
    """A published, immutable version of a flow; the newest version of a flow is the active one."""

    tenant_id: str
    flow: str
    version: int
    digest: str
    intent: str | None
    source: str
    """The file as it was published."""
    document: bytes
    """The checked flow, encoded, so that a start need not read YAML."""
    published_at: Millis


class PriceRow(Struct, frozen=True, kw_only=True):
    """What a model's tokens cost from a moment on: US dollars per million tokens as decimal text."""

    tenant_id: str
    id: str
    model: str
    input: str
    output: str
    cached_input: str | None
    effective_from: Millis


class ConnectionRow(Struct, frozen=True, kw_only=True):
    """Where flows of the tenant send requests with credentials, under a name that the flows know; the secret is sealed."""

    tenant_id: str
    name: str
    kind: ConnectionKind
    base_url: str
    parameter: str | None
    """The header or query parameter that takes the secret, for these kinds."""
    secret: bytes
    """Sealed; of `basic` it is `user:password`."""
    created_at: Millis
    modified_at: Millis


class WebhookRow(Struct, frozen=True, kw_only=True):
    """An endpoint that is told of the tenant's events; its secrets are sealed."""

    tenant_id: str
    id: str
    url: str
    events: list[str]
    """The types that it is told of; empty: all."""
    status: WebhookStatus
    secret: bytes
    old_secret: bytes | None = None
    """The secret before, which signs as well until `old_until`."""
    old_until: Millis | None = None
    created_at: Millis
    modified_at: Millis


class Resealed(Struct, frozen=True, kw_only=True):
    """A secret of the tenant that was sealed again, and what it was until then: no two are sealed alike."""

    tenant_id: str
    was: bytes
    sealed: bytes


class FlowHead(Struct, frozen=True, kw_only=True):
    """The active version of a flow, without its text."""

    tenant_id: str
    flow: str
    version: int
    digest: str
    intent: str | None


class Register(Struct, frozen=True, kw_only=True):
    """All that running servers keep in memory, as of `revision`."""

    revision: int
    tenants: tuple[TenantRow, ...] = ()
    public_keys: tuple[PublicKeyRow, ...] = ()
    api_keys: tuple[ApiKeyRow, ...] = ()
    flows: tuple[FlowHead, ...] = ()
    prices: tuple[PriceRow, ...] = ()
    connections: tuple[ConnectionRow, ...] = ()
    webhooks: tuple[WebhookRow, ...] = ()


class Draft(Struct, frozen=True, kw_only=True):
    """A checked flow that is to be published."""

    flow: str
    digest: str
    intent: str | None
    source: str
    document: bytes


class Registry(Protocol):
    """Tenants, keys, published flows and prices."""

    async def revision(self) -> int:
        """A number that every change raises."""

    async def register(self) -> Register:
        """Everything that servers keep in memory, read as of one moment."""

    async def add_tenant(self, tenant: TenantRow, public_key: PublicKeyRow, api_key: ApiKeyRow) -> None:
        """Raises TenantExists, and adds nothing, when the name is taken."""

    async def put_public_key(self, row: PublicKeyRow) -> None:
        """Add the key, or replace the one of the same tenant and id."""

    async def put_api_key(self, row: ApiKeyRow) -> None:
        """Add the key, or replace the one of the same tenant and id."""

    async def publish(self, tenant_id: str, drafts: Sequence[Draft], at: Millis) -> Sequence[FlowVersionRow]:
        """Add a version for each draft whose digest is not the active one's, all or none; gives those that are new."""

    async def version(self, tenant_id: str, flow: str, version: int) -> FlowVersionRow | None:
        """One published version, whole."""

    async def documents(self) -> Sequence[tuple[FlowHead, bytes]]:
        """The active version of every flow with its document, as of one moment."""

    async def put_prices(self, rows: Sequence[PriceRow]) -> None:
        """Add the rows; one of the same tenant, model and moment is replaced by the new one, all or none."""

    async def put_connection(self, row: ConnectionRow) -> None:
        """Add the connection, or replace the one of the same tenant and name."""

    async def drop_connection(self, tenant_id: str, name: str) -> bool:
        """Forget the connection and its secret; False when there is none."""

    async def put_webhook(self, row: WebhookRow) -> None:
        """Add the endpoint, or replace the one of the same tenant and id."""

    async def drop_webhook(self, tenant_id: str, webhook_id: str) -> bool:
        """Forget the endpoint; False when there is none."""

    async def drop_old_secrets(self, until: Millis) -> int:
        """Forget the old secrets of endpoints that sign with them until then or less; gives how many there were."""

    async def reseal(self, secrets: Sequence[Resealed]) -> int:
        """Put each in the place of what it was, wherever that stands still, all or none; gives how many did."""

    async def close(self) -> None:
        """Let go of the database."""
