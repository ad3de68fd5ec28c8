"""Calls outside a run, as a port: the shell makes them with no transaction open, and answers the run with what came back."""

from collections.abc import Awaitable, Callable, Mapping

from engine.model.effects import Invoke
from engine.model.events import Returned

Performer = Callable[[Invoke], Awaitable[Returned]]
"""Makes one call; a failure of the call is a Returned with its code, not an exception."""

Performers = Mapping[str, Performer]
"""Performer by the name that Invoke gives."""


async def perform(performers: Performers, invoke: Invoke) -> Returned:
    """The call's result; a performer that is missing or breaks gives a failed one, so that no run is left hanging."""
    performer = performers.get(invoke.performer)
    if performer is None:
        return Returned(at=0, step=invoke.step, code="effect.unavailable", message=f"nothing here performs {invoke.performer}")
    try:
        return await performer(invoke)
    except Exception as error:  # noqa: BLE001 - whatever a performer breaks with, the run goes on
        return Returned(at=0, step=invoke.step, code="effect.failed", message=type(error).__name__)
