"""What `--dev` gives a first visitor: on an empty database a tenant, the flows of the folder `flows/`, and the shop that these ask."""

from typing import Final

from msgspec import Struct

from api.cli.files import FLOWS, flow_files, read_source
from api.cli.samples import SHOP, TERMS, URL, needs_shop
from engine.loading import Source, load_flows
from engine.runtime.administration import KeyTerms, checked_drafts, create_tenant, publish
from engine.runtime.connections import put_connection
from engine.runtime.runtime import Runtime
from engine.runtime.vault import Vault

TENANT: Final = "demo"
_TERMS: Final = KeyTerms(expose_trace=True, test=True)


class Demo(Struct, frozen=True):
    """The keys to try the server with; the API key is known only where it was made just now."""

    public_key: str | None
    api_key: str | None
    published: tuple[str, ...]
    connected: bool = False
    """Whether the flows have a connection to the sample shop."""

    def lines(self, url: str) -> list[str]:
        """What a visitor is told below the first line."""
        lines = [f"  Chat page    {url}/"]
        if self.public_key:
            lines.append(f"  Public key   {self.public_key}")
        shown = (
            f"{self.api_key}  (shown this once)" if self.api_key else "(shown when it was made; another: scripts/baton keys create --api)"
        )
        lines.append(f"  API key      {shown}")
        if self.published:
            lines.append(f"  Published    {', '.join(self.published)}")
        elif self.api_key:
            lines.append(f"  Published    nothing: there are no flows in a folder {FLOWS}/ here (`baton publish PATH...` does it later)")
        if self.connected:
            lines.append(f"  Connection   {SHOP}, to {URL}: start the sample shop with scripts/shop")
        return lines


async def ready_demo(runtime: Runtime, vault: Vault) -> Demo:
    """The demo of the database; on an empty one it is made first, unless a flow is refused: then nothing is made."""
    register = await runtime.registry.register()
    if register.tenants:
        usable = next((key.key for key in register.public_keys if key.status == "active"), None)
        return Demo(usable, None, (), connected=any((row.name, row.base_url) == (SHOP, URL) for row in register.connections))
    sources = _sources()
    loaded = load_flows(sources, connections=[SHOP])
    checked_drafts(loaded)
    at, connected = runtime.store.now(), needs_shop(loaded)
    made = await create_tenant(runtime.registry, TENANT, _TERMS, at)
    if connected:
        await put_connection(runtime.registry, vault, made.tenant_id, SHOP, TERMS, at)
    standings = await publish(runtime.registry, made.tenant_id, sources, at)
    await runtime.catalog.refresh()
    return Demo(made.public_key, made.api_key, tuple(standing.flow for standing in standings), connected)


def _sources() -> list[Source]:
    return [read_source(path) for path in flow_files([FLOWS])] if FLOWS.is_dir() else []
