"""The routes of the engine surface. Each makes its checks in the order that the contract gives, one line a check."""

from typing import Final, cast, get_args

from msgspec import structs

from api.asked import Asked, existing_id
from api.body import Shape, read_json
from api.engine.bulk import BulkSurface
from api.engine.credentials import admit, demand_named_tenant, demand_own_tenant, idempotency_of
from api.engine.render import envelope, intent
from api.engine.signals import SignalSurface
from api.engine.tasks import TaskSurface
from api.engine.wire import Cancellation, ChatTrigger, Envelope, Envelopes, Intents, Resume, Trace
from api.errors import refusal_answer
from api.fitness import unfit_variables, usage_of
from api.following import followed
from api.foreign import clean_text
from api.offers import offers
from api.parameters import demand_fit, one_of, preferred_wait, whole_number
from api.shared import demand_one_answer
from api.turnlog import TurnLog
from api.wire import Answer, fingerprint, json_answer, replayed, tagged_answer
from engine.errors import InvalidWaitToken, Unfit
from engine.model.problems import Problem
from engine.model.run import Status
from engine.model.values import Millis
from engine.runtime.executor import PATIENCE, Taken
from engine.runtime.moments import moment
from engine.runtime.reading import tag
from engine.runtime.replies import TurnReply
from engine.runtime.requests import Caller, CancelRequest, ResumeRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.runtime.store.port import RunFilter
from engine.runtime.store.registry import ApiKeyRow

_KEPT_SECONDS: Final = 300
_MOST_LISTED: Final = 100


class EngineSurface:
    """Serves the tenants' own servers."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._trigger = Shape(ChatTrigger)
        self._resume = Shape(Resume)
        self._cancel = Shape(Cancellation)
        self._turns = TurnLog("engine")
        self.signals = SignalSurface(runtime)
        self.tasks = TaskSurface(runtime)
        self.bulk = BulkSurface(runtime)

    async def trigger_chat(self, asked: Asked) -> Answer:
        """POST /triggers/chat."""
        raw = await read_json(asked)
        key, caller = admit(self._runtime.catalog, asked)
        body, found = self._trigger.read(raw)
        demand_named_tenant(key, asked, body.tenant_id)
        patience = preferred_wait(asked, PATIENCE)
        variables = body.variables or {}
        unfit = [*found, *unfit_variables(variables)]
        request = TriggerRequest(
            intent=body.intent_name,
            text=body.text or "",
            conversation_id=None if body.conversation_id is None else existing_id(body.conversation_id),
            customer_id=body.customer_id,
            context=body.context or {},
            variables=variables,
            usage=usage_of(body.token_usage, "/token_usage", unfit),
            idempotency=idempotency_of(key, asked, raw),
            unfit=(*unfit, *asked.unfit),
        )
        return self._taken(asked, key, await self._runtime.executor.trigger(caller, request, patience=patience))

    async def resume(self, asked: Asked) -> Answer:
        """POST /executions/{id}/resume."""
        raw = await read_json(asked)
        key, caller = admit(self._runtime.catalog, asked)
        body, found = self._resume.read(raw)
        demand_one_answer(values=body.input.values, text=body.input.text, at="/input", unfit=found)
        demand_named_tenant(key, asked, body.tenant_id)
        patience = preferred_wait(asked, PATIENCE)
        request = self._answer_request(asked, key, raw, body, found)
        try:
            taken = await self._runtime.executor.resume(caller, request, patience=patience)
        except InvalidWaitToken as refusal:
            current = self._shown(refusal.current, key) if isinstance(refusal.current, TurnReply) else None
            return refusal_answer(refusal, "engine", more={"current": current})
        except Unfit as refusal:
            raise Unfit([_below_input(problem) for problem in refusal.problems]) from None
        return self._taken(asked, key, taken)

    async def cancel_execution(self, asked: Asked) -> Answer:
        """POST /executions/{id}/cancel."""
        raw = await read_json(asked)
        key, caller = admit(self._runtime.catalog, asked)
        body, unfit = self._cancel.read(raw or b"{}")
        demand_named_tenant(key, asked, body.tenant_id)
        run_id = asked.path_id("execution_id")
        idempotency = idempotency_of(key, asked, raw)
        if unfit or asked.unfit:
            await self._runtime.reader.latest(caller, run_id)
            raise Unfit([*unfit, *asked.unfit])
        return self._taken(asked, key, await self._runtime.executor.cancel(caller, CancelRequest(run_id=run_id, idempotency=idempotency)))

    async def get_execution(self, asked: Asked) -> Answer:
        """GET /executions/{id}, which may wait for news."""
        key, caller, _ = self._reader(asked)
        reply = await followed(self._runtime.reader, caller, asked)
        return tagged_answer(self._shown(reply, key), tag(reply), asked.header(b"if-none-match"))

    async def get_trace(self, asked: Asked) -> Answer:
        """GET /executions/{id}/trace."""
        _, caller, _ = self._reader(asked)
        visits = await self._runtime.reader.trace(caller, asked.path_id("execution_id"))
        return json_answer(Trace(visits=[{**visit, "at": moment(cast("Millis", visit["at"]))} for visit in visits]))

    async def list_executions(self, asked: Asked) -> Answer:
        """GET /executions?status=&intent=&conversation_id=&limit=."""
        key, caller, query = self._reader(asked)
        chosen = RunFilter(
            conversation_id=existing_id(query["conversation_id"]) if "conversation_id" in query else None,
            status=one_of(asked, query, "status", get_args(Status)),
            intent=clean_text(query["intent"]) if "intent" in query else None,
            limit=whole_number(asked, query, "limit", 20, (1, _MOST_LISTED)),
        )
        if chosen.conversation_id is not None:
            await self._runtime.reader.conversation(caller, chosen.conversation_id)
        demand_fit(asked, query)
        replies = await self._runtime.reader.runs(caller, chosen)
        return json_answer(Envelopes(executions=[self._shown(reply, key) for reply in replies]))

    async def list_intents(self, asked: Asked) -> Answer:
        """GET /intents."""
        key, _, _ = self._reader(asked)
        shown = [intent(offer) for offer in offers(self._runtime.catalog, key.tenant_id, None, None)]
        etag = fingerprint(shown)
        answer = Intents(intents=shown, etag=etag, cache_max_age_seconds=_KEPT_SECONDS)
        return tagged_answer(answer, etag, asked.header(b"if-none-match"))

    def _reader(self, asked: Asked) -> tuple[ApiKeyRow, Caller, dict[str, str]]:
        """Key, caller and query of a GET."""
        key, caller = admit(self._runtime.catalog, asked)
        query = asked.query()
        demand_own_tenant(key, query.get("tenant_id"))
        return key, caller, query

    def _answer_request(self, asked: Asked, key: ApiKeyRow, raw: bytes, body: Resume, found: tuple[Problem, ...]) -> ResumeRequest:
        variables = body.variables or {}
        unfit = [*found, *unfit_variables(variables)]
        return ResumeRequest(
            run_id=asked.path_id("execution_id"),
            wait_token=body.wait_token,
            values=body.input.values,
            text=body.input.text,
            context=body.context or {},
            variables=variables,
            usage=usage_of(body.token_usage, "/token_usage", unfit),
            idempotency=idempotency_of(key, asked, raw),
            unfit=(*unfit, *asked.unfit),
        )

    def _shown(self, reply: TurnReply, key: ApiKeyRow) -> Envelope:
        return envelope(reply, self._runtime.keyring, key.tenant_id)

    def _taken(self, asked: Asked, key: ApiKeyRow, taken: Taken) -> Answer:
        self._turns.taken(asked, key.tenant_id, taken)
        return json_answer(self._shown(taken.reply, key), headers=replayed(taken))


def _below_input(problem: Problem) -> Problem:
    """The answer's problems as pointers into this surface's body, where the answer stands under `input`."""
    answers = problem.field.split("/")[1:2] in (["values"], ["text"])
    return structs.replace(problem, field=f"/input{problem.field}") if answers else problem
