"""A database with its tables and nothing in them, made once and copied for each family."""

import asyncio
import shutil
from pathlib import Path

import pytest

from engine.runtime.store.sqlite.open import open_registry


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("empty") / "baton.db"

    async def make() -> None:
        await (await open_registry(file)).close()

    asyncio.run(make())
    return file


@pytest.fixture
def database(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "baton.db"))
