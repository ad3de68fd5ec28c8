"""Fault points act at the named place, at the named time, and nowhere else."""

import pytest

from engine.errors import SettingsError
from engine.runtime.faults import FaultName, FaultPoints, fail, parse_faults


def test_a_fault_point_acts_once_at_the_time_that_was_named() -> None:
    reached: list[FaultName] = []
    faults = FaultPoints({"after_commit": 2}, reached.append)
    names: list[FaultName] = ["before_commit", "after_commit", "before_reply"]
    for name in names * 4:
        faults.reach(name)
    assert reached == ["after_commit"]


def test_failing_is_like_a_broken_disk() -> None:
    with pytest.raises(OSError, match="before_reply"):
        FaultPoints({"before_reply": 1}, fail).reach("before_reply")


@pytest.mark.parametrize("setting", [None, ""])
def test_without_a_setting_there_are_none(setting: str | None) -> None:
    assert parse_faults(setting) is None


@pytest.mark.parametrize("setting", ["before_commit", "after_commit:3"])
def test_a_setting_names_a_place_and_a_time(setting: str) -> None:
    assert isinstance(parse_faults(setting), FaultPoints)


@pytest.mark.parametrize("setting", ["elsewhere", "before_commit:0", "before_commit:x", "before_commit:-1", ":1"])
def test_a_setting_that_names_nothing_stops_the_start(setting: str) -> None:
    with pytest.raises(SettingsError, match="before_commit, after_commit, before_reply"):
        parse_faults(setting)
