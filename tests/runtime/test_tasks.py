"""Tasks for outside workers: each is held by one at a time, ended once, and gone with its wait."""

import asyncio

import pytest

from engine.errors import ExecutionNotFound, InvalidWaitToken
from engine.runtime.reading import latest_reply
from engine.runtime.replies import TurnReply
from engine.runtime.requests import CancelRequest
from engine.runtime.store.rows import TaskRow
from engine.runtime.turns.tasks import Verdict
from tests.runtime.conftest import TENANT, World

MINUTE = 60_000
CHECKED = """
flow: checked
intent: {}
nodes:
  look:
    type: task
    queue: documents
    payload: {file: "{{ trigger.text }}", pages: {each: "[1, 2]", do: {page: "{{ item }}"}}}
    save: verdict
    on_error: {unreadable: again, other: sorry}
    remind: [{after: 1m, text: Still looking.}]
    timeout: {after: 10m, next: late}
    next: told
  told: {type: message, text: "{{ vars.verdict.ok }} {{ nodes.look.ok }}", next: end}
  again: {type: message, text: "Again: {{ vars.error.message }} {{ vars.verdict }}", next: end}
  sorry: {type: message, text: "{{ vars.error.code }}", next: end}
  late: {type: message, text: Too late., next: end}
"""


def texts(reply: TurnReply) -> list[str]:
    return [block.payload["text"] for block in reply.blocks]


@pytest.fixture
async def checked(world: World) -> World:
    await world.publish_text(CHECKED)
    return world


async def claim(world: World, tenant_id: str, queue: str, limit: int, lease: int) -> tuple[TaskRow, ...]:
    return (await world.executor.claim_tasks(tenant_id, queue, limit, lease)).tasks


async def latest(world: World, reply: TurnReply) -> TurnReply:
    view = await world.runtime.store.run(TENANT, reply.execution_id)
    assert view is not None
    return latest_reply(view)


async def test_a_worker_gets_the_task_and_the_run_goes_on_with_its_result(checked: World) -> None:
    reply = await checked.trigger(await checked.customer(), "checked")
    assert (reply.status, reply.wait_id is not None, reply.answerable) == ("waiting_time", True, False)
    [task] = await claim(checked, TENANT, "documents", 5, MINUTE)
    assert (task.run_id, task.attempt, task.payload) == (reply.execution_id, 1, {"file": "hi", "pages": [{"page": 1}, {"page": 2}]})
    told = (await checked.executor.deliver(TENANT, task.id, 1, Verdict(result={"ok": True}))).reply
    assert (told.status, texts(told)) == ("completed", ["true true"])
    with pytest.raises(InvalidWaitToken) as refused:
        await checked.executor.deliver(TENANT, task.id, 1, Verdict(result={"ok": False}))
    assert refused.value.reason == "used"


@pytest.mark.parametrize(("code", "said"), [("unreadable", "Again: blurred "), ("lost", "lost")])
async def test_a_task_that_fails_takes_the_branch_for_its_code(checked: World, code: str, said: str) -> None:
    await checked.trigger(await checked.customer(), "checked")
    [task] = await claim(checked, TENANT, "documents", 1, MINUTE)
    told = (await checked.executor.deliver(TENANT, task.id, 1, Verdict(code=code, message="blurred"))).reply
    assert texts(told) == [said]


async def test_a_task_is_held_by_one_worker_until_its_lease_runs_out(checked: World) -> None:
    await checked.trigger(await checked.customer(), "checked")
    claims = await asyncio.gather(*(claim(checked, TENANT, "documents", 1, MINUTE) for _ in range(10)))
    [task] = [task for claim in claims for task in claim]
    checked.clock.advance(MINUTE - 1)
    assert await claim(checked, TENANT, "documents", 1, MINUTE) == ()
    await checked.executor.keep_task(TENANT, task.id, 1, MINUTE)
    checked.clock.advance(MINUTE - 1)
    assert await claim(checked, TENANT, "documents", 1, MINUTE) == ()
    checked.clock.advance(1)
    [again] = await claim(checked, TENANT, "documents", 1, MINUTE)
    assert (again.id, again.attempt) == (task.id, 2)
    for late in (checked.executor.deliver(TENANT, task.id, 1, Verdict(result={})), checked.executor.keep_task(TENANT, task.id, 1, MINUTE)):
        with pytest.raises(InvalidWaitToken) as refused:
            await late
        assert refused.value.reason == "superseded"
    assert texts((await checked.executor.deliver(TENANT, task.id, 2, Verdict(result={"ok": 1}))).reply)[-1] == "1 1"


@pytest.mark.parametrize("first", ["claim", "late result"])
async def test_a_task_is_not_given_away_and_ended_at_the_same_moment(checked: World, first: str) -> None:
    await checked.trigger(await checked.customer(), "checked")
    [task] = await claim(checked, TENANT, "documents", 1, MINUTE)
    checked.clock.advance(MINUTE)
    next_claim = claim(checked, TENANT, "documents", 1, MINUTE)
    late = checked.executor.deliver(TENANT, task.id, 1, Verdict(result={"ok": True}))
    outcomes = await asyncio.gather(*([next_claim, late] if first == "claim" else [late, next_claim]), return_exceptions=True)
    claimed, delivered = outcomes if first == "claim" else reversed(outcomes)
    assert isinstance(delivered, InvalidWaitToken) == (claimed != ())


async def test_a_task_that_is_given_back_is_free_at_once(checked: World) -> None:
    await checked.trigger(await checked.customer(), "checked")
    [task] = await claim(checked, TENANT, "documents", 1, MINUTE)
    await checked.executor.keep_task(TENANT, task.id, 1, 0)
    assert [one.attempt for one in await claim(checked, TENANT, "documents", 1, MINUTE)] == [2]


async def test_a_claim_that_is_given_back_is_worth_nothing_from_then_on_whether_or_not_somebody_has_the_task(checked: World) -> None:
    await checked.trigger(await checked.customer(), "checked")
    [task] = await claim(checked, TENANT, "documents", 1, MINUTE)
    await checked.executor.keep_task(TENANT, task.id, 1, 0)

    async def refused() -> list[str]:
        late = (
            checked.executor.deliver(TENANT, task.id, 1, Verdict(result={"ok": True})),
            checked.executor.deliver(TENANT, task.id, 1, Verdict(code="lost")),
            checked.executor.keep_task(TENANT, task.id, 1, MINUTE),
            checked.executor.keep_task(TENANT, task.id, 1, 0),
        )
        outcomes = await asyncio.gather(*late, return_exceptions=True)
        return [one.reason for one in outcomes if isinstance(one, InvalidWaitToken)]

    assert await refused() == ["superseded"] * 4
    [again] = await claim(checked, TENANT, "documents", 1, MINUTE)
    assert again.attempt == 2
    assert await refused() == ["superseded"] * 4
    assert texts((await checked.executor.deliver(TENANT, task.id, 2, Verdict(result={"ok": 1}))).reply) == ["1 1"]


async def test_a_claim_is_given_back_or_its_task_ended_and_never_both(checked: World) -> None:
    for first in ("back", "result"):
        await checked.trigger(await checked.customer(), "checked")
        [task] = await claim(checked, TENANT, "documents", 1, MINUTE)
        back = checked.executor.keep_task(TENANT, task.id, 1, 0)
        result = checked.executor.deliver(TENANT, task.id, 1, Verdict(result={"ok": True}))
        outcomes = await asyncio.gather(*([back, result] if first == "back" else [result, back]), return_exceptions=True)
        assert [isinstance(one, InvalidWaitToken) for one in outcomes] == [False, True]
        left = await claim(checked, TENANT, "documents", 1, MINUTE)
        assert [one.attempt for one in left] == ([2] if first == "back" else [])


async def test_tasks_come_in_the_order_in_which_they_were_made_and_from_their_queue_alone(checked: World) -> None:
    caller = await checked.customer()
    runs = []
    for _ in range(3):
        runs.append((await checked.trigger(caller, "checked")).execution_id)
        checked.clock.advance(1)
    assert await claim(checked, TENANT, "other", 5, MINUTE) == ()
    assert await claim(checked, "another tenant", "documents", 5, MINUTE) == ()
    assert [task.run_id for task in await claim(checked, TENANT, "documents", 2, MINUTE)] == runs[:2]


@pytest.mark.parametrize("how", ["timeout", "cancel"])
async def test_a_task_is_gone_with_its_wait(checked: World, how: str) -> None:
    caller = await checked.customer()
    reply = await checked.trigger(caller, "checked")
    [task] = await claim(checked, TENANT, "documents", 1, 60 * MINUTE)
    if how == "timeout":
        checked.clock.advance(10 * MINUTE)
        await checked.runtime.scheduler.sweep()
        assert texts(await latest(checked, reply)) == ["Still looking.", "Too late."]
    else:
        await checked.executor.cancel(caller, CancelRequest(run_id=reply.execution_id))
    with pytest.raises(InvalidWaitToken) as refused:
        await checked.executor.deliver(TENANT, task.id, 1, Verdict(result={"ok": True}))
    assert refused.value.reason == "expired"
    checked.clock.advance(60 * MINUTE)
    assert await claim(checked, TENANT, "documents", 1, MINUTE) == ()


async def test_result_deadline_and_cancel_at_the_same_moment_have_one_winner(checked: World) -> None:
    for _ in range(20):
        caller = await checked.customer()
        reply = await checked.trigger(caller, "checked")
        [task] = await claim(checked, TENANT, "documents", 1, 60 * MINUTE)
        deliveries = [checked.executor.deliver(TENANT, task.id, 1, Verdict(result={"ok": n})) for n in range(3)]
        cancel = checked.executor.cancel(caller, CancelRequest(run_id=reply.execution_id))
        outcomes = await asyncio.gather(*deliveries, cancel, return_exceptions=True)
        assert sum(isinstance(one, InvalidWaitToken) for one in outcomes) == 2
        assert (await latest(checked, reply)).rev == 2


async def test_a_task_that_nobody_has_made_is_not_found(checked: World) -> None:
    with pytest.raises(ExecutionNotFound):
        await checked.executor.deliver(TENANT, "no", 1, Verdict(result={}))
