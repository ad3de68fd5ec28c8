"""Requests of `http` nodes: the connection's address and credentials are put to them where they leave, and nowhere before."""

from functools import partial

from msgspec.structs import replace

from engine.model.events import Returned
from engine.model.run import HttpRequest
from engine.runtime.callbacks import Callbacks
from engine.runtime.catalog import Catalog
from engine.runtime.connections import credentials
from engine.runtime.outbound.port import BLOCKED, Credentials, Outbound, OutboundRequest
from engine.runtime.performing import Call
from engine.runtime.vault import SealBroken, Vault


class HttpPerformer:
    """Makes the requests of all tenants."""

    def __init__(self, outbound: Outbound, catalog: Catalog, vault: Vault, callbacks: Callbacks) -> None:
        self._outbound = outbound
        self._catalog = catalog
        self._vault = vault
        self._callbacks = callbacks

    async def __call__(self, call: Call) -> Returned:
        """The answer as `save` takes it, and the code of what went wrong; a status of 400 and more is for the run to judge."""
        request, step = self._filled(call), call.invoke.step
        base, shown = "", None
        if request.connection is not None:
            row = self._catalog.connection(call.tenant_id, request.connection)
            if row is None:
                return Returned(at=0, step=step, code=BLOCKED, message=f"there is no connection {request.connection}")
            try:
                base, shown = row.base_url, credentials(self._vault, row)
            except SealBroken:
                return Returned(at=0, step=step, code=BLOCKED, message="the connection's secret cannot be opened with the server's key")
        asked = _outbound(request, base, shown, repeatable=call.invoke.repeatable)
        outcome = await self._outbound.send(replace(asked, owner=call.tenant_id))
        return Returned(at=0, step=step, result=outcome.saved(), code=outcome.code, message=outcome.message)

    def _filled(self, call: Call) -> HttpRequest:
        """The request with the addresses of callbacks in it."""
        request = call.invoke.request
        fill = partial(self._callbacks.filled, tenant_id=call.tenant_id, run_id=call.run_id)
        filled = {name: fill(getattr(request, name)) for name in ("query", "headers", "json", "body")}
        return replace(request, url=self._callbacks.filled_url(request.url, call.tenant_id, call.run_id), **filled)


def _outbound(request: HttpRequest, base: str, shown: Credentials | None, *, repeatable: bool) -> OutboundRequest:
    return OutboundRequest(
        method=request.method,
        url=base + request.url,
        query=request.query,
        headers=request.headers,
        json=request.json,
        body=request.body,
        timeout=request.timeout,
        retries=request.retries,
        repeatable=repeatable,
        idempotency_key=request.idempotency_key,
        credentials=shown,
    )
