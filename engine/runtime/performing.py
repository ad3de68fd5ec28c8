"""Calls outside a run, as a port: the shell makes them with no transaction open, and answers the run with what came back."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct, field

from engine.model.events import Returned
from engine.model.run import Invoke
from engine.runtime.faults import FaultName, FaultPoints


class Call(Struct, frozen=True):
    """One call, and the run that it is for."""

    tenant_id: str
    run_id: str
    invoke: Invoke


Performer = Callable[[Call], Awaitable[Returned]]
"""Makes one call; a failure of the call is a Returned with its code, not an exception."""

Performers = Mapping[str, Performer]
"""Performer by the kind of request, such as `http`."""


class Outside(Struct, frozen=True, eq=False):
    """What lies outside of this process: who makes calls, and where tests let it die."""

    performers: Performers = field(default_factory=dict)
    faults: FaultPoints | None = None

    def reach(self, name: FaultName) -> None:
        """A place where the process may die."""
        if self.faults is not None:
            self.faults.reach(name)


async def perform(performers: Performers, call: Call) -> Returned:
    """The call's result; a performer that is missing or breaks gives a failed one, so that no run is left hanging."""
    invoke = call.invoke
    kind = str(invoke.request.__struct_config__.tag)
    performer = performers.get(kind)
    if performer is None:
        return Returned(at=0, step=invoke.step, code="effect.unavailable", message=f"nothing here performs {kind}")
    try:
        return await performer(call)
    except Exception as error:  # noqa: BLE001 - whatever a performer breaks with, the run goes on
        return Returned(at=0, step=invoke.step, code="effect.failed", message=type(error).__name__)
