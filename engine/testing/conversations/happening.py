"""The steps that come from outside: events, results of tasks, callbacks. What comes late, or once more, does nothing."""

from engine.errors import ExecutionAborted, IdempotencyConflict, InvalidWaitToken
from engine.model.nodes import Node, Task, Wait
from engine.runtime.turns.tasks import Verdict
from engine.testing.conversations.comparing import Mismatch, compact, nearest
from engine.testing.conversations.performance import Performance
from engine.testing.conversations.script import CalledBack, Happened, TaskEnded


async def happen(performance: Performance, event: Happened) -> None:
    """Runs that were waiting for it go on, then those that it starts begin; the last of these is the one that the steps concern."""
    performance.note("event", f"{event.name} {compact(event.data)}")
    known = {run.id for run in performance.runs}
    told = await performance.scene.happen(event.name, event.data)
    await performance.catch_up()
    for run_id in told:
        if run_id not in known:
            await performance.began((await performance.scene.turns_after(run_id, -1))[0])


async def end_task(performance: Performance, step: TaskEnded) -> None:
    """The run goes on with what its worker says; raises Mismatch where the node is none that has ever put a task into its queue."""
    place = _place(performance, step.node, Task, "task")
    failed = step.error
    verdict = Verdict(result=step.result) if failed is None else Verdict(code=failed.code, message=failed.message)
    performance.note("task", f"{step.node} {compact(step.result if failed is None else {'code': failed.code, 'message': failed.message})}")
    wait_id = performance.run.waits.get(place)
    if wait_id is None:
        raise Mismatch(f"`{step.node}` has put no task into its queue: the run is {performance.run.reply.status}")
    try:
        await performance.scene.end_task(wait_id, verdict)
    except InvalidWaitToken as late:
        performance.note("", f"nothing comes of it: {late.reason}")


async def call_back(performance: Performance, step: CalledBack) -> None:
    """The newest address that was given away for the node is called; raises Mismatch where none was."""
    _, node = _place(performance, step.node, Wait, "wait")
    performance.note("call", f"{step.node} {compact(step.body)}")
    keys = [key.split("/") for key in performance.scene.given_away(performance.run.id)]
    visits = [(int(frame), int(visit)) for frame, name, visit in keys if name == node]
    if not visits:
        raise Mismatch(f"nobody knows the address of `{step.node}`: `callbacks.{node}` has not left the run yet")
    frame, visit = max(visits)
    try:
        await performance.scene.call_back(performance.run.id, f"{frame}/{node}/{visit}", step.body)
    except (ExecutionAborted, IdempotencyConflict) as late:
        performance.note("", f"nothing comes of it: {late.code}")


def _place(performance: Performance, name: str, kind: type[Node], what: str) -> tuple[str, str]:
    """The flow and the id of the node that a step names."""
    flow, _, node = name.rpartition("/")
    nodes = performance.scene.nodes(flow or performance.flow)
    if not isinstance(nodes.get(node), kind):
        known = [known for known, found in nodes.items() if isinstance(found, kind)]
        raise Mismatch(f"there is no {what} `{name}`{nearest(node, known)}")
    return flow or performance.flow, node
