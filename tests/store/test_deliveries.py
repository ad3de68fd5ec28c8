"""What becomes of the outbox: the promises of the deliveries' port, on each store."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from engine.model.values import Millis
from engine.runtime.store.deliveries import Delivery, DeliveryFilter, Kept, Outlook
from engine.runtime.store.port import Store
from engine.runtime.store.rows import DeliveryEnd
from engine.testing.clock import ManualClock
from tests.store.turns import end_wait, start

ALL = 1000
HERE, THERE = ("t", "here"), ("t", "there")


def to_here(tenant: str, event: str) -> list[str]:
    assert event == "test.event"
    return ["here"] if tenant == "t" else []


async def due(store: Store, *endpoints: tuple[str, str], each: int = ALL) -> list[Delivery]:
    return [*await store.deliveries.due(endpoints or (HERE,), each)]


async def end(store: Store, delivery: Delivery, by: DeliveryEnd = "delivered") -> bool:
    ended = replace(delivery.row, due_at=None, tries=delivery.row.tries + 1, ended_at=store.now(), ended_as=by)
    return await store.deliveries.note(ended, delivery.row.tries)


async def listed(store: Store, endpoint: str = "here") -> list[Delivery]:
    return [*reversed(await store.deliveries.of_endpoint("t", DeliveryFilter(endpoint_id=endpoint, limit=ALL)))]


def places(deliveries: Sequence[Delivery]) -> list[tuple[int, int]]:
    return [(one.row.rev, one.row.n) for one in deliveries]


def before(moment: Millis) -> Kept:
    return Kept(delivered=moment, parked=moment, told=moment)


async def test_where_nothing_was_told_there_is_nothing_to_do(store: Store) -> None:
    assert await store.deliveries.outlook() == Outlook(unspread=False, due_at=None)
    assert await store.deliveries.spread(to_here, ALL) == 0
    assert await due(store) == []


async def test_a_row_is_spread_once_over_all_endpoints_that_want_it(store: Store) -> None:
    await start(store)
    assert await store.deliveries.outlook() == Outlook(unspread=True, due_at=None)
    assert await store.deliveries.spread(lambda _, __: ["here", "there"], ALL) == 2
    assert await store.deliveries.spread(lambda _, __: ["here", "there"], ALL) == 0
    assert await store.deliveries.outlook() == Outlook(unspread=False, due_at=store.now())
    assert [(one.row.endpoint_id, one.row.n) for one in await due(store, HERE, THERE)] == [("here", 0), ("there", 0)]
    assert places(await listed(store)) == places(await listed(store, "there")) == [(1, 0), (1, 1)]


async def test_a_row_that_nobody_wants_is_looked_at_once(store: Store) -> None:
    await start(store, "u")
    assert await store.deliveries.spread(to_here, ALL) == 2
    assert await store.deliveries.outlook() == Outlook(unspread=False, due_at=None)


async def test_the_oldest_rows_are_spread_first_and_no_more_than_asked(store: Store, clock: ManualClock) -> None:
    first = await start(store)
    clock.advance(1)
    await start(store)
    assert await store.deliveries.spread(to_here, 3) == 3
    assert [one.row.run_id for one in await listed(store)].count(first) == 2
    assert (await store.deliveries.outlook()).unspread


async def test_what_is_due_tells_its_event(store: Store) -> None:
    run = await start(store)
    await store.deliveries.spread(to_here, ALL)
    (one,) = await due(store)
    assert (one.told.run_id, one.told.type, one.told.payload, one.told.wanted) == (run, "test.event", {"n": 0}, True)


async def test_of_one_run_the_earliest_that_is_left_is_due_and_nothing_behind_it(store: Store) -> None:
    run = await start(store)
    await store.deliveries.spread(to_here, ALL)
    await end_wait(store, run, "answered")
    await store.deliveries.spread(to_here, ALL)
    seen = []
    while found := await due(store):
        (one,) = found
        seen += places([one])
        assert await end(store, one, "parked" if len(seen) == 2 else "delivered")
    assert seen == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert [one.row.ended_as for one in await listed(store)] == ["delivered", "parked", "delivered", "delivered"]


async def test_each_run_and_each_endpoint_goes_on_by_itself(store: Store) -> None:
    for _ in range(2):
        await start(store)
    await store.deliveries.spread(lambda _, __: ["here", "there"], ALL)
    found = await due(store, HERE, THERE)
    assert len(found) == 4
    await end(store, found[0])
    assert sorted((one.row.endpoint_id, one.row.n) for one in await due(store, HERE, THERE)) == [
        ("here", 0),
        ("here", 1),
        ("there", 0),
        ("there", 0),
    ]  # fmt: skip


async def test_what_is_to_be_tried_again_is_due_at_its_time(store: Store, clock: ManualClock) -> None:
    await start(store)
    await store.deliveries.spread(to_here, ALL)
    (one,) = await due(store)
    later = replace(one.row, due_at=store.now() + 5_000, tries=1, code="http.status", status=500)
    assert await store.deliveries.note(later, 0)
    assert await due(store) == []
    assert (await store.deliveries.outlook()).due_at == later.due_at
    clock.advance(5_000)
    assert [found.row for found in await due(store)] == [later]


async def test_a_try_that_was_noted_already_or_has_ended_is_not_noted_again(store: Store) -> None:
    await start(store)
    await store.deliveries.spread(to_here, ALL)
    (one,) = await due(store)
    again = replace(one.row, tries=1, due_at=store.now())
    assert await store.deliveries.note(again, 0)
    assert not await store.deliveries.note(replace(again, code="http.timeout"), 0)
    assert await end(store, Delivery(again, one.told))
    assert not await store.deliveries.note(replace(again, tries=3), 2)
    assert (await listed(store))[0].row.ended_as == "delivered"


async def test_each_endpoint_shows_so_many_and_the_longest_due_first(store: Store, clock: ManualClock) -> None:
    runs = []
    for _ in range(3):
        runs.append(await start(store))
        await store.deliveries.spread(lambda _, __: ["here", "there"], ALL)
        clock.advance(1)
    found = await due(store, HERE, THERE, each=2)
    assert [one.row.run_id for one in found if one.row.endpoint_id == "here"] == runs[:2]
    assert [one.row.run_id for one in found if one.row.endpoint_id == "there"] == runs[:2]
    assert await due(store, ("u", "here")) == []


async def test_what_is_parked_is_replayed_in_its_order(store: Store) -> None:
    await start(store)
    await store.deliveries.spread(to_here, ALL)
    for _ in range(2):
        await end(store, (await due(store))[0], "parked")
    assert await due(store) == []
    assert await store.deliveries.replay("t", "there") == await store.deliveries.replay("u", "here") == 0
    assert await store.deliveries.replay("t", "here") == 2
    (one,) = await due(store)
    assert (places([one]), one.row.tries, one.row.code) == ([(1, 0)], 0, None)
    await end(store, one)
    assert places(await due(store)) == [(1, 1)]


async def test_one_event_is_replayed_however_it_ended_and_what_comes_after_waits_for_it(store: Store) -> None:
    run = await start(store)
    await store.deliveries.spread(to_here, ALL)
    (first,) = await due(store)
    await end(store, first)
    assert await store.deliveries.replay("t", "here", first.told.id) == 1
    assert await store.deliveries.replay("t", "here", first.told.id) == 0
    assert await store.deliveries.replay("t", "here", "nobody knows it") == 0
    assert places(await due(store)) == [(1, 0), (1, 1)]
    await end(store, (await due(store))[1])
    await end_wait(store, run, "answered")
    await store.deliveries.spread(to_here, ALL)
    assert places(await due(store)) == [(1, 0)]


async def test_what_an_endpoint_was_told_is_listed_by_its_state_the_newest_first(store: Store) -> None:
    await start(store)
    await store.deliveries.spread(to_here, ALL)
    await end(store, (await due(store))[0], "parked")
    states = {
        state: places(await store.deliveries.of_endpoint("t", DeliveryFilter(endpoint_id="here", state=state)))
        for state in ("pending", "delivered", "parked", None)
    }
    assert states == {"pending": [(1, 1)], "delivered": [], "parked": [(1, 0)], None: [(1, 1), (1, 0)]}
    assert places(await store.deliveries.of_endpoint("t", DeliveryFilter(endpoint_id="here", limit=1))) == [(1, 1)]
    assert await store.deliveries.of_endpoint("u", DeliveryFilter(endpoint_id="here")) == []


async def test_an_endpoint_is_forgotten_alone(store: Store) -> None:
    await start(store)
    await store.deliveries.spread(lambda _, __: ["here", "there"], ALL)
    assert await store.deliveries.forget("t", "here") == 2
    assert await store.deliveries.forget("u", "there") == 0
    assert (await listed(store), len(await listed(store, "there"))) == ([], 2)
    assert not await store.deliveries.note(replace((await due(store, THERE))[0].row, endpoint_id="here"), 0)


async def test_what_is_old_goes_and_what_is_left_to_be_told_stays(store: Store, clock: ManualClock) -> None:
    run = await start(store)
    await start(store, "u")
    await store.deliveries.spread(to_here, ALL)
    await end(store, (await due(store))[0], "parked")
    clock.advance(1)
    assert await store.deliveries.prune(Kept(delivered=store.now(), parked=0, told=store.now())) == 2
    assert await store.deliveries.prune(before(store.now())) == 2
    (one,) = await due(store)
    await end(store, one)
    assert await store.deliveries.prune(before(store.now())) == 0
    await end_wait(store, run, "answered")
    clock.advance(1)
    assert await store.deliveries.prune(Kept(delivered=store.now(), parked=0, told=0)) == 1
    assert await store.deliveries.prune(before(store.now())) == 1
    assert await listed(store) == []
    assert (await store.deliveries.outlook()).unspread


async def test_what_two_endpoints_are_told_stays_until_neither_needs_it(store: Store, clock: ManualClock) -> None:
    await start(store)
    await store.deliveries.spread(lambda _, __: ["here", "there"], ALL)
    clock.advance(1)
    assert await store.deliveries.forget("t", "here") == 2
    assert await store.deliveries.prune(before(store.now())) == 0
    assert len(await due(store, THERE)) == 1
    assert await store.deliveries.forget("t", "there") == 2
    assert await store.deliveries.prune(before(store.now())) == 2


async def test_many_rows_are_replayed_and_forgotten_in_pieces(store: Store, clock: ManualClock) -> None:
    await asyncio.gather(*[start(store) for _ in range(300)])
    while await store.deliveries.spread(to_here, 64):
        pass
    for _ in range(2):
        await asyncio.gather(*[end(store, one, "parked") for one in await due(store)])
    assert await store.deliveries.replay("t", "here") == 600
    assert len(await due(store)) == 300
    clock.advance(1)
    assert await store.deliveries.forget("t", "here") == 600
    assert await store.deliveries.prune(before(store.now())) == 600
