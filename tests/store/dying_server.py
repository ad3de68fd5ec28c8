"""A process that takes turns until a fault point ends it: prints each turn's key when it has been acknowledged."""

import asyncio
import sys
from pathlib import Path

from engine.runtime.clock import SystemClock
from engine.runtime.faults import parse_faults
from engine.runtime.store.sqlite.open import open_sqlite
from tests.store.turns import start


async def main(path: Path, fault: str) -> None:
    """Eight clients take turns one after the other, as fast as they can."""
    store, _ = await open_sqlite(path, SystemClock(), faults=parse_faults(fault))

    async def client(number: int) -> None:
        for count in range(1_000):
            key = f"{number}-{count}"
            await start(store, key=key)
            sys.stdout.write(f"{key}\n")
            sys.stdout.flush()

    await asyncio.gather(*[client(number) for number in range(8)])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
