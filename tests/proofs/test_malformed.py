"""Slips of the hand in flow files, and expressions inside of expressions: refused with place and reason, soon, and in little memory."""

from tests.proofs.malformed import judged


def test_what_is_wrong_is_refused_with_its_place_and_its_reason_in_little_time_and_memory() -> None:
    found = judged(300, written=False)
    assert [one.count for one in found] == [300, 300]
    assert all(one.sound for one in found), [(one.line(), one.wrong) for one in found]
