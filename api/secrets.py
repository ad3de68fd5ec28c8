"""The server's key: from the settings, or in `--dev` from a file beside the database that is made on first use."""

import os
import secrets
from pathlib import Path
from typing import Final

from api.settings import Settings, is_postgresql
from engine.errors import SettingsError, StoreError
from engine.runtime.store.sqlite.address import sqlite_path

_KEY_BYTES: Final = 32


def server_key(settings: Settings, *, dev: bool) -> bytes:
    """The key that tokens are made with, at least 32 bytes; raises SettingsError where there is none, StoreError where none can be made."""
    if settings.secret_key is not None:
        return settings.secret_key
    if not dev:
        raise SettingsError("BATON_SECRET_KEY must be set to 32 bytes or more (or use --dev).")
    return _kept_key(key_file(settings))


def key_file(settings: Settings) -> Path:
    """Where `--dev` keeps its key: `baton.key` beside `baton.db`; in the working folder when the database is a server."""
    return Path("baton.key") if is_postgresql(settings.database_url) else sqlite_path(settings.database_url).with_suffix(".key")


def _kept_key(path: Path) -> bytes:
    try:
        _make_key(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"The server's key {path} cannot be made beside the database: {error.strerror}.") from error
    key = path.read_text(encoding="ascii").strip().encode()
    if len(key) < _KEY_BYTES:
        raise SettingsError(f"BATON_SECRET_KEY is not set and {path} holds no key of 32 bytes; remove the file to have a new one made.")
    return key


def _make_key(path: Path) -> None:
    """Write a fresh key that only its owner may read; the whole of it appears at once, or FileExistsError says that there is one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, secrets.token_hex(_KEY_BYTES).encode() + b"\n")
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(draft)
    finally:
        draft.unlink()
