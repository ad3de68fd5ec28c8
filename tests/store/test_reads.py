"""What a store promises to its readers: committed turns only, in order, of one tenant; due waits oldest first and in fair shares."""

import asyncio
from typing import Any

from msgspec.structs import replace

from engine.model.values import Json
from engine.runtime.store.changes import DAY
from engine.runtime.store.port import Noted, Order, Record, RunFilter, Snapshot, Store, UsageSum
from engine.runtime.store.rows import ConversationRow, SignalRow
from engine.testing.clock import ManualClock
from tests.store.turns import MINUTE, conversation, end_wait, ending, idempotency, look, start, starting


async def test_a_view_of_a_run_shows_its_turns_since_the_last_input(store: Store, clock: ManualClock) -> None:
    run_id = await start(store, customer="ada")
    await end_wait(store, run_id, "answered")
    clock.advance(MINUTE)
    await end_wait(store, run_id, "expired")
    view = await store.run("t", run_id)
    assert view is not None
    assert (view.run.rev, view.customer_id) == (3, "ada")
    assert [(row.rev, row.event, row.reply) for row in view.turns] == [
        (2, "answered", f"reply {run_id} 2".encode()),
        (3, "timed_out", f"reply {run_id} 3".encode()),
    ]
    assert [row.rev for row in await store.turns("t", run_id)] == [1, 2, 3]


async def test_readers_find_nothing_of_another_tenant(store: Store) -> None:
    run_id = await start(store, "mine", customer="ada")
    await store.take(Order(tenant_id="mine", run_id=run_id), ending("answered"))
    view = await store.run("mine", run_id)
    assert view is not None
    assert await store.run("other", run_id) is None
    assert await store.runs("other", RunFilter()) == []
    assert await store.turns("other", run_id) == []
    assert await store.conversation("other", view.run.conversation_id) is None
    assert await store.messages("other", view.run.conversation_id) == []
    assert await store.usage_of_turn("other", view.turns[-1].id) == []


async def test_runs_are_listed_newest_first_and_only_those_that_are_chosen(store: Store) -> None:
    first, second, third = [await start(store, customer=name) for name in ("ada", "bob", "ada")]
    await store.take(Order(tenant_id="t", run_id=first), ending("answered", last=True))

    async def chosen(wanted: RunFilter) -> list[str]:
        return [view.run.id for view in await store.runs("t", wanted)]

    assert await chosen(RunFilter()) == [third, second, first]
    assert await chosen(RunFilter(limit=2)) == [third, second]
    assert await chosen(RunFilter(limit=None, customer_id="ada")) == [third, first]
    assert await chosen(RunFilter(customer_id="ada")) == [third, first]
    assert await chosen(RunFilter(customer_id="ada", open_only=True)) == [third]
    assert await chosen(RunFilter(customer_id="")) == []
    assert await chosen(RunFilter(status="completed")) == [first]
    assert await chosen(RunFilter(intent="other")) == []
    view = await store.run("t", second)
    assert view is not None
    assert await store.runs("t", RunFilter(conversation_id=view.run.conversation_id)) == [view]


async def test_messages_come_in_sequence_with_the_reply_of_their_turn(store: Store) -> None:
    run_id = await start(store)
    await end_wait(store, run_id, "answered")
    view = await store.run("t", run_id)
    assert view is not None
    shown = await store.messages("t", view.run.conversation_id)
    assert [(one.message.sequence, one.message.role, one.message.text, one.message.values) for one in shown] == [
        (0, "user", "hello", {"name": "Ada"}),
        (1, "assistant", None, None),
        (2, "user", "hello", {"name": "Ada"}),
        (3, "assistant", None, None),
    ]
    assert [one.reply for one in shown] == [f"reply {run_id} {rev}".encode() for rev in (1, 1, 2, 2)]


async def test_the_oldest_signal_of_a_name_is_found_in_its_tenant_alone(store: Store, clock: ManualClock) -> None:
    async def keep(tenant_id: str, id_: str, name: str, data: Json) -> None:
        row = SignalRow(tenant_id=tenant_id, id=id_, name=name, at=store.now(), data=data)
        await store.take(Order(tenant_id=tenant_id), lambda _: (Noted(signal=row), None))
        clock.advance(1)

    for tenant_id, id_, name in (("other", "1", "a"), ("t", "3", "b"), ("t", "2", "a"), ("t", "1", "a")):
        await keep(tenant_id, id_, name, {"from": [id_, None]})
    found = await store.signal("t", "a")
    assert found is not None
    assert (found.id, found.name, found.data, found.run_id) == ("2", "a", {"from": ["2", None]}, None)
    assert await store.signal("t", "c") is None


async def test_usage_is_found_by_its_turn(store: Store) -> None:
    run_id = await start(store)
    await end_wait(store, run_id, "answered")
    first, second = await store.turns("t", run_id)
    assert await store.usage_of_turn("t", first.id) == []
    (spent,) = await store.usage_of_turn("t", second.id)
    assert (spent.prompt_tokens, spent.completion_tokens, spent.cached_prompt_tokens, spent.cost_micros) == (3, 4, None, 5)


async def test_usage_is_summed_up_by_day_in_utc_by_model_and_by_flow(store: Store, clock: ManualClock) -> None:
    run_id = await start(store)
    await spend(store, run_id)
    clock.advance(-clock.wall() % DAY - 1)
    await spend(store, run_id, cost_micros=None, prompt_tokens=30, completion_tokens=40, flow="other", model="dear")
    clock.advance(1)
    await spend(store, run_id, cost_micros=50, prompt_tokens=30, completion_tokens=40, flow="other", model="dear")

    def sums(key: str, prompt: int, completion: int, cost: int, unpriced: int) -> UsageSum:
        return UsageSum(key=key, prompt_tokens=prompt, completion_tokens=completion, cost_micros=cost, unpriced_tokens=unpriced)

    assert await store.usage("t", "day") == [sums("2026-01-05", 33, 44, 5, 70), sums("2026-01-06", 30, 40, 50, 0)]
    assert await store.usage("t", "model") == [sums("dear", 60, 80, 50, 70), sums("model", 3, 4, 5, 0)]
    assert await store.usage("t", "flow") == [sums("flow", 3, 4, 5, 0), sums("other", 60, 80, 50, 70)]
    assert await store.usage("other", "day") == []


async def spend(store: Store, run_id: str, **spent: Any) -> None:
    """An answer that costs this."""

    def decide(snapshot: Snapshot) -> tuple[Record | Noted, str]:
        record, by = ending("answered", lasts=DAY)(snapshot)
        assert isinstance(record, Record)
        return replace(record, usage=tuple(replace(row, **spent) for row in record.usage)), by

    await store.take(Order(tenant_id="t", run_id=run_id), decide)


async def test_a_customers_conversation_is_the_newest_that_is_not_archived(store: Store, clock: ManualClock) -> None:
    rows = [conversation("t", clock.wall() + age, "ada") for age in (0, 20, 10)]
    rows.append(replace(conversation("t", clock.wall() + 30, "ada"), archived_at=clock.wall()))
    for row in rows:
        await store.take(Order(tenant_id="t"), lambda _, row=row: (Noted(opened_conversation=row), None))  # type: ignore[misc]
    assert await _conversation_found(store, Order(tenant_id="t", customer_id="ada")) == rows[1]
    assert await _conversation_found(store, Order(tenant_id="t", customer_id="ada", conversation_id=rows[2].id)) == rows[2]
    assert await _conversation_found(store, Order(tenant_id="t", customer_id="bob")) is None
    assert await _conversation_found(store, Order(tenant_id="other", customer_id="ada")) is None


async def test_of_two_at_once_the_second_finds_the_conversation_that_the_first_has_opened(store: Store, clock: ManualClock) -> None:
    def decide(snapshot: Snapshot) -> tuple[Noted, str]:
        opened = None if snapshot.conversation else conversation("t", clock.wall(), "ada")
        return Noted(opened_conversation=opened), (snapshot.conversation or opened).id  # type: ignore[union-attr]

    found = await asyncio.gather(*(store.take(Order(tenant_id="t", customer_id="ada"), decide) for _ in range(10)))
    assert len({*found}) == 1


async def _conversation_found(store: Store, order: Order) -> ConversationRow | None:
    return await store.take(order, lambda snapshot: (Noted(), snapshot.conversation))


async def test_a_wait_is_due_from_its_deadline_on_until_it_ends(store: Store, clock: ManualClock) -> None:
    run_id = await start(store, lasts=MINUTE)
    assert await store.next_due() == clock.wall() + MINUTE
    clock.advance(MINUTE - 1)
    assert list(await store.due(10)) == []
    clock.advance(1)
    (due,) = await store.due(10)
    waiting = (await look(store, Order(tenant_id="t", run_id=run_id))).wait
    assert waiting is not None
    assert (due.tenant_id, due.run_id, due.wait_id, due.due_at) == ("t", run_id, waiting.id, clock.wall())
    await store.take(Order(tenant_id="t", run_id=run_id), ending("expired", last=True))
    assert list(await store.due(10)) == []
    assert await store.next_due() is None


async def test_due_waits_come_oldest_first_within_the_limit(store: Store, clock: ManualClock) -> None:
    for lasts in (5, 3, 1, 4, 2):
        await start(store, lasts=lasts)
    clock.advance(10)
    deadlines = [due.due_at for due in await store.due(3)]
    assert deadlines == [clock.wall() - 9, clock.wall() - 8, clock.wall() - 7]
    assert len(await store.due(99)) == 5


async def test_a_tenant_with_many_due_waits_leaves_room_for_the_others(store: Store, clock: ManualClock) -> None:
    for lasts in range(1, 31):
        await start(store, "many", lasts=lasts)
    for tenant in ("few", "some"):
        for lasts in (100, 101):
            await start(store, tenant, lasts=lasts)
    clock.advance(1_000)

    async def shares(limit: int) -> dict[str, int]:
        due = await store.due(limit)
        assert [one.due_at for one in due] == sorted(one.due_at for one in due)
        return {tenant: sum(one.tenant_id == tenant for one in due) for tenant in ("many", "few", "some")}

    assert await shares(3) == {"many": 1, "few": 1, "some": 1}
    assert await shares(6) == {"many": 2, "few": 2, "some": 2}
    assert await shares(20) == {"many": 16, "few": 2, "some": 2}
    assert await shares(100) == {"many": 30, "few": 2, "some": 2}


async def test_pruning_forgets_the_keys_that_are_older_and_no_others(store: Store, clock: ManualClock) -> None:
    kept = [idempotency("t", f"k{age}", age, reply=b"r") for age in range(1_200)]
    await asyncio.gather(*[store.take(Order(tenant_id="t"), lambda _, row=row: (Noted(idempotency=row), None)) for row in kept])  # type: ignore[misc]
    assert await store.prune(1_199) == 1_199
    assert (await look(store, Order(tenant_id="t", idempotency=("scope", "k1198")))).stored is None
    assert (await look(store, Order(tenant_id="t", idempotency=("scope", "k1199")))).stored is not None
    assert await store.prune(1_199) == 0


async def test_a_store_that_works_is_healthy(store: Store) -> None:
    await store.healthy()
    await store.take(Order(tenant_id="t"), starting())
    await store.healthy()
    assert len(await store.runs("t", RunFilter())) == 1  # asking changes nothing
