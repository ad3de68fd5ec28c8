"""Real processes killed at named places: every event is told, in its order, and twice at most where the end came between."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.loading import Source, load_flow
from engine.runtime.catalog import encode_flow
from engine.runtime.clock import SystemClock
from engine.runtime.faults import DELIVERY_FAULTS
from engine.runtime.invariants import check_invariants
from engine.runtime.store.registry import Draft
from engine.runtime.store.sqlite.open import open_registry
from engine.runtime.vault import Vault
from engine.runtime.webhooks.endpoints import add_webhook
from tests.webhooks.dying_sender import KEY, TENANT
from tests.webhooks.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
SHORT = """
flow: short
intent: {}
nodes:
  one: {type: emit, event: step.one, next: two}
  two: {type: emit, event: step.two, next: end}
"""
TOLD = ["chat.execution.started", "step.one", "step.two", "chat.execution.completed"]


async def prepare(path: Path, url: str) -> None:
    registry, now = await open_registry(path), SystemClock().wall()
    loaded = load_flow(Source("flow.yaml", SHORT))
    assert loaded.flow is not None
    draft = Draft(flow="short", digest="d", intent="short", source=SHORT, document=encode_flow(loaded.flow))
    await registry.publish(TENANT, [draft], now)
    await add_webhook(registry, Vault([KEY]), TENANT, url, [], now)
    await registry.close()


def live(path: Path, fault: str) -> int:
    """One process's life; gives how it ended."""
    command = [sys.executable, "-m", "tests.webhooks.dying_sender", str(path), fault]
    return subprocess.run(command, cwd=ROOT, timeout=60, check=False, stdout=subprocess.DEVNULL).returncode


@pytest.mark.parametrize(("name", "count"), [*zip(DELIVERY_FAULTS, (1, 3), strict=True)])
async def test_a_killed_process_has_told_everything_once_it_is_started_again(
    tmp_path: Path, receiver: Receiver, name: str, count: int
) -> None:
    path = tmp_path / "baton.db"
    await prepare(path, receiver.url)
    assert live(path, f"{name}:{count}") == -signal.SIGKILL
    assert check_invariants(path) == []
    before = len(receiver.received)
    assert receiver.types == TOLD[: count - (name == "before_delivery")]
    assert live(path, "") == 0
    assert receiver.types[before:] == TOLD[count - 1 :]
    ids = [one.id for one in receiver.received]
    assert len(set(ids)) == len(TOLD)
    assert len(ids) == len(TOLD) + (name == "after_delivery")
    assert check_invariants(path) == []
