"""A start that fails leaves nothing behind: no lock, no thread, nothing that keeps the process from its end."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import SettingsError
from engine.runtime.administration import KeyTerms, create_tenant
from engine.runtime.runtime import Runtime

SECRET = b"k" * 32


async def test_a_database_that_cannot_be_read_is_let_go_of(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/kept.db"
    runtime = await Runtime.start(database_url=url, secret=SECRET)
    await create_tenant(runtime.registry, "shop", KeyTerms(), runtime.store.now())
    await runtime.stop()
    before = {*threading.enumerate()}
    _write(tmp_path / "kept.db", "UPDATE public_key SET origins = x'c1'")
    with pytest.raises(Exception, match="MessagePack"):
        await Runtime.start(database_url=url, secret=SECRET)
    for thread in {*threading.enumerate()} - before:
        if not thread.name.startswith("asyncio_"):  # those belong to the loop, which ends them
            thread.join(10)
            assert not thread.is_alive()
    _write(tmp_path / "kept.db", "UPDATE public_key SET origins = x'90'")
    await (await Runtime.start(database_url=url, secret=SECRET)).stop()


def test_a_host_that_is_none_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        asyncio.run(Runtime.start(database_url=f"sqlite:///{tmp_path}/new.db", secret=SECRET, allowed_hosts=["127.1"]))
    assert [*tmp_path.iterdir()] == []


def _write(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
