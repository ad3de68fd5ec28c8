"""What a running server knows without asking the database: keys, published intents, compiled flows and prices.

`refresh` looks at one number and reads everything anew when it has changed; it is called by the scheduler at least every second,
so that what is published, paused or priced is seen within two. Readers get one immutable view after the other, never half of one.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from engine.errors import ExpressionError
from engine.interpreter import Book, CompiledFlow, compile_flow
from engine.model.flow import Flow
from engine.model.run import FlowRef
from engine.model.values import Millis
from engine.runtime.store.registry import (
    ApiKeyRow,
    ConnectionRow,
    FlowHead,
    PriceRow,
    PublicKeyRow,
    Register,
    Registry,
    TenantRow,
    WebhookRow,
)

_documents: Final = msgspec.msgpack.Decoder(Flow)
_encoder: Final = msgspec.msgpack.Encoder()
_log = structlog.get_logger()


def encode_flow(flow: Flow) -> bytes:
    """A checked flow as a published version stores it."""
    return _encoder.encode(flow)


class MissingVersion(Exception):
    """A run stands in a version that is not in memory; `Catalog.fetch` brings it, then the turn is taken again."""

    def __init__(self, tenant_id: str, ref: FlowRef) -> None:
        super().__init__(f"{ref.flow} version {ref.version}")
        self.tenant_id = tenant_id
        self.ref = ref


class _View(Struct, frozen=True):
    """One moment of the register, indexed by what requests name."""

    revision: int
    tenants: Mapping[str, TenantRow]
    public_keys: Mapping[str, PublicKeyRow]
    api_keys: Mapping[bytes, ApiKeyRow]
    intents: Mapping[str, Mapping[str, FlowHead]]
    heads: Mapping[tuple[str, str], FlowHead]
    subscribers: Mapping[tuple[str, str], tuple[FlowHead, ...]]
    prices: Mapping[tuple[str, str], tuple[PriceRow, ...]]
    connections: Mapping[tuple[str, str], ConnectionRow]
    webhooks: Mapping[str, tuple[WebhookRow, ...]]


class _Shelf(Struct, frozen=True):
    """The catalog as one tenant's runs see it."""

    catalog: "Catalog"
    tenant_id: str

    def __call__(self, ref: FlowRef) -> CompiledFlow:
        return self.catalog.flow(self.tenant_id, ref)

    def newest(self, flow: str) -> CompiledFlow | None:
        return self.catalog.newest(self.tenant_id, flow)


class Catalog:
    """Answers from memory; flows are kept as long as the process lives, since versions never change, and compiled at their first use."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._refreshing = asyncio.Lock()
        self._written: dict[tuple[str, FlowRef], Flow] = {}
        self._view = _index(Register(revision=-1), self._written)
        self._flows: dict[tuple[str, FlowRef], CompiledFlow] = {}

    async def refresh(self) -> bool:
        """Read the register anew if it has changed; True when it had. What was published before the call is seen after it.

        Two at once take turns: the slower of them would put what it had read before over what the other has read since.
        """
        async with self._refreshing:
            return await self._read_anew()

    async def _read_anew(self) -> bool:
        if await self._registry.revision() == self._view.revision:
            return False
        register = await self._registry.register()
        if any(_key(head) not in self._written for head in register.flows):
            for head, document in await self._registry.documents():
                self._read(head, document)
        readable = [head for head in register.flows if _key(head) in self._written]
        self._view = _index(msgspec.structs.replace(register, flows=readable), self._written)
        return True

    def _read(self, head: FlowHead, document: bytes) -> None:
        """Bring the version into memory; one that cannot be read takes its own intent away, not the whole server."""
        if _key(head) in self._written:
            return
        try:
            self._written[_key(head)] = _documents.decode(document)
        except msgspec.MsgspecError as error:
            _log.error("flow_unreadable", tenant=head.tenant_id, flow=head.flow, version=head.version, error=type(error).__name__)

    async def fetch(self, tenant_id: str, ref: FlowRef) -> CompiledFlow | None:
        """The compiled version, read from the registry the first time; None when it was never published."""
        if (tenant_id, ref) not in self._written:
            row = await self._registry.version(tenant_id, ref.flow, ref.version)
            if row is None:
                return None
            self._written[tenant_id, ref] = _documents.decode(row.document)
        return self.flow(tenant_id, ref)

    def flow(self, tenant_id: str, ref: FlowRef) -> CompiledFlow:
        """The version, compiled when it is first asked for; raises MissingVersion when it is not in memory."""
        compiled = self._flows.get((tenant_id, ref))
        if compiled is None:
            compiled = self._flows[tenant_id, ref] = compile_flow(ref, self.written(tenant_id, ref))
        return compiled

    def written(self, tenant_id: str, ref: FlowRef) -> Flow:
        """The version as its author wrote it; raises MissingVersion when it is not in memory."""
        try:
            return self._written[tenant_id, ref]
        except KeyError:
            raise MissingVersion(tenant_id, ref) from None

    def _active(self, head: FlowHead) -> CompiledFlow | None:
        """The active version of a flow; None where it does not compile, although an older program has published it."""
        try:
            return self.flow(head.tenant_id, FlowRef(head.flow, head.version))
        except ExpressionError as error:
            _log.error("flow_unreadable", tenant=head.tenant_id, flow=head.flow, version=head.version, error=type(error).__name__)
            return None

    def tenant(self, tenant_id: str) -> TenantRow | None:
        """The tenant of that id."""
        return self._view.tenants.get(tenant_id)

    def public_key(self, key: str) -> PublicKeyRow | None:
        """The public key as a page shows it, whatever its status; also found by its id."""
        return self._view.public_keys.get(key)

    def origins(self) -> frozenset[str]:
        """Every origin that some active key allows, as its owner wrote it."""
        keys = self._view.public_keys.values()
        return frozenset(origin for key in keys if key.status == "active" for origin in key.origins)

    def api_key(self, digest: bytes) -> ApiKeyRow | None:
        """The API key with this SHA-256, whatever its status."""
        return self._view.api_keys.get(digest)

    def intents(self, tenant_id: str) -> Mapping[str, FlowHead]:
        """Published intents of the tenant, by name."""
        return self._view.intents.get(tenant_id, {})

    def triggered(self, tenant_id: str, intent: str) -> CompiledFlow | None:
        """The flow that the intent starts; None when none is published."""
        head = self.intents(tenant_id).get(intent)
        return None if head is None else self._active(head)

    def newest(self, tenant_id: str, flow: str) -> CompiledFlow | None:
        """The newest published version of the flow; None when there is none."""
        head = self._view.heads.get((tenant_id, flow))
        return None if head is None else self._active(head)

    def subscribers(self, tenant_id: str, event: str) -> list[CompiledFlow]:
        """The published flows that begin with an event of that name, in the order of their ids."""
        heads = self._view.subscribers.get((tenant_id, event), ())
        return [script for head in heads if (script := self._active(head)) is not None]

    def book(self, tenant_id: str) -> Book:
        """The tenant's flows, as the interpreter asks for them."""
        return _Shelf(self, tenant_id)

    def connection(self, tenant_id: str, name: str) -> ConnectionRow | None:
        """The tenant's connection of that name, its secret sealed."""
        return self._view.connections.get((tenant_id, name))

    def webhooks(self) -> list[WebhookRow]:
        """The endpoints of all tenants, those among them that were deleted and have left something behind."""
        return [row for rows in self._view.webhooks.values() for row in rows]

    def webhooks_of(self, tenant_id: str) -> tuple[WebhookRow, ...]:
        """The tenant's endpoints."""
        return self._view.webhooks.get(tenant_id, ())

    def price(self, tenant_id: str, model: str, at: Millis) -> PriceRow | None:
        """The price that is in effect for the model at that moment."""
        rows = self._view.prices.get((tenant_id, model), ())
        return next((row for row in rows if row.effective_from <= at), None)


def _key(head: FlowHead) -> tuple[str, FlowRef]:
    return head.tenant_id, FlowRef(head.flow, head.version)


def _index(register: Register, written: Mapping[tuple[str, FlowRef], Flow]) -> _View:
    intents: dict[str, dict[str, FlowHead]] = {}
    subscribers: dict[tuple[str, str], tuple[FlowHead, ...]] = {}
    for head in sorted(register.flows, key=lambda head: head.flow):
        if head.intent is not None:
            intents.setdefault(head.tenant_id, {})[head.intent] = head
        if (on := written[_key(head)].on_event) is not None:
            subscribers[head.tenant_id, on.name] = (*subscribers.get((head.tenant_id, on.name), ()), head)
    prices: dict[tuple[str, str], tuple[PriceRow, ...]] = {}
    for row in sorted(register.prices, key=lambda row: (row.effective_from, row.id), reverse=True):
        prices[row.tenant_id, row.model] = (*prices.get((row.tenant_id, row.model), ()), row)
    webhooks: dict[str, tuple[WebhookRow, ...]] = {}
    for endpoint in register.webhooks:
        webhooks[endpoint.tenant_id] = (*webhooks.get(endpoint.tenant_id, ()), endpoint)
    return _View(
        revision=register.revision,
        tenants={tenant.id: tenant for tenant in register.tenants},
        public_keys={name: key for key in register.public_keys for name in (key.id, key.key)},
        api_keys={key.digest: key for key in register.api_keys},
        intents=intents,
        heads={(head.tenant_id, head.flow): head for head in register.flows},
        subscribers=subscribers,
        prices=prices,
        connections={(row.tenant_id, row.name): row for row in register.connections},
        webhooks=webhooks,
    )
