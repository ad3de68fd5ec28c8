"""Deadlines that end the process in which they act: every start would die of them, if nobody remembered."""

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.loading import Source
from engine.runtime.administration import publish
from engine.runtime.invariants import check_invariants
from engine.runtime.requests import Caller, TriggerRequest
from engine.runtime.runtime import Runtime
from tests.process.deadly import SECRET

ROOT = Path(__file__).resolve().parents[2]
TENANT = "0198d000-0000-7000-8000-000000000001"
FLOWS = [
    Source(f"{name}.yaml", f"flow: {name}\nintent: {{}}\nexpires_after: 1m\nnodes:\n  a: {{type: ask, prompt: Hm?, next: end}}\n")
    for name in ("deadly", "sound")
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def starts(database: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.process.deadly", str(database)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)


async def test_they_take_their_runs_down_and_no_other_and_the_next_start_lives(tmp_path: Path) -> None:
    database = tmp_path / "baton.db"
    caller = Caller(tenant_id=TENANT, surface="engine")
    runtime = await Runtime.start(database_url=f"sqlite:///{database}", secret=SECRET, serving=False)
    await publish(runtime.registry, TENANT, FLOWS, 1)
    await runtime.catalog.refresh()
    runs = [
        (await runtime.executor.trigger(caller, TriggerRequest(intent=name))).reply.execution_id
        for name in ("sound", "deadly", "sound", "deadly", "sound")
    ]

    done = starts(database)
    # All at once; each by itself once; and each of the two that are left once more.
    assert done.stdout.split() == [str(-signal.SIGKILL)] * 5 + ["0"], done.stderr
    told = [line for line in map(msgspec.json.decode, done.stderr.splitlines()) if line["event"] == "run_given_up"]
    assert {line["execution"] for line in told} == {runs[1], runs[3]}
    ended = [await runtime.reader.latest(caller, run) for run in runs]
    assert [(one.status, one.end_reason, one.end_code) for one in ended] == [
        ("aborted", "expired", None),
        ("failed", "failed", "run.poison"),
    ] * 2 + [("aborted", "expired", None)]
    await runtime.stop()
    assert check_invariants(database) == []
    note = (tmp_path / "baton.db.lock").read_bytes().partition(b"\n")[0]
    assert msgspec.json.decode(note) == {"deaths": {}, "under_way": []}
