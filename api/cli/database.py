"""The database that commands manage, and the tenant that is meant."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import click

from api.settings import read_settings
from engine.model.values import Millis
from engine.runtime.clock import SystemClock
from engine.runtime.store.registry import Register, Registry, TenantRow
from engine.runtime.store.sqlite.address import sqlite_path
from engine.runtime.store.sqlite.open import open_registry

DEFAULT_TENANT: Final = "default"

tenant_option = click.option("--tenant", metavar="NAME", help="The tenant; may be left out while there is one.")


def now() -> Millis:
    """The moment by this machine's clock."""
    return SystemClock().wall()


@asynccontextmanager
async def open_database(*, create: bool = False) -> AsyncIterator[Registry]:
    """The registry of the settings' database, migrated; without `create` a database that is not there is a finding."""
    path = sqlite_path(read_settings(os.environ).database_url) if create else existing_database()
    registry = await open_registry(path)
    try:
        yield registry
    finally:
        await registry.close()


def existing_database() -> Path:
    """Where the settings' database is; one that is not there is a finding."""
    path = sqlite_path(read_settings(os.environ).database_url)
    if not path.exists():
        raise click.ClickException(no_database(path))
    return path


def no_database(path: Path) -> str:
    """What is said where the database is not there."""
    return f"There is no database at {path}: run `baton init` first, or set BATON_DATABASE_URL."


def find_tenant(register: Register, name: str | None) -> TenantRow:
    """The tenant of that name; without a name, the only one."""
    if name is None:
        match register.tenants:
            case ():
                raise click.ClickException("There is no tenant yet: run `baton init` first.")
            case (only,):
                return only
            case several:
                raise click.UsageError(f"Say which tenant with --tenant: {', '.join(sorted(tenant.name for tenant in several))}.")
    for tenant in register.tenants:
        if tenant.name == name:
            return tenant
    raise click.ClickException(f"There is no tenant {name!r}.")
