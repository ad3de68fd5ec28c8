"""Stores under test: each is opened on an empty place, and closed afterwards."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.runtime.store.port import Store
from engine.runtime.store.registry import Registry
from engine.runtime.store.sqlite.open import open_sqlite
from engine.runtime.store.sqlite.store import SqliteStore
from engine.testing.clock import ManualClock
from engine.testing.memory import MemoryRegistry, MemoryStore


@pytest.fixture
def anyio_backend() -> str:
    """The stores run on asyncio alone."""
    return "asyncio"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "sqlite"])
async def opened(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> AsyncIterator[tuple[Store, Registry]]:
    """A store and a registry of each kind; the promises are the same."""
    store: Store
    registry: Registry
    if request.param == "memory":
        store, registry = MemoryStore(clock), MemoryRegistry()
    else:
        store, registry = await open_sqlite(tmp_path / "baton.db", clock)
    yield store, registry
    await store.close()
    await registry.close()


@pytest.fixture
def store(opened: tuple[Store, Registry]) -> Store:
    return opened[0]


@pytest.fixture
def registry(opened: tuple[Store, Registry]) -> Registry:
    return opened[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "baton.db"


@pytest.fixture
async def sqlite(path: Path, clock: ManualClock) -> AsyncIterator[SqliteStore]:
    store, registry = await open_sqlite(path, clock)
    yield store
    await store.close()
    await registry.close()
