"""What a store promises of turns: whole or not at all, one after the other, judged by one clock."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from engine.errors import Unfit
from engine.runtime.store.port import ConversationChange, Leased, Noted, Order, Record, Snapshot, StaleRecord, Store, WaitClosed, WaitMoved
from engine.runtime.store.rows import EffectResultRow, WaitEnd
from engine.testing.clock import ManualClock
from tests.store.turns import MINUTE, Taking, conversation, end_wait, ending, idempotency, look, new_id, start, starting, turn, wait


async def test_a_started_run_is_stored_whole(store: Store, clock: ManualClock) -> None:
    run_id = await start(store, customer="ada")
    seen = await look(store, Order(tenant_id="t", run_id=run_id))
    assert seen.run is not None
    assert seen.wait is not None
    assert seen.conversation is not None
    assert (seen.run.rev, seen.run.epoch, seen.run.state, seen.run.status) == (1, 0, b"state", "waiting_input")
    assert (seen.wait.run_id, seen.wait.rev, seen.wait.deadline, seen.wait.answerable) == (run_id, 1, clock.wall() + MINUTE, True)
    assert (seen.wait.ended_at, seen.wait.ended_by) == (None, None)
    assert (seen.conversation.variables, seen.conversation.owned, seen.conversation.next_sequence) == ({"started": True}, ["started"], 2)
    assert seen.conversation.customer_id == "ada"


async def test_a_turn_ends_the_wait_opens_the_next_and_moves_the_conversation(store: Store, clock: ManualClock) -> None:
    run_id = await start(store)
    first = (await look(store, Order(tenant_id="t", run_id=run_id))).wait
    clock.advance(10)
    assert await end_wait(store, run_id, "answered") == "answered"
    seen = await look(store, Order(tenant_id="t", run_id=run_id))
    assert first is not None
    assert seen.run is not None
    assert seen.wait is not None
    assert seen.conversation is not None
    assert (seen.run.rev, seen.wait.rev, seen.wait.id == first.id) == (2, 2, False)
    assert seen.conversation.variables == {"started": True, "rev2": "answered"}
    assert (seen.conversation.next_sequence, seen.conversation.modified_at) == (4, clock.wall())
    ended = (await look(store, Order(tenant_id="t", wait_id=first.id))).wait
    assert ended is not None
    assert (ended.ended_by, ended.ended_at) == ("answered", clock.wall())


async def test_a_run_keeps_its_open_wait_only_until_it_ends(store: Store) -> None:
    run_id = await start(store)
    await store.take(Order(tenant_id="t", run_id=run_id), ending("answered", last=True))
    seen = await look(store, Order(tenant_id="t", run_id=run_id))
    assert seen.wait is None
    assert seen.run is not None
    assert (seen.run.status, seen.run.end_reason) == ("completed", "completed")


async def test_an_order_by_wait_finds_its_run_and_conversation(store: Store) -> None:
    run_id = await start(store)
    by_run = await look(store, Order(tenant_id="t", run_id=run_id))
    assert by_run.wait is not None
    by_wait = await look(store, Order(tenant_id="t", wait_id=by_run.wait.id))
    assert (by_wait.run, by_wait.wait, by_wait.conversation) == (by_run.run, by_run.wait, by_run.conversation)
    both = await look(store, Order(tenant_id="t", run_id=run_id, wait_id=by_run.wait.id))
    assert (both.run, both.wait, both.conversation) == (by_run.run, by_run.wait, by_run.conversation)


async def test_a_wait_of_another_run_is_shown_beside_the_run_that_was_named(store: Store) -> None:
    one, other = await start(store), await start(store)
    wait_of_other = (await look(store, Order(tenant_id="t", run_id=other))).wait
    assert wait_of_other is not None
    seen = await look(store, Order(tenant_id="t", run_id=one, wait_id=wait_of_other.id))
    assert seen.run is not None
    assert seen.wait is not None
    assert (seen.run.id, seen.wait.run_id) == (one, other)


async def test_what_is_not_there_is_none(store: Store, clock: ManualClock) -> None:
    nothing = Order(tenant_id="t", run_id="no", wait_id="no", conversation_id="no", idempotency=("scope", "no"))
    assert await look(store, nothing) == Snapshot(now=clock.wall())


async def test_a_tenant_is_shown_nothing_of_another(store: Store) -> None:
    run_id = await start(store, "mine", customer="ada", key="k")
    mine = await look(store, Order(tenant_id="mine", run_id=run_id))
    assert mine.wait is not None
    assert mine.conversation is not None
    asked = Order(tenant_id="other", run_id=run_id, wait_id=mine.wait.id, conversation_id=mine.conversation.id, idempotency=("scope", "k"))
    assert await look(store, asked) == Snapshot(now=mine.now)
    assert await look(store, Order(tenant_id="other", wait_id=mine.wait.id)) == Snapshot(now=mine.now)


async def test_a_refused_turn_raises_its_refusal_and_writes_nothing(store: Store) -> None:
    run_id = await start(store)
    before = await look(store, Order(tenant_id="t", run_id=run_id))

    def refuse(_: Snapshot) -> tuple[Noted, None]:
        raise Unfit([])

    with pytest.raises(Unfit):
        await store.take(Order(tenant_id="t", run_id=run_id), refuse)
    assert await look(store, Order(tenant_id="t", run_id=run_id)) == before


def with_old_rev(record: Record) -> Record:
    return replace(record, expected=(0, 0))


def with_old_epoch(record: Record) -> Record:
    return replace(record, expected=(1, 7))


def with_wait_that_is_not(record: Record) -> Record:
    return replace(record, closed=WaitClosed("no", "answered"))


def with_wait_left_open(record: Record) -> Record:
    return replace(record, closed=None)


def with_message_twice(record: Record) -> Record:
    return replace(record, messages=(*record.messages, record.messages[0]))


def with_turn_of_before(record: Record) -> Record:
    return replace(record, turn=replace(record.turn, id=record.turn.previous_id))


def with_turn_behind_another(record: Record) -> Record:
    return replace(record, expected=(1, 0), turn=replace(record.turn, id=record.turn.previous_id, rev=1, previous_id="no"))


def with_other_conversation(record: Record) -> Record:
    return replace(record, conversation=ConversationChange(id="no", written={}, owned=frozenset(), messages=0))


@pytest.mark.parametrize(
    "spoil",
    [
        with_old_rev,
        with_old_epoch,
        with_wait_that_is_not,
        with_wait_left_open,
        with_message_twice,
        with_turn_of_before,
        with_turn_behind_another,
        with_other_conversation,
    ],
)
async def test_a_record_that_does_not_fit_writes_nothing_of_itself(store: Store, spoil: Callable[[Record], Record]) -> None:
    run_id = await start(store)
    order = Order(tenant_id="t", run_id=run_id, idempotency=("scope", "k"))
    before = await look(store, order)
    decide = ending("answered", key="k")
    with pytest.raises(StaleRecord):
        await store.take(order, lambda snapshot: (spoil_of(decide, snapshot, spoil), None))
    assert await look(store, order) == before
    assert len(await store.turns("t", run_id)) == 1
    assert before.conversation is not None
    assert len(await store.messages("t", before.conversation.id)) == 2


def spoil_of(decide: Taking, snapshot: Snapshot, spoil: Callable[[Record], Record]) -> Record:
    decision, _ = decide(snapshot)
    assert isinstance(decision, Record)
    return spoil(decision)


async def test_a_value_that_cannot_be_stored_is_its_callers_trouble_alone(store: Store) -> None:
    run_id = await start(store)
    before = await look(store, Order(tenant_id="t", run_id=run_id))
    strange = ConversationChange(
        id=before.conversation.id if before.conversation else "", written={"x": object()}, owned=frozenset(), messages=0
    )
    with pytest.raises(TypeError):
        await store.take(Order(tenant_id="t", run_id=run_id), lambda _: (Noted(conversation=strange), None))
    assert await look(store, Order(tenant_id="t", run_id=run_id)) == before


async def test_a_run_cannot_be_new_twice(store: Store) -> None:
    decide = starting()
    await store.take(Order(tenant_id="t"), decide)
    with pytest.raises(StaleRecord):
        await store.take(Order(tenant_id="t"), decide)


async def test_a_turn_that_is_stale_once_is_taken_again_from_what_is_true_now(store: Store) -> None:
    run_id = await start(store)
    decide = ending("answered")
    seen: list[Snapshot] = []

    def late(snapshot: Snapshot) -> tuple[Record | Noted, str]:
        seen.append(snapshot)
        if len(seen) == 1:
            raise StaleRecord("not yet")
        return decide(snapshot)

    assert await store.take(Order(tenant_id="t", run_id=run_id), late) == "answered"
    assert [snapshot.run.rev for snapshot in seen if snapshot.run] == [1, 1]


@pytest.mark.parametrize(("by", "after", "wins"), [
    ("answered", MINUTE - 1, True),
    ("answered", MINUTE, False),
    ("answered", MINUTE + 1, False),
    ("expired", MINUTE - 1, False),
    ("expired", MINUTE, True),
    ("expired", MINUTE + 1, True),
    ("cancelled", MINUTE - 1, True),
    ("cancelled", MINUTE, True),
])  # fmt: skip
async def test_the_clock_decides_how_a_wait_may_end(store: Store, clock: ManualClock, by: WaitEnd, after: int, wins: bool) -> None:
    run_id = await start(store, lasts=MINUTE)
    clock.advance(after)
    if wins:
        assert await end_wait(store, run_id, by) == by
    else:
        with pytest.raises(StaleRecord):
            await end_wait(store, run_id, by)
    seen = (await look(store, Order(tenant_id="t", run_id=run_id))).run
    assert seen is not None
    assert seen.rev == (2 if wins else 1)


@pytest.mark.parametrize("first", ["answered", "cancelled"])
@pytest.mark.parametrize("second", ["answered", "expired", "cancelled"])
async def test_a_wait_that_has_ended_ends_no_second_time(store: Store, clock: ManualClock, first: WaitEnd, second: WaitEnd) -> None:
    run_id = await start(store)
    waiting = (await look(store, Order(tenant_id="t", run_id=run_id))).wait
    assert waiting is not None
    order = Order(tenant_id="t", run_id=run_id, wait_id=waiting.id)
    await store.take(order, ending(first))
    clock.advance(MINUTE)
    with pytest.raises(StaleRecord):
        await store.take(order, ending(second))
    ended = (await look(store, order)).wait
    assert ended is not None
    assert ended.ended_by == first


async def test_a_moment_never_goes_back_when_the_machines_clock_does(store: Store, clock: ManualClock) -> None:
    before = store.now()
    clock.step(-3_600_000)
    clock.advance(5)
    assert store.now() == before + 5


async def test_a_request_under_a_key_finds_the_reply_of_its_turn(store: Store) -> None:
    run_id = await start(store, key="k")
    stored = (await look(store, Order(tenant_id="t", idempotency=("scope", "k")))).stored
    assert stored is not None
    assert (stored.digest, stored.done, stored.reply) == (b"digest", True, f"reply {run_id} 1".encode())
    assert (await look(store, Order(tenant_id="t", idempotency=("other", "k")))).stored is None


async def test_a_noted_reply_is_found_and_a_newer_one_takes_its_place(store: Store, clock: ManualClock) -> None:
    for reply in (b"one", b"two"):
        kept = idempotency("t", "k", clock.wall(), reply=reply)
        await store.take(Order(tenant_id="t"), lambda _, kept=kept: (Noted(idempotency=kept), None))  # type: ignore[misc]
        stored = (await look(store, Order(tenant_id="t", idempotency=("scope", "k")))).stored
        assert stored is not None
        assert (stored.done, stored.reply) == (True, reply)


def claiming(key: str) -> Taking:
    """Takes an answer, and has a call under way then."""

    def decide(snapshot: Snapshot) -> tuple[Record, str]:
        record, by = ending("answered", key=key)(snapshot)
        assert isinstance(record, Record)
        run = replace(record.run, status="running", epoch=1, lease_until=snapshot.now + 30_000, attempts=1)
        taken = replace(record.turn, done=False, reply=b"")
        return replace(record, run=run, turn=taken, opened=None, messages=(), usage=(), outbox=()), by

    return decide


async def test_a_request_whose_turn_was_overtaken_finds_the_reply_of_the_turn_that_ended_it(store: Store) -> None:
    run_id = await start(store)
    order = Order(tenant_id="t", run_id=run_id, idempotency=("scope", "k"))
    await store.take(order, claiming("k"))

    def cancel(snapshot: Snapshot) -> tuple[Record, None]:
        before = snapshot.run
        assert before is not None
        run = replace(before, rev=before.rev + 1, turn_id=new_id(), status="aborted", ended_at=snapshot.now, lease_until=None)
        cancelled = turn(run, "cancelled", snapshot.now, before=before)
        return Record(run=run, turn=cancelled, expected=(before.rev, before.epoch)), None

    await store.take(order, cancel)
    turns = await store.turns("t", run_id)
    assert [row.previous_id for row in turns] == [None, turns[0].id, turns[1].id]
    stored = (await look(store, order)).stored
    assert stored is not None
    assert (stored.done, stored.reply) == (True, f"reply {run_id} 3".encode())
    assert [(row.rev, row.done) for row in await store.turns("t", run_id)] == [(1, True), (2, False), (3, True)]


async def test_a_turn_with_a_call_is_claimed_first_and_finished_later_under_the_same_rev(store: Store) -> None:
    run_id = await start(store)
    order = Order(tenant_id="t", run_id=run_id, idempotency=("scope", "k"))
    await store.take(order, claiming("k"))
    under_way = await look(store, order)
    assert under_way.stored is not None
    assert (under_way.stored.done, under_way.stored.reply) == (False, None)
    assert under_way.run is not None
    result = EffectResultRow(tenant_id="t", run_id=run_id, rev=2, step=0, at=store.now(), returned=b"first")
    await store.save_result(result)
    await store.save_result(replace(result, returned=b"second"))

    def finish(snapshot: Snapshot) -> tuple[Record, None]:
        assert snapshot.run is not None
        run = replace(snapshot.run, status="waiting_input", lease_until=None)
        turns = [replace(row, done=True, reply=b"whole") for row in claimed]
        return Record(run=run, turn=turns[-1], expected=(2, 1), opened=wait(run, snapshot.now, MINUTE), settles=True), None

    assert await store.result("t", run_id, 2, 0) == result
    claimed = await store.turns("t", run_id)
    await store.take(order, finish)
    finished = await look(store, order)
    assert finished.stored is not None
    assert (finished.stored.done, finished.stored.reply) == (True, b"whole")
    assert [(row.rev, row.done) for row in await store.turns("t", run_id)] == [(1, True), (2, True)]
    assert await store.result("t", run_id, 2, 0) is None


async def test_a_worker_whose_claim_was_taken_over_writes_nothing(store: Store) -> None:
    run_id = await start(store)
    order = Order(tenant_id="t", run_id=run_id)

    def take_over(snapshot: Snapshot) -> tuple[Record, None]:
        record, _ = ending("answered")(snapshot)
        assert isinstance(record, Record)
        return replace(record, run=replace(record.run, epoch=2)), None

    await store.take(order, take_over)
    after = await look(store, order)
    assert after.run is not None
    assert after.wait is not None
    with pytest.raises(StaleRecord):
        await store.take(order, lambda snapshot: (spoil_of(ending("answered"), snapshot, lambda row: replace(row, expected=(2, 1))), None))
    assert await look(store, order) == after


async def test_only_the_names_that_a_turn_wrote_change_in_the_conversation(store: Store, clock: ManualClock) -> None:
    opened = replace(conversation("t", clock.wall()), variables={"a": 1, "b": [1, {"deep": None}]}, owned=["b"])
    order = Order(tenant_id="t", conversation_id=opened.id)
    await store.take(order, lambda _: (Noted(opened_conversation=opened), None))
    change = ConversationChange(id=opened.id, written={"a": 2, "c": "ä"}, owned=frozenset({"a"}), messages=0)
    clock.advance(7)
    await store.take(order, lambda _: (Noted(conversation=change), None))
    seen = (await look(store, order)).conversation
    expected = replace(opened, variables={"a": 2, "b": [1, {"deep": None}], "c": "ä"}, owned=["a", "b"], modified_at=clock.wall())
    assert seen == expected
    assert await store.conversation("t", opened.id) == expected


async def test_changing_what_was_read_changes_nothing_that_is_stored(store: Store, clock: ManualClock) -> None:
    opened = replace(conversation("t", clock.wall()), variables={"a": [1]})
    order = Order(tenant_id="t", conversation_id=opened.id)
    await store.take(order, lambda _: (Noted(opened_conversation=opened), None))
    seen = (await look(store, order)).conversation
    assert seen is not None
    seen.variables["a"].append(2)
    opened.variables["a"].append(3)
    again = (await look(store, order)).conversation
    assert again is not None
    assert again.variables == {"a": [1]}


def moving(by: int, *, was: int | None = None) -> Taking:
    """Says something in the run's open wait, and lets it be due later."""

    def decide(snapshot: Snapshot) -> tuple[Record, str]:
        before, waiting = snapshot.run, snapshot.wait
        assert before is not None
        assert waiting is not None
        run = replace(before, rev=before.rev + 1, turn_id=new_id())
        moved = WaitMoved(waiting.tenant_id, waiting.id, waiting.due_at if was is None else was, waiting.due_at + by)
        reminded = turn(run, "reminded", snapshot.now, before=before)
        return Record(run=run, turn=reminded, expected=(before.rev, before.epoch), moved=moved), waiting.id

    return decide


async def test_a_wait_that_is_moved_stays_open_with_its_deadline_and_is_due_later(store: Store, clock: ManualClock) -> None:
    run_id = await start(store)
    wait_id = await store.take(Order(tenant_id="t", run_id=run_id), moving(5))
    seen = await look(store, Order(tenant_id="t", run_id=run_id))
    assert seen.wait is not None
    assert (seen.wait.id, seen.wait.deadline, seen.wait.due_at) == (wait_id, clock.wall() + MINUTE, clock.wall() + MINUTE + 5)
    assert await store.next_due() == clock.wall() + MINUTE + 5
    clock.advance(MINUTE)
    assert await store.due(10) == []
    clock.advance(5)
    assert [one.wait_id for one in await store.due(10)] == [wait_id]


async def test_a_wait_that_was_due_at_another_moment_or_has_ended_is_not_moved(store: Store) -> None:
    run_id = await start(store)
    order = Order(tenant_id="t", run_id=run_id)
    before = await look(store, order)
    with pytest.raises(StaleRecord):
        await store.take(order, moving(5, was=1))
    assert await look(store, order) == before
    first = before.wait
    await end_wait(store, run_id, "answered")
    assert first is not None
    with pytest.raises(StaleRecord):
        await store.take(Order(tenant_id="t", run_id=run_id, wait_id=first.id), moving(5))


async def test_the_open_runs_of_a_flow_in_a_conversation_are_shown_with_their_waits(store: Store) -> None:
    first = await start(store)
    talk = (await look(store, Order(tenant_id="t", run_id=first))).conversation
    assert talk is not None
    second = await store.take(Order(tenant_id="t", conversation_id=talk.id), starting())
    await start(store)
    ended = await store.take(Order(tenant_id="t", conversation_id=talk.id), starting())
    await end_wait(store, ended, "cancelled")
    seen = await look(store, Order(tenant_id="t", conversation_id=talk.id, open_of="flow"))
    assert [(one.run.id, one.wait is not None and one.wait.run_id) for one in seen.open_runs] == [(first, first), (second, second)]
    for other in (Order(tenant_id="t", conversation_id=talk.id, open_of="other"), Order(tenant_id="t", conversation_id=talk.id)):
        assert (await look(store, other)).open_runs == ()
    assert (await look(store, Order(tenant_id="u", conversation_id=talk.id, open_of="flow"))).open_runs == ()


async def test_turns_of_other_runs_are_saved_with_the_one_that_brings_them_or_not_at_all(store: Store) -> None:
    old = await start(store)
    talk = (await look(store, Order(tenant_id="t", run_id=old))).conversation
    assert talk is not None

    def replacing(*, stale: bool) -> Taking:
        def decide(snapshot: Snapshot) -> tuple[Record, str]:
            [one] = snapshot.open_runs
            assert one.wait is not None
            around = replace(snapshot, run=one.run, wait=one.wait)
            before, _ = ending("cancelled")(around)
            assert isinstance(before, Record)
            begun, run_id = starting()(snapshot)
            assert isinstance(begun, Record)
            rev = one.run.rev + 1 if stale else one.run.rev
            before = replace(before, conversation=None, messages=(), expected=(rev, one.run.epoch))
            return replace(begun, before=(before,)), run_id

        return decide

    order = Order(tenant_id="t", conversation_id=talk.id, open_of="flow")
    with pytest.raises(StaleRecord):
        await store.take(order, replacing(stale=True))
    assert [one.run.id for one in (await look(store, order)).open_runs] == [old]
    new = await store.take(order, replacing(stale=False))
    assert [one.run.id for one in (await look(store, order)).open_runs] == [new]
    assert (await look(store, Order(tenant_id="t", run_id=old))).wait is None


def leasing(until: int, *, rev: int = 1) -> Taking:
    """Gives the run into somebody's hands until a moment."""

    def decide(snapshot: Snapshot) -> tuple[Noted, str]:
        assert snapshot.run is not None
        run = replace(snapshot.run, epoch=snapshot.run.epoch + 1, lease_until=until)
        return Noted(leased=Leased(run, (rev, snapshot.run.epoch))), run.id

    return decide


async def test_a_run_whose_lease_has_run_out_is_found_the_longest_ago_first(store: Store, clock: ManualClock) -> None:
    first, second, held = [await start(store) for _ in range(3)]
    now = clock.wall()
    for run_id, until in ((first, now + 9), (second, now + 5), (held, now + MINUTE)):
        await store.take(Order(tenant_id="t", run_id=run_id), leasing(until))
    assert await store.lapsed(10) == []
    clock.advance(9)
    assert [one.run_id for one in await store.lapsed(10)] == [second, first]
    assert [one.run_id for one in await store.lapsed(1)] == [second]
    seen = await look(store, Order(tenant_id="t", run_id=held))
    assert seen.run is not None
    assert (seen.run.epoch, seen.run.lease_until) == (1, now + MINUTE)


async def test_a_lease_that_rests_on_an_older_turn_is_refused(store: Store) -> None:
    run_id = await start(store)
    before = await look(store, Order(tenant_id="t", run_id=run_id))
    with pytest.raises(StaleRecord):
        await store.take(Order(tenant_id="t", run_id=run_id), leasing(1, rev=7))
    assert await look(store, Order(tenant_id="t", run_id=run_id)) == before


async def test_a_result_that_was_kept_is_found_by_its_call_alone(store: Store) -> None:
    row = EffectResultRow(tenant_id="t", run_id="r", rev=2, step=1, at=5, returned=b"first")
    await store.save_result(row)
    await store.save_result(replace(row, returned=b"second"))
    assert await store.result("t", "r", 2, 1) == row
    for other in (("u", "r", 2, 1), ("t", "s", 2, 1), ("t", "r", 3, 1), ("t", "r", 2, 0)):
        assert await store.result(*other) is None
