"""Tasks of runs, for the tenant's workers: claimed for a while, kept alive, and ended once."""

from typing import Any

from api.asked import Asked
from api.body import Shape, read_json
from api.engine.credentials import admit, demand_named_tenant, idempotency_of
from api.engine.wire import Claim, ClaimedTask, Completion, Failure, Heartbeat, TaskKept, Tasks, TaskTaken
from api.logs import log
from api.wire import Answer, json_answer, replayed
from engine.errors import ExecutionNotFound, NotFound, Unfit
from engine.runtime.moments import moment
from engine.runtime.requests import Idempotency
from engine.runtime.runtime import Runtime
from engine.runtime.store.rows import TaskRow
from engine.runtime.turns.tasks import Held, Verdict

_SECOND = 1_000


class TaskSurface:
    """Hands out tasks and takes what becomes of them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._claim, self._beat = Shape(Claim), Shape(Heartbeat)
        self._done, self._failed = Shape(Completion), Shape(Failure)
        self._log: Any = log.bind(surface="engine")

    async def claim(self, asked: Asked) -> Answer:
        """POST /tasks/claim."""
        body, tenant_id, key = await self._read(asked, self._claim)
        found = await self._runtime.executor.claim_tasks(tenant_id, body.queue, body.limit, body.lease_seconds * _SECOND, key)
        return json_answer(Tasks(tasks=[self._shown(row) for row in found.tasks]), headers=replayed(found))

    async def heartbeat(self, asked: Asked) -> Answer:
        """POST /tasks/{task_id}/heartbeat."""
        body, tenant_id, key = await self._read(asked, self._beat)
        kept = await self._kept(asked, tenant_id, body.lease_token, body.lease_seconds * _SECOND, key)
        [row] = kept.tasks
        return json_answer(TaskKept(task_id=row.id, lease_expires_at=moment(row.free_at)), headers=replayed(kept))

    async def complete(self, asked: Asked) -> Answer:
        """POST /tasks/{task_id}/complete."""
        body, tenant_id, key = await self._read(asked, self._done)
        return await self._deliver(asked, tenant_id, body.lease_token, Verdict(result=body.result), key)

    async def fail(self, asked: Asked) -> Answer:
        """POST /tasks/{task_id}/fail; with `retry` the task is free again at once."""
        body, tenant_id, key = await self._read(asked, self._failed)
        if not body.retry:
            return await self._deliver(asked, tenant_id, body.lease_token, Verdict(code=body.code, message=body.message), key)
        kept = await self._kept(asked, tenant_id, body.lease_token, 0, key)
        [row] = kept.tasks
        return json_answer(TaskTaken(task_id=row.id, execution_id=row.run_id, status="waiting_time"), headers=replayed(kept))

    async def _deliver(self, asked: Asked, tenant_id: str, token: str, verdict: Verdict, key: Idempotency | None) -> Answer:
        task_id = _task_id(asked)
        try:
            taken = await self._runtime.executor.deliver(tenant_id, task_id, self._attempt(tenant_id, task_id, token), verdict, key)
        except ExecutionNotFound:
            raise NotFound from None
        reply = taken.reply
        self._log.info("task_ended", request=asked.request_id, tenant=tenant_id, task=task_id, execution=reply.execution_id)
        return json_answer(TaskTaken(task_id=task_id, execution_id=reply.execution_id, status=reply.status), headers=replayed(taken))

    async def _kept(self, asked: Asked, tenant_id: str, token: str, lease: int, key: Idempotency | None) -> Held:
        task_id = _task_id(asked)
        try:
            return await self._runtime.executor.keep_task(tenant_id, task_id, self._attempt(tenant_id, task_id, token), lease, key)
        except ExecutionNotFound:
            raise NotFound from None

    def _attempt(self, tenant_id: str, task_id: str, token: str) -> int | None:
        """The attempt that the token is for; None where it is for no claim of this task."""
        found = self._runtime.keyring.lease(tenant_id, token)
        return found[1] if found is not None and found[0] == task_id else None

    async def _read(self, asked: Asked, shape: Shape[Any]) -> tuple[Any, str, Idempotency | None]:
        raw = await read_json(asked)
        key, _ = admit(self._runtime.catalog, asked)
        body, problems = shape.read(raw)
        demand_named_tenant(key, asked, body.tenant_id)
        idempotency = idempotency_of(key, asked, raw)
        if problems or asked.unfit:
            raise Unfit([*problems, *asked.unfit])
        return body, key.tenant_id, idempotency

    def _shown(self, row: TaskRow) -> ClaimedTask:
        return ClaimedTask(
            task_id=row.id,
            queue=row.queue,
            payload=self._runtime.callbacks.filled(row.payload, row.tenant_id, row.run_id),
            attempt=row.attempt,
            lease_token=self._runtime.keyring.lease_token(row.tenant_id, row.id, row.attempt),
            lease_expires_at=moment(row.free_at),
            execution_id=row.run_id,
        )


def _task_id(asked: Asked) -> str:
    return str(asked.scope["path_params"].get("task_id"))
