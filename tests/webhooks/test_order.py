"""Whatever an endpoint answers: each run is told in its order, nothing is lost, and what is given up can be sent again."""

import itertools

import pytest
from msgspec.structs import replace

from engine.model.values import Millis
from engine.runtime.outbound.port import Outcome
from engine.runtime.store.deliveries import Delivery
from engine.runtime.store.rows import DeliveryRow
from engine.runtime.webhooks.endpoints import change_webhook, delete_webhook
from engine.runtime.webhooks.plan import JITTER, PAUSES, after, pause
from tests.webhooks.conftest import Chance, World
from tests.webhooks.receiver import Receiver

DAY: Millis = 86_400_000
RUNS = ("chat.execution.started", "order.named", "chat.execution.completed")
TOLD = [*RUNS]


async def test_a_later_event_of_a_run_waits_for_an_earlier_one_and_other_runs_do_not(world: World, receiver: Receiver) -> None:
    await world.endpoint(receiver.url, *RUNS)
    first = await world.run()
    receiver.status = lambda one: 500 if (one.told["execution_id"], one.type) == (first, "order.named") else 200
    second = await world.run()
    await world.send()
    assert of_run(receiver, first) == TOLD[:2]
    assert of_run(receiver, second) == TOLD
    receiver.status = lambda _: 200
    await world.send()
    assert of_run(receiver, first) == TOLD[:2]
    world.clock.advance(PAUSES[0])
    await world.send()
    assert of_run(receiver, first) == [*TOLD[:2], *TOLD[1:]]


def of_run(receiver: Receiver, run_id: str) -> list[str]:
    return [one.type for one in receiver.received if one.told["execution_id"] == run_id]


async def test_the_tries_of_an_event_follow_the_plan_until_it_is_parked_and_the_next_one_goes_on(
    world: World, receiver: Receiver, chance: Chance
) -> None:
    endpoint, _ = await world.endpoint(receiver.url, *RUNS)
    receiver.status = lambda one: 503 if one.type == "order.named" else 204
    began = world.clock.wall()
    await world.run()
    tries = []
    while not await world.listed(endpoint, "parked"):
        before = receiver.types.count("order.named")
        await world.send()
        if receiver.types.count("order.named") > before:
            tries.append(world.clock.wall() - began)
        due_at = (await world.deliveries.outlook()).due_at
        chance.value = 1 - chance.value
        if due_at is not None:
            world.clock.advance(due_at - world.clock.wall() - 1)
            await world.send()
            world.clock.advance(1)
    world.clock.advance(30_000)
    await world.send()
    waits = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert waits == [round(wait * (1.2 if number % 2 else 1)) for number, wait in enumerate(PAUSES)]
    assert receiver.types == [TOLD[0], *[TOLD[1]] * 8, TOLD[2]]
    assert len({one.id for one in receiver.received if one.type == TOLD[1]}) == 1
    stamps = [int(one.headers["webhook-timestamp"]) for one in receiver.received]
    assert stamps == sorted(stamps)
    assert len({one.body for one in receiver.received if one.type == TOLD[1]}) == 1
    (parked,) = await world.listed(endpoint, "parked")
    assert (parked.row.tries, parked.row.status, parked.row.code) == (8, 503, "http.status")


def test_the_pauses_are_those_of_the_contract_and_chance_makes_them_longer_by_a_fifth_at_most() -> None:
    assert PAUSES == (5_000, 30_000, 2 * 60_000, 10 * 60_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000)
    for tries, told in enumerate(PAUSES, 1):
        assert [pause(tries, chance) for chance in (0.0, 0.5, 1.0)] == [told, round(told * 1.1), round(told * (1 + JITTER))]


@pytest.mark.parametrize("code", ["http.request_size", "webhook.disabled"])
def test_what_no_try_would_mend_is_parked_at_once(code: str) -> None:
    row = DeliveryRow(tenant_id="t", run_id="r", rev=1, n=0, endpoint_id="e", due_at=1)
    tried = after(row, Outcome(code=code), 7, 0)
    assert tried == replace(row, due_at=None, tries=1, code=code, ended_at=7, ended_as="parked")


async def test_what_is_parked_is_sent_again_when_it_is_replayed_with_the_same_id(world: World, receiver: Receiver) -> None:
    endpoint, _ = await world.endpoint(receiver.url, *RUNS)
    await world.run()
    receiver.status = lambda _: 500
    while (due_at := (await world.deliveries.outlook()).due_at) is not None or not receiver.received:
        world.clock.advance(max(30_000, (due_at or 0) - world.clock.wall()))
        await world.send()
    parked = [one.told.id for one in await world.listed(endpoint, "parked")]
    assert len(parked) == 3
    receiver.status = lambda _: 200
    receiver.received.clear()
    assert await world.deliveries.replay(endpoint.tenant_id, endpoint.id) == 3
    world.clock.advance(30_000)
    await world.send()
    assert [one.id for one in receiver.received] == parked
    assert receiver.types == TOLD
    assert await world.deliveries.replay(endpoint.tenant_id, endpoint.id, parked[1]) == 1
    await world.send()
    assert [one.id for one in receiver.received[3:]] == [parked[1]]


async def test_to_a_disabled_endpoint_nothing_is_sent_until_it_is_enabled_and_replayed(world: World, receiver: Receiver) -> None:
    endpoint, _ = await world.endpoint(receiver.url, *RUNS)
    endpoint = await change_webhook(world.registry, endpoint, world.clock.wall(), enabled=False)
    await world.runtime.catalog.refresh()
    await world.run()
    await world.send()
    assert receiver.received == []
    assert {one.row.code for one in await world.listed(endpoint, "parked")} == {"webhook.disabled"}
    await change_webhook(world.registry, endpoint, world.clock.wall(), enabled=True)
    await world.runtime.catalog.refresh()
    await world.send()
    assert receiver.received == []
    assert await world.deliveries.replay(endpoint.tenant_id, endpoint.id) == 3
    await world.send()
    assert receiver.types == TOLD


async def test_a_deleted_endpoint_gets_nothing_more_and_leaves_nothing_behind(world: World, receiver: Receiver) -> None:
    endpoint, _ = await world.endpoint(receiver.url)
    receiver.status = lambda _: 500
    await world.run()
    await world.send()
    seen = len(receiver.received)
    await delete_webhook(world.registry, endpoint, world.clock.wall())
    await world.runtime.catalog.refresh()
    await world.run()
    world.clock.advance(PAUSES[0])
    await world.send()
    assert len(receiver.received) == seen
    assert (await world.registry.register()).webhooks[0].secret == b""
    world.clock.advance(60_001)
    await world.sender.tidy()
    assert await world.listed(endpoint) == []
    assert (await world.registry.register()).webhooks == ()


async def test_what_was_delivered_goes_after_a_week_and_what_was_parked_after_a_month(world: World, receiver: Receiver) -> None:
    heard, _ = await world.endpoint(receiver.url)
    off, _ = await world.endpoint(receiver.url)
    await change_webhook(world.registry, off, world.clock.wall(), enabled=False)
    await world.runtime.catalog.refresh()
    await world.run()
    await world.send()
    for endpoint, state, life in ((heard, "delivered", 7 * DAY), (off, "parked", 30 * DAY)):
        world.clock.advance(began(await world.listed(endpoint)) + life - world.clock.wall())
        await world.sender.tidy()
        assert {one.row.ended_as for one in await world.listed(endpoint)} == {state}
        world.clock.advance(1)
        await world.sender.tidy()
        assert await world.listed(endpoint) == []


def began(deliveries: list[Delivery]) -> Millis:
    return min(one.told.at for one in deliveries)


async def test_an_endpoint_that_was_added_later_hears_of_what_happens_from_then_on(world: World, receiver: Receiver) -> None:
    await world.run()
    await world.send()
    await world.endpoint(receiver.url)
    await world.send()
    assert receiver.received == []
    await world.run()
    await world.send()
    assert len(receiver.received) == 4


async def test_no_delivery_is_under_way_twice(world: World, receiver: Receiver) -> None:
    await world.endpoint(receiver.url)
    for _ in range(30):
        await world.run()
    for _ in range(5):
        await world.sender.sweep()
    await world.sender.rest()
    ids = [one.id for one in receiver.received]
    assert len(ids) == len(set(ids)) == 120
    assert {run: of_run(receiver, run) for run in runs(receiver)} == dict.fromkeys(runs(receiver), TOLD)


def runs(receiver: Receiver) -> set[str]:
    return {one.told["execution_id"] for one in receiver.received if one.told["execution_id"]}
