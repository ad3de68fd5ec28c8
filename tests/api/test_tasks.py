"""Tasks over HTTP: claimed, kept, given back, ended once, and never another tenant's."""

from typing import Any

import httpx
import pytest

from tests.api.world import ENGINE, World

TASKS = f"{ENGINE}/tasks"
MISMATCHED = (409, "invalid_wait_token", {"reason": "mismatched"})
QUEUED: dict[str, Any] = {
    "flow": "queued",
    "intent": {"label": "Queue"},
    "nodes": {
        "look": {
            "type": "task",
            "queue": "documents",
            "payload": {"file": "a.pdf"},
            "save": "verdict",
            "on_error": {"unreadable": "sorry", "other": "end"},
            "timeout": {"after": "10m", "next": "end"},
            "next": "told",
        },
        "told": {"type": "message", "text": "{{ vars.verdict.ok }}", "next": "end"},
        "sorry": {"type": "message", "text": "{{ vars.error.message }}", "next": "end"},
    },
}


async def ask(world: World, path: str, key: str = "sk_acme", **body: Any) -> httpx.Response:
    return await world.send("POST", f"{TASKS}/{path}", token=key, body=body)


async def claimed(world: World) -> dict[str, Any]:
    """A run that waits for its task, which a worker has."""
    await world.publish(QUEUED)
    await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body={"intent_name": "queued"})
    [task] = (await ask(world, "claim", queue="documents", limit=5)).json()["tasks"]
    found: dict[str, Any] = task
    return found


async def shown(world: World, task: dict[str, Any]) -> tuple[str, list[str]]:
    envelope = (await world.send("GET", f"{ENGINE}/executions/{task['execution_id']}", token="sk_acme")).json()
    return envelope["status"], [block["payload"]["text"] for block in envelope["blocks"]]


async def test_a_worker_claims_a_task_keeps_it_and_gives_its_result(world: World) -> None:
    task = await claimed(world)
    assert set(task) == {"task_id", "queue", "payload", "attempt", "lease_token", "lease_expires_at", "execution_id"}
    waiting = (await world.send("GET", f"{ENGINE}/executions/{task['execution_id']}", token="sk_acme")).json()
    assert waiting["expected_input"]["task_id"] == task["task_id"]
    assert (task["queue"], task["payload"], task["attempt"]) == ("documents", {"file": "a.pdf"}, 1)
    kept = (await ask(world, f"{task['task_id']}/heartbeat", lease_token=task["lease_token"], lease_seconds=600)).json()
    assert kept["lease_expires_at"] > task["lease_expires_at"]
    done = await ask(world, f"{task['task_id']}/complete", lease_token=task["lease_token"], result={"ok": True})
    assert (done.status_code, done.json()["status"]) == (200, "completed")
    assert await shown(world, task) == ("completed", ["true"])
    again = await ask(world, f"{task['task_id']}/complete", lease_token=task["lease_token"], result={"ok": False})
    assert (again.status_code, again.json()["error"], again.json()["details"]["reason"]) == (409, "invalid_wait_token", "used")


async def test_a_task_that_fails_takes_its_branch_and_one_to_be_tried_again_is_free(world: World) -> None:
    task = await claimed(world)
    back = await ask(world, f"{task['task_id']}/fail", lease_token=task["lease_token"], code="busy", retry=True)
    assert back.json()["status"] == "waiting_time"
    [again] = (await ask(world, "claim", queue="documents")).json()["tasks"]
    assert (again["task_id"], again["attempt"]) == (task["task_id"], 2)
    late = await ask(world, f"{task['task_id']}/fail", lease_token=task["lease_token"], code="unreadable")
    assert late.json() == {
        "error": "invalid_wait_token",
        "message": "The lease token is not valid any more.",
        "details": {"reason": "superseded"},
    }
    await ask(world, f"{task['task_id']}/fail", lease_token=again["lease_token"], code="unreadable", message="Too dark.")
    assert await shown(world, task) == ("completed", ["Too dark."])


@pytest.mark.parametrize("act", ["complete", "fail", "heartbeat"])
async def test_whoever_has_given_a_task_back_has_no_more_to_say_of_it_but_a_repeat_gets_its_answer(world: World, act: str) -> None:
    task = await claimed(world)
    path, held = f"{TASKS}/{task['task_id']}", {"lease_token": task["lease_token"]}
    first, again = [
        await world.send("POST", f"{path}/fail", token="sk_acme", body={**held, "retry": True}, idempotency_key="back") for _ in range(2)
    ]
    late = await ask(world, f"{task['task_id']}/{act}", **held)
    assert (late.status_code, late.json()["error"], late.json()["details"]["reason"]) == (409, "invalid_wait_token", "superseded")
    assert (first.status_code, again.content, again.headers["idempotent-replayed"]) == (200, first.content, "true")
    assert (await shown(world, task))[0] == "waiting_time"


@pytest.mark.parametrize("act", ["complete", "fail", "heartbeat"])
async def test_a_claim_is_worth_nothing_to_others_or_for_another_task(world: World, act: str) -> None:
    task = await claimed(world)
    for path, key, token, told in (
        (task["task_id"], "sk_globex", task["lease_token"], (404, "not_found", {})),
        ("019b8d62-7a80-74f8-a5c8-bc6193604bfd", "sk_acme", task["lease_token"], (404, "not_found", {})),
        ("nothing-like-it", "sk_acme", task["lease_token"], (404, "not_found", {})),
        (task["task_id"], "sk_acme", task["lease_token"][:-1] + ("A" if task["lease_token"][-1] != "A" else "B"), MISMATCHED),
        (task["task_id"], "sk_acme", "", MISMATCHED),
    ):
        answer = await ask(world, f"{path}/{act}", key=key, lease_token=token)
        assert (answer.status_code, answer.json()["error"], answer.json()["details"]) == told
    assert (await shown(world, task))[0] == "waiting_time"


async def test_another_tenant_has_no_such_tasks(world: World) -> None:
    task = await claimed(world)
    assert (await ask(world, "claim", key="sk_globex", queue="documents", limit=100)).json() == {"tasks": []}
    assert task["attempt"] == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("claim", {"queue": "Not a name"}),
        ("claim", {"queue": "documents", "limit": 0}),
        ("claim", {"queue": "documents", "lease_seconds": 3601}),
        ("claim", {"queue": "documents", "more": 1}),
        ("x/fail", {"lease_token": "t", "code": ""}),
        ("x/heartbeat", {"lease_token": "t", "lease_seconds": 0}),
    ],
)
async def test_what_is_not_acceptable_is_told(world: World, path: str, body: dict[str, Any]) -> None:
    answer = await ask(world, path, **body)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_input")


async def test_a_repeat_with_the_same_key_gives_the_same_answer(world: World) -> None:
    await world.publish(QUEUED)
    for _ in range(2):
        await world.send("POST", f"{ENGINE}/triggers/chat", token="sk_acme", body={"intent_name": "queued"})

    async def twice(path: str, **body: Any) -> dict[str, Any]:
        """The answer, which is the same at the second time, while another body is refused."""
        key = f"k {path}"
        first, again = [await world.send("POST", f"{TASKS}/{path}", token="sk_acme", body=body, idempotency_key=key) for _ in range(2)]
        assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true"), first.text
        assert "idempotent-replayed" not in first.headers
        other = await world.send("POST", f"{TASKS}/{path}", token="sk_acme", body={**body, "tenant_id": None}, idempotency_key=key)
        assert (other.status_code, other.json()["error"]) == (409, "idempotency_conflict")
        found: dict[str, Any] = first.json()
        return found

    [task] = (await twice("claim", queue="documents"))["tasks"]
    path, held = task["task_id"], {"lease_token": task["lease_token"]}
    await twice(f"{path}/heartbeat", **held)
    assert (await twice(f"{path}/complete", **held, result={"ok": True}))["status"] == "completed"
    [other] = (await ask(world, "claim", queue="documents")).json()["tasks"]
    given_back = await twice(f"{other['task_id']}/fail", lease_token=other["lease_token"], retry=True)
    assert given_back["status"] == "waiting_time"
    assert len((await ask(world, "claim", queue="documents", limit=5)).json()["tasks"]) == 1
