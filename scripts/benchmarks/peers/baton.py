"""Baton's own executor, as a server on the engine surface uses it, without HTTP."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvloop

from api.cli.running import spare_collector
from engine.loading import Source
from engine.runtime.administration import KeyTerms, create_tenant, publish
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from scripts.benchmarks.peers.bare import durability
from scripts.benchmarks.peers.conversation import ASK_NAME, PARTY
from scripts.benchmarks.peers.racing import Durability, race

_FLOW: Final = f"""\
flow: book_table
intent: {{label: Book a table}}
nodes:
  ask_name: {{type: ask, prompt: "{ASK_NAME}", save: name, next: ask_guests}}
  ask_guests:
    type: ask
    prompt: "Hello {{{{ vars.name }}}}. How many guests?"
    input: integer
    save: guests
    next: size
  size:
    type: switch
    cases:
      - {{when: vars.guests > {PARTY}, next: ask_party}}
    else: ask_table
  ask_party: {{type: ask, prompt: "A party of {{{{ vars.guests }}}}. Which day?", save: day, next: tell}}
  ask_table: {{type: ask, prompt: "A table for {{{{ vars.guests }}}}. Which day?", save: day, next: tell}}
  tell: {{type: message, text: "Booked: {{{{ vars.guests }}}} guests on {{{{ vars.day }}}}, {{{{ vars.name }}}}.", next: end}}
"""


class Baton:
    """Conversations of one tenant, who trusts whoever asks."""

    def __init__(self, runtime: Runtime, tenant_id: str) -> None:
        self._runtime = runtime
        self._caller = Caller(tenant_id=tenant_id, surface="engine")
        self._open: dict[str, TurnReply] = {}
        """What each conversation was answered last: a client holds its wait token."""

    async def durability(self) -> Durability:
        """Of the writer's connection, which nothing outside the store is meant to touch."""
        connection: sqlite3.Connection = vars(vars(self._runtime.store)["_writer"])["_connection"]
        return durability(connection)

    async def turn(self, conversation: str, said: str | int | None) -> str:
        """A trigger, which opens a conversation of its own, or an answer."""
        executor = self._runtime.executor
        before = self._open.pop(conversation, None)
        if before is None or before.wait_id is None:
            reply = (await executor.trigger(self._caller, TriggerRequest(intent="book_table"))).reply
        else:
            token = self._runtime.keyring.wait_token(self._caller.tenant_id, before.wait_id)
            reply = (await executor.resume(self._caller, ResumeRequest(run_id=before.execution_id, wait_token=token, text=str(said)))).reply
        if reply.wait_id is not None:
            self._open[conversation] = reply
        text = reply.blocks[-1].payload["text"]
        return text if isinstance(text, str) else ""


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Baton]:
    """On a new file, as a server does it."""
    runtime = await Runtime.start(database_url=f"sqlite:///{path}", secret=b"a key for benchmarks and nothing else")
    try:
        at = runtime.store.now()
        tenant = await create_tenant(runtime.registry, "bench", KeyTerms(native=True), at)
        await publish(runtime.registry, tenant.tenant_id, [Source("book_table.yaml", _FLOW)], at)
        await runtime.catalog.refresh()
        spare_collector()
        yield Baton(runtime, tenant.tenant_id)
    finally:
        await runtime.stop()


if __name__ == "__main__":
    race(opened, uvloop.run)
