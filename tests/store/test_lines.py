"""Customers are committed first, and what is patient comes to its end all the same."""

import asyncio
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.store.port import Order
from engine.runtime.store.sqlite.lines import BATCH, Lines
from engine.runtime.store.sqlite.store import SqliteStore
from tests.store.turns import starting


def waiting(live: int, patient: int) -> Lines[tuple[str, int]]:
    lines: Lines[tuple[str, int]] = Lines()
    for number in range(patient):
        lines.add(("patient", number), patient=True)
    for number in range(live):
        lines.add(("live", number), patient=False)
    return lines


@given(st.integers(0, 300), st.integers(0, 300))
def test_everything_is_taken_once_and_each_line_in_its_order(live: int, patient: int) -> None:
    lines = waiting(live, patient)
    taken: list[tuple[str, int]] = []
    while lines:
        batch = lines.take()
        assert 0 < len(batch) <= BATCH
        taken += batch
    for kind, length in (("live", live), ("patient", patient)):
        assert [number for its, number in taken if its == kind] == [*range(length)]


@given(st.integers(1, 300), st.integers(1, 300))
def test_customers_come_first_and_wait_for_few_of_the_patient(live: int, patient: int) -> None:
    kinds = [kind for kind, _ in waiting(live, patient).take()]
    first = kinds.count("live")
    assert kinds == ["live"] * first + ["patient"] * (len(kinds) - first)
    assert len(kinds) - first == min(patient, max(16, first * 3 // 4), BATCH - first)
    assert first == min(live, BATCH - min(16, patient))


async def test_a_customer_who_comes_in_a_storm_is_answered_before_most_of_it(sqlite: SqliteStore) -> None:
    done = count(1)

    async def take(*, patient: bool) -> int:
        await sqlite.take(Order(tenant_id="t", patient=patient), starting())
        return next(done)

    storm = [asyncio.create_task(take(patient=True)) for _ in range(1_000)]
    await asyncio.sleep(0)
    places = [await take(patient=False) for _ in range(3)]
    await asyncio.gather(*storm)
    assert places[-1] < 400
