"""Calls outside a run, as a port: the shell makes them with no transaction open, and answers the run with what came back."""

from collections.abc import Awaitable, Callable, Mapping

from engine.model.events import Returned
from engine.model.run import Invoke

Performer = Callable[[Invoke], Awaitable[Returned]]
"""Makes one call; a failure of the call is a Returned with its code, not an exception."""

Performers = Mapping[str, Performer]
"""Performer by the kind of request, such as `http`."""


async def perform(performers: Performers, invoke: Invoke) -> Returned:
    """The call's result; a performer that is missing or breaks gives a failed one, so that no run is left hanging."""
    kind = str(invoke.request.__struct_config__.tag)
    performer = performers.get(kind)
    if performer is None:
        return Returned(at=0, step=invoke.step, code="effect.unavailable", message=f"nothing here performs {kind}")
    try:
        return await performer(invoke)
    except Exception as error:  # noqa: BLE001 - whatever a performer breaks with, the run goes on
        return Returned(at=0, step=invoke.step, code="effect.failed", message=type(error).__name__)
