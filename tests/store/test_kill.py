"""Real processes killed at named places: what was acknowledged is there, whole, and what is half done is not."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime.clock import SystemClock
from engine.runtime.faults import STORE_FAULTS
from engine.runtime.invariants import check_invariants
from engine.runtime.store.port import Order
from engine.runtime.store.sqlite.open import open_sqlite
from tests.store.turns import look

ROOT = Path(__file__).resolve().parents[2]


def run_until_killed(path: Path, fault: str) -> list[str]:
    """The keys that were acknowledged before the end."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.store.dying_server", str(path), fault],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    return process.stdout.split()


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("name", STORE_FAULTS)
async def test_a_killed_process_leaves_every_acknowledged_turn_whole(tmp_path: Path, name: str, count: int) -> None:
    path = tmp_path / "baton.db"
    acknowledged = run_until_killed(path, f"{name}:{count}")
    assert check_invariants(path) == []
    store, registry = await open_sqlite(path, SystemClock())
    for key in acknowledged:
        stored = (await look(store, Order(tenant_id="t", idempotency=("scope", key)))).stored
        assert stored is not None
        assert stored.done
    first = (await look(store, Order(tenant_id="t", idempotency=("scope", "0-0")))).stored
    assert (first is None) == (name == "before_commit" and count == 1)
    await store.close()
    await registry.close()
