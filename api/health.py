"""Whether the process lives, and whether it can serve: database, scheduler and how far behind their deadlines waits are."""

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

    async def live(_asked: Asked) -> Answer:
        return json_answer(Live("live"))

    async def ready(_asked: Asked) -> Answer:
        return json_answer(await _readiness(runtime))

    return [
        Endpoint(method="GET", path="/health/live", act=live, name="live", summary="The process answers", answer=Live),
        Endpoint(method="GET", path="/health/ready", act=ready, name="ready", summary="The process can serve", answer=Ready),
    ]


async def _readiness(runtime: Runtime) -> Ready:
    """What is fine; raises Unavailable with the same facts when something is not."""
    pulse = runtime.scheduler.pulse()
    database = await _answers(runtime)
    facts = {"database": database, "scheduler": pulse.ticking, "expiry_lag_ms": pulse.lag_ms}
    if not database or not pulse.ticking or pulse.lag_ms > _MOST_LAG:
        raise Unavailable(details=facts, retry_after=1)
    return Ready("ready", database, pulse.ticking, pulse.lag_ms)


async def _answers(runtime: Runtime) -> bool:
    try:
        await runtime.store.healthy()
    except Unavailable:
        return False
    return True
