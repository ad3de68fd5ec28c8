"""DBOS: one workflow for each turn, whose stored output is the state that the next one begins with; nothing waits between two turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID

from scripts.benchmarks.peers.bare import step
from scripts.benchmarks.peers.dbos_system import durability, launched
from scripts.benchmarks.peers.racing import Durability, race


async def _take_turn(state: dict[str, Any], said: Any) -> Any:
    return step(state, said)


_workflow: Final = DBOS.workflow()(_take_turn)


class Workflows:
    """One workflow for each turn, named by its conversation and number, so that a repeated request would be answered the same."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._last: dict[str, int] = {}

    async def durability(self) -> Durability:
        """Of its engine's connections."""
        return durability(self._engine)

    async def turn(self, conversation: str, said: str | int | None) -> str:
        """Read what the turn before came to, and run this one's workflow."""
        last = 0 if said is None else self._last[conversation]
        self._last[conversation] = last + 1
        state: dict[str, Any] = {}
        if last:
            state, _ = await (await DBOS.retrieve_workflow_async(f"{conversation}-{last}")).get_result()
        with SetWorkflowID(f"{conversation}-{last + 1}"):
            _, reply = await _workflow(state, said)
        return str(reply)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Workflows]:
    """On a new file."""
    async with launched(path) as engine:
        yield Workflows(engine)


if __name__ == "__main__":
    race(opened, asyncio.run)
