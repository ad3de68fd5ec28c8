"""What `--dev` gives a first visitor: on an empty database a tenant, and the flows of the folder `flows/`."""

from pathlib import Path
from typing import Final

from msgspec import Struct

from api.cli.files import flow_files, read_source
from engine.loading import Source, load_flows
from engine.runtime.administration import KeyTerms, checked_drafts, create_tenant, publish
from engine.runtime.runtime import Runtime

TENANT: Final = "demo"
_FLOWS: Final = Path("flows")
_TERMS: Final = KeyTerms(expose_trace=True, test=True)


class Demo(Struct, frozen=True):
    """The keys to try the server with; the API key is known only where it was made just now."""

    public_key: str | None
    api_key: str | None
    published: tuple[str, ...]

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
            lines.append(f"  Published    nothing: there are no flows in a folder {_FLOWS}/ here (`baton publish PATH...` does it later)")
        return lines


async def ready_demo(runtime: Runtime) -> Demo:
    """The demo of the database; on an empty one it is made first, unless a flow is refused: then nothing is made."""
    register = await runtime.registry.register()
    if register.tenants:
        usable = next((key.key for key in register.public_keys if key.status == "active"), None)
        return Demo(usable, None, ())
    sources = _sources()
    checked_drafts(load_flows(sources))
    at = runtime.store.now()
    made = await create_tenant(runtime.registry, TENANT, _TERMS, at)
    standings = await publish(runtime.registry, made.tenant_id, sources, at)
    await runtime.catalog.refresh()
    return Demo(made.public_key, made.api_key, tuple(standing.flow for standing in standings))


def _sources() -> list[Source]:
    return [read_source(path) for path in flow_files([_FLOWS])] if _FLOWS.is_dir() else []
