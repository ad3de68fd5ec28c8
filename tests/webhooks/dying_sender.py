"""A process that tells an endpoint of one run until a fault point ends it, or until it has told everything."""

import asyncio
import sys
from pathlib import Path

from engine.runtime.faults import parse_faults
from engine.runtime.requests import Caller, TriggerRequest
from engine.runtime.runtime import Runtime

TENANT, KEY = "0198d000-0000-7000-8000-000000000001", b"k" * 32


async def main(path: Path, fault: str) -> None:
    """The first process starts the run; what follows only tells what is left of it. Port and endpoint stand in the database."""
    runtime = await Runtime.start(
        database_url=f"sqlite:///{path}", secret=KEY, allowed_hosts=["127.0.0.1"], faults=parse_faults(fault), serving=True
    )
    if (await runtime.store.deliveries.outlook()).due_at is None:
        await runtime.executor.trigger(Caller(tenant_id=TENANT, surface="engine"), TriggerRequest(intent="short", text="hi"))
    while True:
        outlook = await runtime.store.deliveries.outlook()
        if not outlook.unspread and outlook.due_at is None:
            break
        await asyncio.sleep(0.01)
    await runtime.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
