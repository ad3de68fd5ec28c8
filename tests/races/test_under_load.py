"""Under load a token has one winner, and a request that comes again one effect; `scripts/proofs` shows it with large numbers."""

from pathlib import Path

from scripts.proving import deadlines, repeats


def test_of_answers_at_their_deadlines_and_the_sweep_one_wins_each_token_and_none_is_left_over(tmp_path: Path) -> None:
    race = deadlines.prove(tmp_path, tokens=600)
    assert (race.double, race.left_over, race.broken) == (0, 0, [])
    assert min(race.answered, race.expired) > 50
    assert race.answered + race.expired == race.tokens


def test_requests_that_come_one_to_five_times_in_any_order_have_one_effect_and_equal_replies(tmp_path: Path) -> None:
    load = repeats.prove(tmp_path, conversations=40)
    assert (load.unequal, load.extra, load.broken) == (0, 0, [])
    assert load.sent > 2 * load.requests
