"""DBOS: one workflow for each conversation, which receives what the customer says as messages and sets an event for each reply."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID

from scripts.benchmarks.peers.conversation import ASK_NAME, TURNS, ask_day, ask_guests, told
from scripts.benchmarks.peers.dbos_system import durability, launched
from scripts.benchmarks.peers.racing import Durability, race

_PATIENCE: Final = 60


async def _book_table() -> None:
    await DBOS.set_event_async("1", ASK_NAME)
    name = await _said()
    await DBOS.set_event_async("2", ask_guests(name))
    guests = await _said()
    await DBOS.set_event_async("3", ask_day(guests))
    await DBOS.set_event_async("4", told(name, guests, await _said()))


async def _said() -> Any:
    return await DBOS.recv_async(timeout_seconds=_PATIENCE)


_workflow: Final = DBOS.workflow()(_book_table)


class Workflows:
    """One workflow for each conversation."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._turns: dict[str, int] = {}

    async def durability(self) -> Durability:
        """Of its engine's connections."""
        return durability(self._engine)

    async def turn(self, conversation: str, said: str | int | None) -> str:
        """Start the workflow or send it a message, and get the event that answers."""
        turn = self._turns.pop(conversation, 0) + 1
        if said is None:
            with SetWorkflowID(conversation):
                await DBOS.start_workflow_async(_workflow)
        else:
            await DBOS.send_async(conversation, said)
        if turn < TURNS:
            self._turns[conversation] = turn
        return str(await DBOS.get_event_async(conversation, str(turn), timeout_seconds=_PATIENCE))


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Workflows]:
    """On a new file."""
    async with launched(path) as engine:
        yield Workflows(engine)


if __name__ == "__main__":
    race(opened, asyncio.run)
