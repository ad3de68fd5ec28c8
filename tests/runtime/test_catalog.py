"""What the catalog shows of what was published."""

import asyncio

from engine.loading import Source
from engine.runtime.administration import KeyTerms, create_tenant, publish
from engine.runtime.catalog import Catalog
from engine.runtime.store.registry import Register
from engine.testing.memory import MemoryRegistry

FLOW = "flow: greeting\nintent: {label: Greet}\nnodes:\n  hello: {type: message, text: Hello., next: end}\n"


class SlowRegistry(MemoryRegistry):
    """Gives what it has read first only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.has_read = asyncio.Event()
        self.go_on = asyncio.Event()

    async def register(self) -> Register:
        found = await super().register()
        if not self.has_read.is_set():
            self.has_read.set()
            await self.go_on.wait()
        return found


async def test_of_two_refreshes_at_once_the_one_that_began_first_undoes_nothing() -> None:
    registry = SlowRegistry()
    tenant = await create_tenant(registry, "t", KeyTerms(), 0)
    catalog = Catalog(registry)
    first = asyncio.create_task(catalog.refresh())
    await registry.has_read.wait()
    await publish(registry, tenant.tenant_id, [Source("greeting.yaml", FLOW)], 0)
    second = asyncio.create_task(catalog.refresh())
    for _ in range(10):
        await asyncio.sleep(0)
    registry.go_on.set()
    await asyncio.gather(first, second)
    assert set(catalog.intents(tenant.tenant_id)) == {"greeting"}
