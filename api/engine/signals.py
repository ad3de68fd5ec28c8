"""What comes from outside: a tenant's own events, and callbacks, which whoever has the address may call once, without a key."""

import hashlib
from typing import Any, Final
from urllib.parse import parse_qsl

from api.asked import Asked
from api.body import Shape, read_body, read_json
from api.engine.credentials import admit, demand_named_tenant, idempotency_of
from api.engine.wire import CallbackTaken, Event, EventTaken
from api.foreign import clean, parse
from api.logs import log
from api.wire import Answer, json_answer, replayed
from engine.errors import ExecutionAborted, ExecutionNotFound, IdempotencyConflict, Malformed, NotFound, Unfit
from engine.model.problems import Problem
from engine.model.run import ENDED
from engine.model.values import Json
from engine.runtime.replies import Announcement
from engine.runtime.requests import Caller, Idempotency, SignalRequest
from engine.runtime.runtime import Runtime
from engine.runtime.turns.signals import callback_name

_EVENTS: Final = "events"
_CALLBACK: Final = "callback"
_FORM: Final = "application/x-www-form-urlencoded"


class SignalSurface:
    """Takes events and callbacks."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._event = Shape(Event)
        self._log: Any = log.bind(surface="engine")

    async def take_event(self, asked: Asked) -> Answer:
        """POST /events. The key in the body counts for the whole tenant, the one in the header for its API key."""
        raw = await read_json(asked)
        key, _ = admit(self._runtime.catalog, asked)
        body, found = self._event.read(raw)
        demand_named_tenant(key, asked, body.tenant_id)
        own = None if body.idempotency_key is None else Idempotency(_EVENTS, body.idempotency_key, _digest(raw))
        named = idempotency_of(key, asked, raw)  # also where it does not count: one that is malformed is refused
        idempotency = own or named
        problems = [*found, *asked.unfit]
        if problems:
            raise Unfit(problems)
        request = SignalRequest(name=body.event_name, data=body.data or {}, idempotency=idempotency)
        told = await self._runtime.executor.signal(key.tenant_id, request)
        self._taken("event_taken", asked, key.tenant_id, told)
        ids = told.execution_ids
        taken = EventTaken(event_id=told.event_id, subscriptions_matched=len(ids), execution_ids=ids)
        return json_answer(taken, headers=replayed(told))

    async def take_callback(self, asked: Asked) -> Answer:
        """POST /callbacks/{token}. The token is all the credential there is: it names tenant, run and visit."""
        form = _is_form(asked)
        raw = await (read_body(asked) if form else read_json(asked))
        called = self._runtime.keyring.callback(str(asked.scope["path_params"].get("token")))
        if called is None:
            raise NotFound
        tenant_id, run_id, visit = called
        data, unclean = clean(_form_data(raw) if form else parse(raw or b"{}"))
        name = callback_name(run_id, visit)
        request = SignalRequest(name=name, data=data, run_id=run_id, idempotency=Idempotency(_CALLBACK, name, _digest(raw)))
        try:
            if unclean:
                await self._refuse(tenant_id, run_id, unclean)
            told = await self._runtime.executor.signal(tenant_id, request)
        except ExecutionNotFound:
            raise NotFound from None
        except IdempotencyConflict:
            raise IdempotencyConflict("This callback was called with another body.") from None
        self._taken("callback_taken", asked, tenant_id, told)
        return json_answer(CallbackTaken(received=True))

    async def _refuse(self, tenant_id: str, run_id: str, problems: tuple[Problem, ...]) -> None:
        """What is wrong with the data is told only where the run could still have taken it."""
        reply = await self._runtime.reader.latest(Caller(tenant_id=tenant_id, surface="engine"), run_id)
        if reply.status in ENDED:
            raise ExecutionAborted(details={"reason": reply.end_reason})
        raise Unfit([*problems])

    def _taken(self, happened: str, asked: Asked, tenant_id: str, told: Announcement) -> None:
        self._log.info(happened, request=asked.request_id, tenant=tenant_id, signal=told.event_id, executions=told.execution_ids)


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def _is_form(asked: Asked) -> bool:
    return (asked.header(b"content-type") or "").partition(";")[0].strip().lower() == _FORM


def _form_data(raw: bytes) -> dict[str, Json]:
    """The form as a mapping of texts; a name that stands there several times has a list of them."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise Malformed([Problem("", "form", "The body is not a form in UTF-8.")]) from None
    texts: dict[str, list[str]] = {}
    for name, text in pairs:
        texts.setdefault(name, []).append(text)
    return {name: found[0] if len(found) == 1 else found for name, found in texts.items()}
