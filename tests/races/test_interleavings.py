"""An answer, a deadline, a cancel and a crash can meet in any order: exactly one has its turn, and whoever asks again hears of it."""

from collections.abc import Callable, Mapping

import pytest

from tests.races.exploring import Broken
from tests.races.scenes import ANY_WAIT, CHECK_THEN_ACT, NO_EPOCH, NO_REV, Scene

WAIT = ("answer", "deadline", "cancel")
CALL = ("worker", "takeover", "cancel")


@pytest.mark.parametrize(
    ("contenders", "crashes", "orders"),
    [
        (("answer", "deadline"), 2, 513),
        (("answer", "second answer"), 1, 352),
        (("answer", "cancel"), 1, 394),
        (("deadline", "cancel"), 1, 178),
        (WAIT, 1, 5_397),
    ],
)
def test_however_they_meet_in_a_wait_one_of_them_wins(
    contenders: tuple[str, ...], crashes: int, orders: int, record_property: Callable[[str, object], None]
) -> None:
    walk = Scene("asking").explore(*contenders, crashes=crashes)
    record_property("orders", walk.orders)
    assert walk.orders == orders


@pytest.mark.parametrize(("contenders", "crashes", "orders"), [(CALL[:2], 1, 830), (CALL, 0, 3_606)])
def test_however_a_call_is_taken_over_and_cancelled_its_turn_goes_on_once(contenders: tuple[str, ...], crashes: int, orders: int) -> None:
    assert Scene("calling").explore(*contenders, crashes=crashes).orders == orders


def test_without_the_epoch_two_workers_go_on_with_the_same_turn() -> None:
    with pytest.raises(Broken, match="worker and second worker have both had their turn"):
        Scene("calling").explore("worker", "takeover", careless=NO_EPOCH)


def test_what_is_checked_and_then_believed_gives_two_of_them_the_wait() -> None:
    with pytest.raises(Broken, match=r"answer and .* have both had their turn, after: .*"):
        Scene("asking").explore(*WAIT, careless=CHECK_THEN_ACT)


@pytest.mark.parametrize("missing", [NO_REV, ANY_WAIT])
def test_the_fences_around_a_wait_stand_behind_one_another_each_may_fall(missing: Mapping[str, str]) -> None:
    assert Scene("asking").explore(*WAIT, careless=missing).orders == 272
