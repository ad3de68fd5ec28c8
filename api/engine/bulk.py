"""Many triggers in one call: each is judged, keyed and refused by itself, a few at a time, so that live turns have their share."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from api.asked import Asked
from api.body import Shape, read_json
from api.engine.credentials import admit, demand_named_tenant, idempotency_of
from api.engine.wire import BulkAnswer, BulkItem, BulkItems, BulkResult
from api.errors import ErrorBody, internal_body, refusal_body
from api.fitness import unfit_variables
from api.foreign import clean, parse
from api.kept import Kept
from api.logs import log_failure
from api.turnlog import TurnLog
from api.wire import REPLAYED, Answer, json_answer
from engine.errors import IdempotencyConflict, Malformed, Refused, TurnInProgress, Unfit
from engine.model.problems import Problem
from engine.runtime.executor import Taken
from engine.runtime.requests import Caller, Idempotency, TriggerRequest
from engine.runtime.runtime import Runtime

MOST_BYTES: Final = 1_048_576
"""Bytes of the body: a thousand triggers, each with some context."""
AT_ONCE: Final = 16
"""Triggers under way: a quarter of what the writer commits together."""
_AGAIN: Final = 0.2
"""Seconds until the next look whether a run of the same key has begun."""
_TRIES: Final = 25


class _Call(Struct, frozen=True):
    """What all items of a call share."""

    asked: Asked
    caller: Caller
    scope: str
    """Of the keys that the items bring along."""
    key: Idempotency | None

    def idempotency_of(self, index: int, own: str | None, raw: bytes) -> Idempotency | None:
        """The item's own key; without one the call's, with the item's place in it."""
        digest = hashlib.sha256(raw).digest()
        if own is not None:
            return Idempotency(self.scope, own, digest)
        return None if self.key is None else Idempotency(f"{self.key.scope}:items", f"{self.key.key}:{index}", digest)


class BulkSurface:
    """Takes calls with many triggers."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._items = Shape(BulkItems)
        self._item = Shape(BulkItem)
        self._quick = msgspec.json.Decoder(BulkItems)
        self._kept = Kept(runtime.store, BulkAnswer)
        self._turns = TurnLog("engine")
        self._running: dict[tuple[str, str], bytes] = {}
        """Calls with a key that this process works on: (scope, key) to the digest of the body."""

    async def trigger_all(self, asked: Asked) -> Answer:
        """POST /executions/bulk. The answer does not wait for requests that the runs make."""
        raw = await read_json(asked, most=MOST_BYTES)
        key, caller = admit(self._runtime.catalog, asked)
        body, problems = self._read(raw)
        demand_named_tenant(key, asked, body.tenant_id)
        idempotency = idempotency_of(key, asked, raw)
        if idempotency is not None and (earlier := await self._kept.earlier(key.tenant_id, idempotency)) is not None:
            return json_answer(earlier, headers=[REPLAYED])
        if problems or asked.unfit:
            raise Unfit([*problems, *asked.unfit])
        call = _Call(asked, caller, f"engine:{key.id}:bulk", idempotency)
        if idempotency is None:
            return json_answer(await self._all(call, body.items))
        return json_answer(await self._kept.first(key.tenant_id, idempotency, await self._once(idempotency, call, body.items)))

    def _read(self, raw: bytes) -> tuple[BulkItems, tuple[Problem, ...]]:
        """The call, and what is wrong with it as a whole; its items are not looked at yet."""
        try:
            return self._quick.decode(raw), ()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            body, problems = self._items.judge(*clean(parse(raw)))
            return replace(body, items=[Raw(msgspec.json.encode(item)) for item in body.items]), problems

    async def _once(self, key: Idempotency, call: "_Call", items: Sequence[Raw]) -> BulkAnswer:
        """All of them, unless the same call is under way here.

        After a crash the call may come again: what was done of it has been done under keys of its own, and is found again.
        """
        name = (key.scope, key.key)
        if name in self._running:
            raise TurnInProgress(retry_after=1) if self._running[name] == key.digest else IdempotencyConflict
        self._running[name] = key.digest
        try:
            return await self._all(call, items)
        finally:
            del self._running[name]

    async def _all(self, call: "_Call", items: Sequence[Raw]) -> BulkAnswer:
        """A result for each, in order."""
        results: list[BulkResult] = [BulkResult(index=index, execution_id=None, error=None) for index in range(len(items))]
        requests: list[tuple[int, TriggerRequest]] = []
        for index, item in enumerate(items):
            match self._requested(call, index, bytes(item)):
                case ErrorBody() as error:
                    results[index] = BulkResult(index=index, execution_id=None, error=error)
                case request:
                    requests.append((index, request))
            if index % AT_ONCE == 0:
                await asyncio.sleep(0)  # live turns come between
        left = deque(requests)

        async def work() -> None:
            while left:
                index, request = left.popleft()
                results[index] = await self._result(call, index, request)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return BulkAnswer(results=results)

    async def _result(self, call: "_Call", index: int, request: TriggerRequest) -> BulkResult:
        try:
            taken = await self._taken(call, request)
        except Refused as refusal:
            return BulkResult(index=index, execution_id=None, error=refusal_body(_below(index, refusal), "engine"))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is logged, and the others go on
            log_failure("request_failed", error, request=call.asked.request_id, endpoint="engineTriggerMany")
            return BulkResult(index=index, execution_id=None, error=internal_body())
        self._turns.taken(call.asked, call.caller.tenant_id, taken)
        return BulkResult(index=index, execution_id=taken.reply.execution_id, error=None)

    async def _taken(self, call: "_Call", request: TriggerRequest) -> Taken:
        """The run; one of the same key that is only just beginning elsewhere is waited for."""
        for _ in range(_TRIES):
            try:
                return await self._runtime.executor.trigger(call.caller, request, patience=0)
            except TurnInProgress:
                await asyncio.sleep(_AGAIN)
        return await self._runtime.executor.trigger(call.caller, request, patience=0)

    def _requested(self, call: "_Call", index: int, raw: bytes) -> TriggerRequest | ErrorBody:
        """The item as a trigger, or what is wrong with its shape."""
        try:
            item, found = self._item.read(raw)
        except Malformed as refusal:
            return refusal_body(_below(index, refusal), "engine")
        variables = item.variables or {}
        return TriggerRequest(
            intent=item.intent_name,
            text=item.text or "",
            customer_id=item.customer_id,
            context=item.context or {},
            variables=variables,
            idempotency=call.idempotency_of(index, item.idempotency_key, raw),
            unfit=(*found, *unfit_variables(variables)),
        )


def _below(index: int, refusal: Refused) -> Refused:
    """The refusal with its problems as pointers into the body of the call."""
    if not isinstance(refusal, Malformed | Unfit):
        return refusal
    return type(refusal)([replace(problem, field=f"/items/{index}{problem.field}") for problem in refusal.problems])
