"""What a receiver gets: signed by its secret, and the same however often it comes."""

from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from engine.runtime.requests import CancelRequest, Idempotency, OpenRequest
from engine.runtime.vault import Vault
from engine.runtime.webhooks.endpoints import (
    OVERLAP,
    BadWebhook,
    add_webhook,
    change_webhook,
    rotate_webhook,
    signing_secrets,
)
from engine.testing.memory import MemoryRegistry
from tests.webhooks.conftest import KEY, OTHER, TENANT, World
from tests.webhooks.receiver import Received, Receiver

TASK = """
flow: check
intent: {}
nodes:
  look: {type: task, queue: documents, payload: {file: secret-file}, timeout: {after: 1h, next: end}, next: end}
"""
HANDED_OUT = """
flow: pay
intent: {}
nodes:
  tell: {type: emit, event: pay.asked, data: {reply_to: ["{{ callbacks.paid }}"]}, next: paid}
  paid: {type: wait, event: pay.done, timeout: {after: 15m, next: end}, next: end}
"""


def verified(one: Received, secret: str) -> dict[str, Any]:
    """What the receiver reads once it has checked the signature."""
    told: dict[str, Any] = Webhook(secret).verify(one.body, one.headers)
    return told


async def test_a_receiver_verifies_what_a_run_tells_and_hears_it_in_order(world: World, receiver: Receiver) -> None:
    _, secret = await world.endpoint(receiver.url)
    run = await world.run()
    await world.send()
    told = [verified(one, secret) for one in receiver.received if one.told["execution_id"] == run]
    assert [one["type"] for one in told] == ["chat.execution.started", "order.named", "chat.execution.completed"]
    assert told[1]["data"] == {"number": "A-1"}
    assert (told[2]["data"]["status"], told[2]["data"]["end_reason"]) == ("completed", "completed")
    assert len({one.id for one in receiver.received}) == len(receiver.received) == 4
    assert {one.path for one in receiver.received} == {"/hook"}
    assert {one.headers["content-type"] for one in receiver.received} == {"application/json"}


async def test_what_was_changed_on_its_way_or_signed_by_another_is_not_verified(world: World, receiver: Receiver) -> None:
    _, secret = await world.endpoint(receiver.url)
    _, another = await world.endpoint(receiver.url)
    await world.customer()
    await world.send()
    mine = next(one for one in receiver.received if _opens(one, secret))
    assert not _opens(mine, another)
    assert not _opens(Received(mine.path, mine.headers, mine.body + b" "), secret)
    assert not _opens(Received(mine.path, {**mine.headers, "webhook-id": "other"}, mine.body), secret)


def _opens(one: Received, secret: str) -> bool:
    try:
        Webhook(secret).verify(one.body, one.headers)
    except WebhookVerificationError:
        return False
    return True


async def test_a_session_tells_of_its_conversation_once_and_a_repeat_tells_nothing(world: World, receiver: Receiver) -> None:
    await world.endpoint(receiver.url)
    key = Idempotency("session", "k" * 40, b"digest")
    opened = [await world.runtime.executor.open(TENANT, OpenRequest(public_key_id="key", idempotency=key)) for _ in range(2)]
    again = OpenRequest(public_key_id="key", continued=opened[0].conversation_id, locale="de")
    await world.runtime.executor.open(TENANT, again)
    await world.send()
    assert sorted((one.type, one.told["execution_id"]) for one in receiver.received) == [("chat.session.created", None)] * 2
    about = {"conversation_id": opened[0].conversation_id, "customer_id": None, "public_key_id": "key"}
    assert [one.told["data"] for one in sorted(receiver.received, key=_continued)] == [
        {**about, "locale": None, "continued": False},
        {**about, "locale": "de", "continued": True},
    ]


def _continued(one: Received) -> bool:
    return bool(one.told["data"]["continued"])


async def test_a_task_is_told_of_without_what_it_is_about(world: World, receiver: Receiver) -> None:
    await world.publish(TASK)
    await world.endpoint(receiver.url, "chat.task.created")
    _, reply = await world.start(intent="check")
    (task,) = (await world.runtime.executor.claim_tasks(TENANT, "documents", 10, 1_000)).tasks
    await world.send()
    (one,) = receiver.received
    assert one.told["data"] == {
        "execution_id": reply.execution_id,
        "conversation_id": reply.conversation_id,
        "turn_id": reply.turn_id,
        "status": "waiting_time",
        "end_reason": None,
        "code": None,
        "task_id": task.id,
        "queue": "documents",
    }


async def test_a_wait_that_expires_is_told_before_what_it_causes_and_a_cancel_ends_a_run(world: World, receiver: Receiver) -> None:
    await world.endpoint(receiver.url, "chat.wait.expired", "chat.execution.completed", "chat.execution.aborted")
    await world.start()
    world.clock.advance(600_000)
    await world.runtime.scheduler.sweep()
    caller, reply = await world.start()
    await world.send()
    assert receiver.types == ["chat.wait.expired", "chat.execution.completed"]
    await world.runtime.executor.cancel(caller, CancelRequest(run_id=reply.execution_id))
    await world.send()
    assert receiver.types[2:] == ["chat.execution.aborted"]
    assert receiver.received[2].told["data"]["end_reason"] == "cancelled"


async def test_callbacks_in_what_a_flow_emits_are_addresses_when_they_leave(world: World, receiver: Receiver) -> None:
    await world.publish(HANDED_OUT)
    await world.endpoint(receiver.url, "pay.asked")
    await world.start(intent="pay")
    await world.send()
    (address,) = receiver.received[0].told["data"]["reply_to"]
    assert address.startswith("https://baton.example/api/v1/engine/callbacks/cb_")


async def test_only_the_types_that_an_endpoint_names_are_sent_to_it(world: World, receiver: Receiver) -> None:
    await world.endpoint(receiver.url, "order.named", "chat.execution.failed")
    await world.run()
    await world.send()
    assert receiver.types == ["order.named"]


async def test_what_one_tenant_tells_another_does_not_hear(world: World, receiver: Receiver) -> None:
    await world.endpoint(receiver.url, tenant=TENANT)
    await world.run(OTHER)
    await world.send()
    assert receiver.received == []


async def test_while_a_secret_is_rotated_both_open_what_is_sent_and_then_the_new_one_alone(world: World, receiver: Receiver) -> None:
    endpoint, old = await world.endpoint(receiver.url, "chat.session.created")
    _, new = await rotate_webhook(world.registry, world.vault, endpoint, world.clock.wall())
    await world.runtime.catalog.refresh()
    await world.customer()
    await world.send()
    assert len(receiver.received[0].headers["webhook-signature"].split(" ")) == 2
    assert [_opens(receiver.received[0], secret) for secret in (old, new)] == [True, True]
    (row,) = world.runtime.catalog.webhooks()
    end = row.old_until
    assert end == world.clock.wall() + OVERLAP
    assert len(signing_secrets(world.vault, row, end - 1)) == 2
    assert signing_secrets(world.vault, row, end) == [new]
    world.clock.advance(OVERLAP)
    await world.sender.tidy()
    await world.runtime.catalog.refresh()
    (row,) = world.runtime.catalog.webhooks()
    assert (row.old_secret, row.old_until) == (None, None)


async def test_a_secret_that_is_rotated_twice_leaves_the_newest_two(world: World, receiver: Receiver) -> None:
    row, first = await world.endpoint(receiver.url)
    row, second = await rotate_webhook(world.registry, world.vault, row, world.clock.wall())
    row, third = await rotate_webhook(world.registry, world.vault, row, world.clock.wall())
    assert signing_secrets(world.vault, row, world.clock.wall()) == [third, second]
    assert first not in (second, third)


async def test_secrets_are_kept_sealed(world: World, receiver: Receiver) -> None:
    row, old = await world.endpoint(receiver.url)
    row, new = await rotate_webhook(world.registry, world.vault, row, world.clock.wall())
    assert all(secret.removeprefix("whsec_").encode() not in msgspec.msgpack.encode(row) for secret in (old, new))


@pytest.mark.parametrize(
    ("url", "events", "told"),
    [
        ("ftp://shop.example/", [], "The URL cannot be used"),
        ("https://user:word@shop.example/", [], "The URL cannot be used"),
        ("https://127.1/", [], "The URL cannot be used"),
        ("https://shop.example/" + "a" * 2_000, [], "at most 2,000 characters"),
        ("https://shop.example/#part", [], "no fragment"),
        ("https://shop.example/", ["Order"], "no type of an event"),
        ("https://shop.example/", ["chat.execution.ended"], "There is no event 'chat.execution.ended'"),
        ("https://shop.example/", [f"order.n{number}" for number in range(101)], "at most 100 types"),
    ],
)
async def test_an_endpoint_that_could_not_work_is_refused_and_changes_nothing(url: str, events: list[str], told: str) -> None:
    registry, vault = MemoryRegistry(), Vault([KEY])
    row, _ = await add_webhook(registry, vault, TENANT, "https://shop.example/hooks", [], 1)
    with pytest.raises(BadWebhook, match=told):
        await add_webhook(registry, vault, TENANT, url, events, 2)
    with pytest.raises(BadWebhook, match=told):
        await change_webhook(registry, row, 2, url=url, events=events)
    assert (await registry.register()).webhooks == (row,)
