"""The keys that secrets are sealed under, for commands that keep or use some."""

import os

from api.cli.console import note
from api.cli.program import Misuse
from api.secrets import key_file, server_key
from api.settings import read_settings
from engine.runtime.vault import Vault


def key_before() -> bytes | None:
    """The key that the server had before, where the setting tells it."""
    return read_settings(os.environ).old_secret_key


def sealing_vault(before: bytes | None = None, *, told: bool = False) -> Vault:
    """Seals with the server's key, and opens what that or the key before has sealed: the one given, else that of the setting.

    Without a setting the key is the one that `baton serve --dev` keeps beside the database, where there is one; `told`: say on standard
    error that it is that one.
    """
    settings = read_settings(os.environ)
    kept = key_file(settings)
    if settings.secret_key is None and not kept.exists():
        raise Misuse("BATON_SECRET_KEY must be set to the server's key: secrets are sealed under it.")
    if settings.secret_key is None and told:
        note(f"Secrets are sealed under the key in {kept}, which only `baton serve --dev` uses.")
    before = before or settings.old_secret_key
    return Vault([server_key(settings, dev=True), *([] if before is None else [before])])
