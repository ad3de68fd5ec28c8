"""Secrets at rest under a new key of the server: all that an older one has sealed is sealed again, so that that one may be taken away."""

from collections.abc import Iterator

from engine.model.values import Millis
from engine.runtime import connections
from engine.runtime.store.registry import Register, Registry, Resealed
from engine.runtime.vault import Vault
from engine.runtime.webhooks import endpoints


async def seal_again(registry: Registry, vault: Vault, at: Millis) -> int:
    """Seal under the newest key whatever an older one has sealed; gives how many secrets there were.

    What is changed meanwhile keeps its change, and secrets that sign no more at that moment are forgotten. Raises SealBroken, and seals
    nothing, where one opens with no key.
    """
    await registry.drop_old_secrets(at)
    return await registry.reseal([*_sealed_again(await registry.register(), vault)])


def _sealed_again(register: Register, vault: Vault) -> Iterator[Resealed]:
    for tenant_id, sealed, about in _kept(register):
        if not vault.is_current(sealed):
            yield Resealed(tenant_id=tenant_id, was=sealed, sealed=vault.seal(vault.open(sealed, about), about))


def _kept(register: Register) -> Iterator[tuple[str, bytes, str]]:
    """Every secret with its tenant, and what it is about."""
    for connection in register.connections:
        yield connection.tenant_id, connection.secret, connections.about(connection.tenant_id, connection.name)
    for webhook in register.webhooks:
        for sealed in filter(None, (webhook.secret, webhook.old_secret)):  # one that was deleted has none
            yield webhook.tenant_id, sealed, endpoints.about(webhook.tenant_id, webhook.id)
