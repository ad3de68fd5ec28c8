"""A whole shell on a file, with flows for the proofs and a clock that they move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from engine.loading import Source, load_flow
from engine.model.values import Millis
from engine.runtime.catalog import encode_flow
from engine.runtime.requests import Caller, OpenRequest
from engine.runtime.runtime import Runtime
from engine.runtime.store.registry import Draft
from engine.runtime.store.sqlite.open import open_sqlite
from engine.runtime.tokens import Keyring
from engine.testing.clock import ManualClock

TENANT: Final = "0198d000-0000-7000-8000-000000000001"
LASTS: Final[Millis] = 600_000
"""How long the flow waits."""
_FLOWS: Final = (
    """
flow: once
intent: {}
nodes:
  ask: {type: ask, prompt: Well?, timeout: {after: 10m, next: late}, next: end}
  late: {type: message, text: Too late., next: end}
""",
    """
flow: talk
intent: {}
nodes:
  ask: {type: ask, prompt: And then?, save: said, timeout: {after: 10m, next: end}, next: again}
  again: {type: switch, cases: [{when: "vars.said == 'stop'", next: end}], else: ask}
""",
)


@asynccontextmanager
async def opened_shell(database: Path) -> AsyncIterator[tuple[Runtime, ManualClock]]:
    """Nothing ticks in it but what the proof lets tick."""
    clock = ManualClock()
    store, registry = await open_sqlite(database, clock, synchronous="normal")
    runtime = Runtime(store, registry, Keyring([b"k" * 32]), clock)
    for text in _FLOWS:
        flow = load_flow(Source("flow.yaml", text)).flow
        assert flow is not None
        draft = Draft(flow=flow.flow, digest=flow.flow, intent=flow.intent_name, source="", document=encode_flow(flow))
        await registry.publish(TENANT, [draft], clock.wall())
    await runtime.catalog.refresh()
    try:
        yield runtime, clock
    finally:
        await runtime.stop()


async def customer(runtime: Runtime) -> Caller:
    """Somebody with a conversation."""
    opened = await runtime.executor.open(TENANT, OpenRequest(public_key_id="key"))
    return Caller(tenant_id=TENANT, conversation_id=opened.conversation_id, public_key_id="key")
