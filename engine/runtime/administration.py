"""What operators do beside running conversations: tenants, their keys, and publishing flows. Secrets are returned once and not kept."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from engine.errors import BatonError, FlowRefused
from engine.loading import Loaded, Source, load_flows
from engine.model.flow import Flow
from engine.model.values import Millis
from engine.runtime.catalog import encode_flow
from engine.runtime.ids import uuid7
from engine.runtime.prices.table import Listed
from engine.runtime.store.registry import ApiKeyRow, Draft, FlowHead, KeyStatus, PriceRow, PublicKeyRow, Registry, TenantRow

SCOPES: Final = ("engine", "admin")
"""What an API key may do; keys are made with all of it."""
_HINT: Final = 7
"""Characters of an API key that are kept, so that people can tell keys apart."""


class KeyTerms(Struct, frozen=True, kw_only=True):
    """What a new public key allows."""

    intents: list[str] | None = None
    """None: all that are published."""
    origins: list[str] = msgspec.field(default_factory=list)
    native: bool = False
    expose_trace: bool = False
    trusted_usage: bool = False
    label: str | None = None
    test: bool = False
    """Whether the key begins with `pk_test_`, to be told apart from those on live pages."""


class NewTenant(Struct, frozen=True, kw_only=True):
    """A tenant that was just made, with the secrets that are never shown again."""

    tenant_id: str
    public_key: str
    api_key: str
    identity_secret: str


class Standing(Struct, frozen=True):
    """The version of a flow that is active after publishing, and whether this call made it."""

    flow: str
    version: int
    changed: bool


class KeyRevoked(BatonError):
    """A revoked key stays revoked."""


async def create_tenant(registry: Registry, name: str, terms: KeyTerms, at: Millis) -> NewTenant:
    """Make a tenant with a public key and an API key; raises TenantExists, and makes nothing, when the name is taken."""
    tenant = TenantRow(id=uuid7(at), name=name, created_at=at)
    public_key = new_public_key(tenant.id, terms, at)
    api_key, secret = new_api_key(tenant.id, at)
    await registry.add_tenant(tenant, public_key, api_key)
    return NewTenant(tenant_id=tenant.id, public_key=public_key.key, api_key=secret, identity_secret=public_key.identity_secret)


def new_public_key(tenant_id: str, terms: KeyTerms, at: Millis) -> PublicKeyRow:
    """A fresh public key on these terms, not stored yet."""
    return PublicKeyRow(
        tenant_id=tenant_id,
        id=uuid7(at),
        key=_public_text(test=terms.test),
        created_at=at,
        identity_secret=_identity_secret(),
        label=terms.label,
        intents=terms.intents,
        origins=terms.origins,
        native=terms.native,
        expose_trace=terms.expose_trace,
        trusted_usage=terms.trusted_usage,
    )


def new_api_key(tenant_id: str, at: Millis) -> tuple[ApiKeyRow, str]:
    """A fresh API key, not stored yet, and its text, of which only the SHA-256 is kept."""
    text = _api_text()
    row = ApiKeyRow(tenant_id=tenant_id, id=uuid7(at), digest=_digest(text), hint=text[:_HINT], created_at=at, scopes=[*SCOPES])
    return row, text


async def rotate_public_key(registry: Registry, row: PublicKeyRow) -> PublicKeyRow:
    """Give the key a new text and a new identity secret; sessions that are open go on, the old text opens none."""
    _refuse_revoked(row.status)
    fresh = msgspec.structs.replace(row, key=_public_text(test=row.key.startswith("pk_test_")), identity_secret=_identity_secret())
    await registry.put_public_key(fresh)
    return fresh


async def rotate_api_key(registry: Registry, row: ApiKeyRow) -> str:
    """Give the key a new text, which is returned; the old one is refused from then on."""
    _refuse_revoked(row.status)
    text = _api_text()
    await registry.put_api_key(msgspec.structs.replace(row, digest=_digest(text), hint=text[:_HINT]))
    return text


async def set_key_status(registry: Registry, row: PublicKeyRow | ApiKeyRow, status: KeyStatus) -> None:
    """Pause a key, let it work again, or revoke it for good."""
    if row.status == status:
        return
    _refuse_revoked(row.status)
    match row:
        case PublicKeyRow():
            await registry.put_public_key(msgspec.structs.replace(row, status=status))
        case ApiKeyRow():
            await registry.put_api_key(msgspec.structs.replace(row, status=status))


async def put_prices(registry: Registry, tenant_id: str, prices: Iterable[Listed], at: Millis) -> None:
    """Store the prices, all or none; one of the same model and moment is replaced, and keeps nothing of the old one."""
    await registry.put_prices([PriceRow(tenant_id=tenant_id, id=uuid7(at), **msgspec.structs.asdict(price)) for price in prices])


async def publish(
    registry: Registry, tenant_id: str, sources: Sequence[Source], at: Millis, *, unconnected: bool = False
) -> list[Standing]:
    """Publish each flow that means something new as its next version, all or none; raises FlowRefused with every problem.

    `unconnected`: requests may go over connections that are not there; they fail when they are made.
    """
    register = await registry.register()
    heads = {head.flow: head for head in register.flows if head.tenant_id == tenant_id}
    connections = None if unconnected else [row.name for row in register.connections if row.tenant_id == tenant_id]
    loaded = load_flows(sources, await _published(registry, heads.values()), connections=connections)
    drafts = checked_drafts(loaded)
    made = {row.flow: row.version for row in await registry.publish(tenant_id, drafts, at)}
    return [Standing(draft.flow, made.get(draft.flow) or heads[draft.flow].version, draft.flow in made) for draft in drafts]


def checked_drafts(loaded: Sequence[Loaded]) -> list[Draft]:
    """The loaded flows ready to be published; raises FlowRefused with the problems of all when one has an error."""
    sound = [one.flow for one in loaded if one.flow is not None]
    if len(sound) < len(loaded):
        raise FlowRefused([diagnostic for one in loaded for diagnostic in one.diagnostics])
    return [_draft(flow, one) for flow, one in zip(sound, loaded, strict=True)]


def _draft(flow: Flow, loaded: Loaded) -> Draft:
    text = loaded.source.text
    source = text if isinstance(text, str) else text.decode("utf-8-sig")
    return Draft(flow=flow.flow, digest=loaded.digest, intent=flow.intent_name, source=source, document=encode_flow(flow))


async def _published(registry: Registry, heads: Iterable[FlowHead]) -> dict[str, Flow]:
    rows = [await registry.version(head.tenant_id, head.flow, head.version) for head in heads]
    return {row.flow: msgspec.msgpack.decode(row.document, type=Flow) for row in rows if row is not None}


def _public_text(*, test: bool) -> str:
    return f"pk_{'test' if test else 'live'}_{secrets.token_hex(16)}"


def _api_text() -> str:
    return f"sk_{secrets.token_urlsafe(32)}"


def _identity_secret() -> str:
    return secrets.token_hex(32)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _refuse_revoked(status: KeyStatus) -> None:
    if status == "revoked":
        raise KeyRevoked("The key is revoked: make a new one.")
