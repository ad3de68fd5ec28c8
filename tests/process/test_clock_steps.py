"""A server whose clock is set back or forward: nothing is due early, and a ticker that stalls by it is told of and replaced."""

from pathlib import Path

import pytest

from engine.runtime.invariants import check_invariants
from scripts.proving.steps import HOURS, compiler, prove

pytestmark = [
    pytest.mark.skipif(compiler() is None, reason="the clock that is put before the server's own has to be compiled"),
]
LATEST = 5.0


def test_no_deadline_is_early_or_more_than_five_seconds_late_and_readiness_says_while_nothing_ticks(tmp_path: Path) -> None:
    steps = prove(tmp_path)
    assert [step.hours for step in steps] == list(HOURS)
    assert all(0 <= late < LATEST for step in steps for late in (step.late, step.after)), steps
    assert [0 < step.unready < LATEST for step in steps] == [True, False, False], steps
    for step in steps:
        assert check_invariants(tmp_path / f"{step.hours:+d}h" / "baton.db", bound=int(LATEST * 1_000)) == []
