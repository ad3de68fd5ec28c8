"""What conversations have left in the database, for commands that inspect or change it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import click

from api.cli.database import existing_database, find_tenant
from api.settings import read_settings
from engine.errors import StoreError
from engine.runtime.clock import SystemClock
from engine.runtime.executor import Executor
from engine.runtime.runtime import Runtime
from engine.runtime.store.port import Store
from engine.runtime.store.registry import TenantRow
from engine.runtime.store.sqlite.lock import ServerLock
from engine.runtime.store.sqlite.open import open_sqlite


@asynccontextmanager
async def open_records(tenant: str | None) -> AsyncIterator[tuple[Store, TenantRow]]:
    """What the tenant's conversations have left, while a server runs or none; turns are not to be taken here."""
    store, registry = await open_sqlite(existing_database(), SystemClock())
    try:
        yield store, find_tenant(await registry.register(), tenant)
    finally:
        await store.close()
        await registry.close()


@asynccontextmanager
async def open_executor(tenant: str | None, instead: str) -> AsyncIterator[tuple[Executor, TenantRow]]:
    """The executor, in a server's place and without its clock; while a server runs it is refused, and told what to do `instead`."""
    settings = read_settings(os.environ)
    with _server_lock(existing_database(), instead):
        # No token is made or read here, so that any key will do.
        runtime = await Runtime.start(database_url=settings.database_url, secret=bytes(32), synchronous=settings.synchronous, serving=False)
        try:
            yield runtime.executor, find_tenant(await runtime.registry.register(), tenant)
        finally:
            await runtime.stop()


@contextmanager
def _server_lock(path: Path, instead: str) -> Iterator[None]:
    lock = ServerLock(path)
    try:
        lock.acquire()
    except StoreError as error:
        raise click.ClickException(f"A server runs on {path}. {instead}") from error
    try:
        yield
    finally:
        lock.release()
