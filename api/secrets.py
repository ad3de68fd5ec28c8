"""The server's key: from the settings, or in `--dev` from a file beside the database that is made on first use."""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

from api.settings import Settings
from engine.errors import SettingsError

_KEY_BYTES: Final = 32
_SQLITE: Final = "sqlite:///"


def server_key(settings: Settings, *, dev: bool) -> bytes:
    """The key that tokens are made with, at least 32 bytes; raises SettingsError where there is none."""
    if settings.secret_key is not None:
        return settings.secret_key
    if not dev:
        raise SettingsError("BATON_SECRET_KEY must be set to 32 bytes or more (or use --dev).")
    return _kept_key(key_file(settings))


def key_file(settings: Settings) -> Path:
    """Where `--dev` keeps its key: `baton.key` beside `baton.db`; in the working folder when the database is a server."""
    if settings.database_url.startswith(_SQLITE):
        return Path(settings.database_url.removeprefix(_SQLITE)).with_suffix(".key")
    return Path("baton.key")


def _kept_key(path: Path) -> bytes:
    with contextlib.suppress(FileExistsError):
        _make_key(path)
    key = path.read_text(encoding="ascii").strip().encode()
    if len(key) < _KEY_BYTES:
        raise SettingsError(f"BATON_SECRET_KEY is not set and {path} holds no key of 32 bytes; remove the file to have a new one made.")
    return key


def _make_key(path: Path) -> None:
    """Write a fresh key that only its owner may read; the whole of it appears at once, or FileExistsError says that there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
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
