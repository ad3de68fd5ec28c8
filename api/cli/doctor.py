"""`baton doctor`: whether settings, database, versions, clock and scheduler are as they should be."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from typing import Final

import click
from msgspec import Struct

from api.cli.console import counted, example, json_option, leave, moment, note, write_json, write_table
from api.cli.database import no_database, now
from api.cli.program import FINDING
from api.secrets import key_file, server_key
from api.settings import Settings, read_settings
from engine.errors import SettingsError, StoreError
from engine.model.values import Millis
from engine.runtime.store.sqlite.address import sqlite_path
from engine.runtime.store.sqlite.inspection import Inspection, inspect
from engine.runtime.store.tables import NEWEST_MIGRATION
from engine.runtime.vault import Vault

_OLDEST_SQLITE: Final = (3, 35)
"""The first with RETURNING."""
_SET_BACK: Final[Millis] = 2_000
_MOST_LAG: Final[Millis] = 5_000


class Check(Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


@click.command("doctor", epilog=example("baton doctor"))
@json_option
def command(*, as_json: bool) -> None:
    """Check settings, database, versions, clock and scheduler lag; exit with 1 when something is wrong. Nothing is changed."""
    checks = [*_checks()]
    wrong = sum(not check.ok for check in checks)
    if as_json:
        write_json(checks)
    else:
        write_table(("CHECK", "", "FOUND"), [(check.name, "ok" if check.ok else "WRONG", check.detail) for check in checks])
    note("All is well." if not wrong else f"{counted(wrong, 'thing')} to look at.")
    if wrong:
        leave(FINDING)


def _checks() -> Iterator[Check]:
    yield _versions()
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        yield Check("settings", ok=False, detail=str(error))
        return
    yield Check("settings", ok=True, detail="every value can be read")
    yield _secret(settings)
    yield _callbacks(settings)
    if settings.otel_endpoint is not None:
        yield Check("traces", ok=True, detail="BATON_OTEL_ENDPOINT is set, and does nothing in this version: no traces are sent")
    try:
        path = sqlite_path(settings.database_url)
        if not path.exists():
            yield Check("database", ok=False, detail=no_database(path))
            return
        found = inspect(path)
    except StoreError as error:
        yield Check("database", ok=False, detail=str(error))
        return
    yield Check("database", ok=found.complaint is None, detail=found.complaint or f"{path} can be read and is whole")
    yield _schema(found)
    yield _clock(found)
    yield _scheduler(found)
    yield _seals(settings, found)
    yield Check("webhooks", ok=True, detail=counted(found.parked, "parked delivery", "parked deliveries"))


def _versions() -> Check:
    newest = sqlite3.sqlite_version_info >= _OLDEST_SQLITE
    python = ".".join(map(str, sys.version_info[:3]))
    return Check("versions", ok=newest, detail=f"Baton {metadata.version('baton-flow')}, Python {python}, SQLite {sqlite3.sqlite_version}")


def _secret(settings: Settings) -> Check:
    if settings.secret_key is not None:
        return Check("secret key", ok=True, detail="BATON_SECRET_KEY is set")
    kept = key_file(settings)
    if kept.exists():
        return Check("secret key", ok=True, detail=f"kept in {kept}, which only `baton serve --dev` uses")
    return Check("secret key", ok=False, detail="BATON_SECRET_KEY is not set: the server starts with --dev alone")


def _seals(settings: Settings, found: Inspection) -> Check:
    """Whether the server's keys have sealed what is kept sealed."""
    keys = [] if settings.old_secret_key is None else [settings.old_secret_key]
    if settings.secret_key is not None or key_file(settings).exists():
        with suppress(SettingsError):
            keys.append(server_key(settings, dev=True))
    vault = Vault(keys) if keys else None
    closed = sum(vault is None or not vault.has_key_of(sealed) for sealed in found.sealed)
    if closed:
        return Check("secrets", ok=False, detail=f"{counted(closed, 'secret')} of connections or webhooks open with no key that is set")
    return Check("secrets", ok=True, detail=f"{counted(len(found.sealed), 'secret')} of connections and webhooks")


def _callbacks(settings: Settings) -> Check:
    if settings.public_url is not None:
        return Check("callbacks", ok=True, detail=f"their addresses begin with {settings.public_url}")
    return Check("callbacks", ok=True, detail=f"BATON_PUBLIC_URL is not set: only who reaches {settings.host} by that name can call back")


def _schema(found: Inspection) -> Check:
    if found.revision == NEWEST_MIGRATION:
        return Check("schema", ok=True, detail=f"migration {found.revision}, the newest")
    return Check("schema", ok=False, detail=f"migration {found.revision}, not {NEWEST_MIGRATION}: a start migrates an older one")


def _clock(found: Inspection) -> Check:
    behind = found.high_water - now()
    if behind > _SET_BACK:
        return Check(
            "clock", ok=False, detail=f"this machine is {behind / 1000:.0f} s behind {moment(found.high_water)}, which was told already"
        )
    return Check("clock", ok=True, detail=f"{moment(now())}, not behind the database")


def _scheduler(found: Inspection) -> Check:
    runs = "a server runs" if found.served else "no server runs"
    late = 0 if found.next_due is None else now() - found.next_due
    if late > _MOST_LAG:
        return Check("scheduler", ok=False, detail=f"{runs}, and a wait is {late / 1000:.0f} s overdue")
    return Check("scheduler", ok=True, detail=f"{runs}, no wait is overdue")
