"""The bench measures what it says, small: its shape and its bars, never its figures, which are the machine's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ("--rounds", "1", "--seconds", "0.2", "--connections", "2,32")


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    """Runs it as scripts/bench does, in the environment of the tests."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "scripts.benchmarks", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    done = bench(*SMOKE, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_all_sides_are_measured_at_each_number_of_connections(results: dict[str, Any]) -> None:
    assert [one["connections"] for one in results["http"]] == [2, 32]
    for one in results["http"]:
        for side in (one["noop"], one["unstored"], one["durable"]):
            assert side.keys() == {"per_second", "p50_ms", "p99_ms", "server_us", "load_share"}
            assert side["per_second"] > 0
            assert 0 < side["p50_ms"] <= side["p99_ms"]


@pytest.mark.parametrize("other", ["noop", "unstored"])
def test_the_ratio_of_one_round_is_that_of_its_two_sides(results: dict[str, Any], other: str) -> None:
    for one in results["http"]:
        assert one[f"to_{other}"]["rate"] == pytest.approx(one["durable"]["per_second"] / one[other]["per_second"])
        assert one[f"to_{other}"]["p99"] == pytest.approx(one["durable"]["p99_ms"] / one[other]["p99_ms"])


def test_the_bars_stand_beside_the_figures_that_they_are_for(results: dict[str, Any]) -> None:
    assert [(one["rate_bar"], one["p99_bar"]) for one in results["http"]] == [(None, None), (0.6, 4.0)]
    assert results["executor"]["bar"] == 50_000


def test_the_executor_is_measured_alone_and_on_its_store(results: dict[str, Any]) -> None:
    assert results["executor"]["visits_per_turn"] == pytest.approx(3)
    assert results["executor"]["visits_per_second"] == pytest.approx(3 * results["executor"]["turns_per_second"])
    assert [one["conversations"] for one in results["direct"]] == [1, 64]
    assert all(one["per_second"] > 0 and one["cpu_us"] > 0 for one in results["direct"])


def test_it_says_where_the_databases_were_and_leaves_none_behind(results: dict[str, Any]) -> None:
    place = results["place"]
    assert place.keys() == {"python", "processors", "folder", "filesystem", "sync_us"}
    assert not Path(place["folder"]).exists()


def test_numbers_of_connections_that_are_none_are_wrong_use() -> None:
    done = bench("--connections", "32,many")
    assert done.returncode == 2
    assert "numbers with commas between them" in done.stderr
