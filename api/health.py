"""Whether the process lives, and whether it can serve: database, scheduler and how far behind their deadlines waits are."""

import asyncio
from contextlib import suppress
from typing import Final, Literal

from msgspec import Struct

from api.asked import Asked
from api.endpoints import Endpoint
from api.wire import Answer, json_answer
from engine.errors import Unavailable
from engine.model.values import Millis
from engine.runtime.runtime import Runtime

_MOST_LAG: Final = 60_000
"""Milliseconds that an expiry may be late before the process says that it cannot keep up."""
PATIENCE: Final = 2.0
"""Seconds that the database has for its proof: whoever watches wants an answer, also while another process writes."""
_FRESH: Final = 1.0
"""Seconds for which a proof counts: anybody may ask, and each proof is a commit."""


class Live(Struct, frozen=True):
    """The process answers."""

    status: Literal["live"]


class Ready(Struct, frozen=True):
    """The process can serve."""

    status: Literal["ready"]
    database: bool
    scheduler: bool
    expiry_lag_ms: Millis


def health_endpoints(runtime: Runtime) -> list[Endpoint]:
    """The two endpoints that operators watch."""
    database = _Database(runtime)

    async def live(_asked: Asked) -> Answer:
        return json_answer(Live("live"))

    async def ready(_asked: Asked) -> Answer:
        return json_answer(await _readiness(runtime, database))

    return [
        Endpoint(method="GET", path="/health/live", act=live, name="live", summary="The process answers", answer=Live),
        Endpoint(method="GET", path="/health/ready", act=ready, name="ready", summary="The process can serve", answer=Ready),
    ]


class _Database:
    """Whether the database answers and can be written to, as of a second ago at most; whoever asks meanwhile shares the proof."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._proof: asyncio.Task[bool] | None = None
        self._begun = 0.0

    async def serves(self) -> bool:
        """Said within `PATIENCE`: a proof that takes longer has failed, and none is begun beside it."""
        now = self._runtime.clock.monotonic()
        if self._proof is None or (self._proof.done() and now - self._begun >= _FRESH):
            self._proof, self._begun = asyncio.create_task(self._prove()), now
        with suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(self._proof), PATIENCE)
        return False

    async def _prove(self) -> bool:
        try:
            await self._runtime.store.healthy()
        except Unavailable:
            return False
        return True


async def _readiness(runtime: Runtime, database: _Database) -> Ready:
    """What is fine; raises Unavailable with the same facts when something is not."""
    serves = await database.serves()
    pulse = runtime.scheduler.pulse()
    facts = {"database": serves, "scheduler": pulse.ticking, "expiry_lag_ms": pulse.lag_ms}
    if not serves or not pulse.ticking or pulse.lag_ms > _MOST_LAG:
        raise Unavailable(details=facts, retry_after=1)
    return Ready("ready", serves, pulse.ticking, pulse.lag_ms)
