"""A turn's door: everything that a turn's request passes on its way in and its answer on its way out, with nothing between them."""

from typing import Final

from api.chat.surface import ChatSurface
from api.endpoints import Endpoint
from api.origins import OriginRules
from api.settings import Settings
from engine.runtime.administration import NewTenant
from engine.runtime.executor import PATIENCE, Executor, Taken
from engine.runtime.requests import Caller, OpenRequest, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from scripts.benchmarks.subject import FLOW

UNSTORED_PATH: Final = "/bench/unstored"


class _Unmoved(Executor):
    """Gives every answer the same reply: nothing is loaded, decided or stored."""

    taken: Taken

    async def resume(self, caller: Caller, asked: ResumeRequest, *, patience: float = PATIENCE) -> Taken:  # noqa: ARG002 - its shape
        """What was taken once."""
        return self.taken


async def unstored_endpoint(runtime: Runtime, tenant: NewTenant, settings: Settings) -> Endpoint:
    """A POST that does all that one to /messages does, but for what the executor does.

    It checks the session token, the public key and the origin, reads and parses the body, makes the wait token, encodes the reply of a
    real turn of the flow (2 kB), and writes the line of log.
    """
    still = Runtime(runtime.store, runtime.registry, runtime.keyring, runtime.clock)
    still.catalog = runtime.catalog
    still.executor = executor = _Unmoved(runtime.store, runtime.catalog, runtime.keyring, runtime.clock)
    executor.taken = await _turn(runtime, tenant)
    surface = ChatSurface(still, settings, OriginRules(runtime.catalog, runtime.clock.monotonic, dev=False))
    return Endpoint(method="POST", path=UNSTORED_PATH, act=surface.post_message, name="unstored", summary="Nothing stored", answer=dict)


async def _turn(runtime: Runtime, tenant: NewTenant) -> Taken:
    """An answer given to the flow, as the turns that are measured are."""
    opened = await runtime.executor.open(tenant.tenant_id, OpenRequest(public_key_id=tenant.public_key))
    caller = Caller(tenant_id=tenant.tenant_id, conversation_id=opened.conversation_id)
    asking = (await runtime.executor.trigger(caller, TriggerRequest(intent=FLOW))).reply
    if asking.wait_id is None:
        raise AssertionError(asking)
    token = runtime.keyring.wait_token(tenant.tenant_id, asking.wait_id)
    return await runtime.executor.resume(caller, ResumeRequest(run_id=asking.execution_id, wait_token=token, values={"word": "left"}))
