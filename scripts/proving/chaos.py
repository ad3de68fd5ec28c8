"""Every conversation test of flows/ and of the language under chaos, with one seed after the other."""

import time
from pathlib import Path

import msgspec
from msgspec import Struct

from engine.loading import Source, load_flows
from engine.testing.conversations import Chaos, Job, describe, load_tests, run_jobs

_ROOT = Path(__file__).resolve().parents[2]


class Disturbed(Struct, frozen=True):
    """What came of it."""

    tests: int
    seeds: int
    failures: list[str]
    seconds: float


def prove(seeds: int) -> Disturbed:
    """So many seeds, from 0 on."""
    begun = time.monotonic()
    jobs = [job for folder in ("flows", "tests/language") for job in _jobs(_ROOT / folder)]
    results = [result for seed in range(seeds) for result in run_jobs([msgspec.structs.replace(job, chaos=Chaos(seed)) for job in jobs])]
    failures = [describe(result) for result in results if not result.passed]
    return Disturbed(len(results) // max(seeds, 1), seeds, failures, time.monotonic() - begun)


def _jobs(folder: Path) -> list[Job]:
    tests = sorted(folder.glob("*.test.yaml"))
    loaded = load_flows([Source(path.name, path.read_bytes()) for path in sorted(folder.glob("*.yaml")) if path not in tests])
    flows = {one.flow.flow: one.flow for one in loaded if one.flow is not None}
    read = [load_tests(Source(path.name, path.read_bytes()))[0] for path in tests]
    return [Job(tests, flows) for tests in read if tests is not None]
