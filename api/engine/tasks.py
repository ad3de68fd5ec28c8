"""Tasks of runs, for the tenant's workers: claimed for a while, kept alive, and ended once."""

from typing import Any

from api.asked import Asked
from api.body import Shape, read_json
from api.engine.credentials import admit, demand_named_tenant
from api.engine.wire import Claim, ClaimedTask, Completion, Failure, Heartbeat, TaskKept, Tasks, TaskTaken
from api.logs import log
from api.wire import Answer, json_answer, moment
from engine.errors import ExecutionNotFound, InvalidWaitToken, NotFound, Unfit
from engine.runtime.runtime import Runtime
from engine.runtime.store.rows import TaskRow
from engine.runtime.turns.tasks import Verdict

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
        body, tenant_id = await self._read(asked, self._claim)
        lease = body.lease_seconds * _SECOND
        rows = await self._runtime.executor.claim_tasks(tenant_id, body.queue, body.limit, lease)
        return json_answer(Tasks(tasks=[self._shown(row) for row in rows]))

    async def heartbeat(self, asked: Asked) -> Answer:
        """POST /tasks/{task_id}/heartbeat."""
        body, tenant_id = await self._read(asked, self._beat)
        task_id, attempt = self._held(asked, tenant_id, body.lease_token)
        row = await self._kept(tenant_id, task_id, attempt, body.lease_seconds * _SECOND)
        return json_answer(TaskKept(task_id=row.id, lease_expires_at=moment(row.free_at)))

    async def complete(self, asked: Asked) -> Answer:
        """POST /tasks/{task_id}/complete."""
        body, tenant_id = await self._read(asked, self._done)
        return await self._deliver(asked, tenant_id, body.lease_token, Verdict(result=body.result))

    async def fail(self, asked: Asked) -> Answer:
        """POST /tasks/{task_id}/fail; with `retry` the task is free again at once."""
        body, tenant_id = await self._read(asked, self._failed)
        if not body.retry:
            return await self._deliver(asked, tenant_id, body.lease_token, Verdict(code=body.code, message=body.message))
        task_id, attempt = self._held(asked, tenant_id, body.lease_token)
        row = await self._kept(tenant_id, task_id, attempt, 0)
        return json_answer(TaskTaken(task_id=row.id, execution_id=row.run_id, status="waiting_time"))

    async def _deliver(self, asked: Asked, tenant_id: str, token: str, verdict: Verdict) -> Answer:
        task_id, attempt = self._held(asked, tenant_id, token)
        try:
            reply = await self._runtime.executor.deliver(tenant_id, task_id, attempt, verdict)
        except ExecutionNotFound:
            raise NotFound from None
        self._log.info("task_ended", request=asked.request_id, tenant=tenant_id, task=task_id, execution=reply.execution_id)
        return json_answer(TaskTaken(task_id=task_id, execution_id=reply.execution_id, status=reply.status))

    async def _kept(self, tenant_id: str, task_id: str, attempt: int, lease: int) -> TaskRow:
        try:
            return await self._runtime.executor.keep_task(tenant_id, task_id, attempt, lease)
        except ExecutionNotFound:
            raise NotFound from None

    def _held(self, asked: Asked, tenant_id: str, token: str) -> tuple[str, int]:
        """The claim that the token is for, which must be one of the task in the path."""
        found = self._runtime.keyring.lease(tenant_id, token)
        if found is None or found[0] != str(asked.scope["path_params"].get("task_id")):
            raise InvalidWaitToken("mismatched")
        return found

    async def _read(self, asked: Asked, shape: Shape[Any]) -> tuple[Any, str]:
        raw = await read_json(asked)
        key, _ = admit(self._runtime.catalog, asked)
        body, problems = shape.read(raw)
        demand_named_tenant(key, asked, body.tenant_id)
        if problems or asked.unfit:
            raise Unfit([*problems, *asked.unfit])
        return body, key.tenant_id

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
