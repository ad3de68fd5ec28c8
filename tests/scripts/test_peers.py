"""The comparison with other engines: its table, its pins and the sides that need no other engine. The others are never installed here."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.peers.conversation import TURNS, expected
from scripts.benchmarks.peers.report import report
from scripts.benchmarks.peers.results import Heat, Measured, Peers, measured
from scripts.benchmarks.results import Place

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "scripts" / "benchmarks" / "peers"
PLACE = Place(python="3.11", processors=2, folder="there", filesystem="ext4", sync_us=100)


def heats(*rounds: tuple[float, float]) -> list[Heat]:
    return [Heat("wal", 2, [*one]) for one in rounds]


def compared(*others: Measured) -> list[str]:
    ours = measured("Baton", None, (1, 64), heats((100, 1000)), heats((100, 1000)))
    return report(Peers(place=PLACE, rounds=1, seconds=1, engines=[ours, *others])).splitlines()


def test_a_ratio_is_the_median_of_rounds_beside_our_own_of_the_same_round() -> None:
    theirs = measured("theirs", "1.0", (1, 64), heats((50, 500), (300, 1), (100, 2)), heats((100, 1000), (100, 1000), (50, 1000)))
    assert [(one.conversations, one.per_second, one.ratio) for one in theirs.standings] == [(1, 100, 2.0), (64, 2, 0.002)]


def test_who_is_faster_is_told_for_each_number_of_conversations() -> None:
    faster = measured("quick one", "2.1", (1, 64), heats((250, 500)), heats((100, 1000)))
    lines = compared(faster, measured("slow one", "1.0", (1, 64), heats((10, 10)), heats((100, 1000))))
    assert lines[-2:] == ["Faster than Baton at 1 at a time: quick one (2.5 times).", "Faster than Baton at 64 at a time: none."]
    assert any(re.fullmatch(r" +quick one 2\.1 +250 +2\.50 +500 +0\.50 +wal, synchronous=FULL", line) for line in lines)


def test_less_durability_than_full_is_told_as_it_is() -> None:
    lax = measured("lax one", "1.0", (1, 64), [Heat("wal", 1, [1, 1])], heats((1, 1)))
    assert compared(lax)[-4].endswith("wal, synchronous=1")


@pytest.mark.parametrize("module", ["baton", "bare"])
def test_an_engine_tells_how_it_commits_and_how_fast_it_was(module: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", f"scripts.benchmarks.peers.{module}", str(tmp_path), "0.1", "1", "3"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    assert (told["journal"], told["synchronous"], len(told["per_second"])) == ("wal", 2, 2)
    assert min(told["per_second"]) > 0


def test_both_branches_of_the_conversation_are_taken() -> None:
    thirds = {expected(number)[2].split()[1] for number in range(12)}
    assert thirds == {"table", "party"}
    assert {len(expected(number)) for number in range(12)} == {TURNS}


def test_the_other_engines_are_installed_to_be_compared_with_and_not_for_the_help(tmp_path: Path) -> None:
    scripts, python = tmp_path / "scripts", tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    scripts.mkdir()
    shutil.copy(ROOT / "scripts" / "bench", scripts / "bench")
    (scripts / "_environment").write_text("environment() { :; }\nenvironment_of_peers() { echo installed; }\n")
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)

    def said(*options: str) -> list[str]:
        return subprocess.run([scripts / "bench", "peers", *options], capture_output=True, text=True, check=True).stdout.splitlines()

    assert said("--help") == ["-P -m scripts.benchmarks.peers --help"]
    assert said("--rounds", "2", "--help") == ["-P -m scripts.benchmarks.peers --rounds 2 --help"]
    assert said("--rounds", "2") == ["installed", "-P -m scripts.benchmarks.peers --rounds 2"]


def test_every_engine_is_pinned_with_its_hashes() -> None:
    asked = re.findall(r"^[\w-]+==\S+$", (PEERS / "requirements.in").read_text(encoding="utf-8"), re.MULTILINE)
    locked = (PEERS / "requirements.txt").read_text(encoding="utf-8")
    assert asked
    assert [one for one in asked if f"\n{one} \\\n    --hash=sha256:" not in locked] == []
