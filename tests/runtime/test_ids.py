"""Ids sort by the time they were made, which lists and pages rest on."""

from engine.runtime.ids import FreshIds, is_uuid

BEGIN = 1_767_600_000_000


def test_ids_sort_in_the_order_in_which_they_were_made_wherever_the_clock_goes() -> None:
    moments = [BEGIN, BEGIN, BEGIN + 5, BEGIN - 3_600_000, BEGIN + 5, BEGIN + 6]
    ids = [*map(FreshIds(), moments)]
    assert ids == sorted({*ids})
    assert all(map(is_uuid, ids))
    assert int(ids[-1][:13].replace("-", ""), 16) == BEGIN + 6
