"""The bench measures what it says, small: its shape and its bars, never its figures, which are the machine's."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.loading import load_flow
from engine.runtime.invariants import check_invariants
from scripts.benchmarks.crowd import gather
from scripts.benchmarks.starting import written

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ("--rounds", "1", "--seconds", "0.2", "--connections", "2,32", "--scale", "0.001")


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    """Runs it as scripts/bench does, in the environment of the tests."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "scripts.benchmarks", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
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


def test_every_bar_stands_beside_its_figure_and_says_whether_it_is_kept(results: dict[str, Any]) -> None:
    found = {bar["of"]: bar for bar in results["bars"]}
    http, large = results["http"][1], results["large"]
    assert {of: (bar["measured"], bar["bound"], bar["at_least"]) for of, bar in found.items()} == {
        "durable turns/s at 32 connections, as a part of the no-op": (http["to_noop"]["rate"], 0.6, True),
        "their p99, as a multiple of the no-op": (http["to_noop"]["p99"], 4, False),
        "durable turns/s at 32 connections, as a part of nothing stored": (http["to_unstored"]["rate"], 0.6, True),
        "their p99, as a multiple of nothing stored": (http["to_unstored"]["p99"], 4, False),
        "node visits/s of the executor alone": (results["executor"]["visits_per_second"], 50_000, True),
        "a turn on a connection of its own, as a multiple of one on a connection that stays": (large["connections"]["ratio"], 1.1, False),
        "a turn after 30 turns of its run, as a multiple of one after 20": (large["longer"]["ratio"], 1.1, False),
        "a turn among 1,000 waiting runs, as a multiple of one among 100": (large["among"]["ratio"], 1.1, False),
        "a sweep over 1,000 waits of which none is due, ms": (large["sweep"]["median_ms"], 1, False),
        "100 due at once: drained/s, as a part of turns/s in peace": (large["storm"]["rate_ratio"], 0.5, True),
        "live p99 meanwhile, as a multiple of that in peace": (large["storm"]["p99_ratio"], 2, False),
        "memory with 1,000 waiting runs, as a multiple of that with none": (large["memory"]["ratio"], 1.2, False),
        "a server's start with 3 flows, s": (large["start_up"]["seconds"], 2, False),
        "a flow of 8 nodes loaded and checked, s": (large["loading"]["seconds"], 1, False),
    }
    for bar in found.values():
        assert bar["kept"] is (bar["measured"] >= bar["bound"] if bar["at_least"] else bar["measured"] <= bar["bound"])


def test_a_storm_is_drained_to_the_last_wait_while_customers_go_on_talking(results: dict[str, Any]) -> None:
    storm = results["large"]["storm"]
    assert (storm["waiting"], storm["due"], storm["drained"]) == (1_000, 100, 100)
    assert storm["live_per_second"] > 0
    assert storm["rate_ratio"] == pytest.approx(storm["drained_per_second"] / storm["answered_per_second"])
    assert storm["p99_ratio"] == pytest.approx(storm["live_p99_ms"] / storm["quiet_p99_ms"])


def test_what_grows_is_measured_where_there_is_little_of_it_too(results: dict[str, Any]) -> None:
    large = results["large"]
    assert (large["longer"]["small"], large["longer"]["large"]) == (20, 30)
    assert (large["among"]["small"], large["among"]["large"]) == (100, 1_000)
    assert min(large["longer"]["small_us"], large["among"]["small_us"], large["connections"]["kept_us"]) > 0
    assert large["memory"]["none_mb"] > 10
    assert min(large["start_up"]["with_one"], large["loading"]["seconds"]) > 0


async def test_a_crowd_is_made_of_runs_as_the_executor_makes_them(tmp_path: Path) -> None:
    crowd = await gather(tmp_path / "crowd.db", waiting=300, due=30)
    assert check_invariants(crowd.path) == []
    with closing(sqlite3.connect(crowd.path)) as connection:
        runs = connection.execute("SELECT flow, count(*), count(DISTINCT state) FROM run GROUP BY flow ORDER BY flow").fetchall()
        waits = connection.execute("SELECT count(*) FROM wait WHERE ended_at IS NULL").fetchone()
    assert runs == [("hasty", 30, 30), ("patient", 270, 270)]
    assert waits == (300,)


def test_a_flow_is_written_as_long_as_it_is_asked_for_and_is_sound() -> None:
    loaded = load_flow(written("long", 41))
    assert loaded.diagnostics == ()
    assert loaded.flow is not None
    assert len(loaded.flow.nodes) == 44


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
