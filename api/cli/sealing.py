"""The key that secrets are sealed under, for commands that keep or use some."""

import os

from api.cli.console import note
from api.cli.program import Misuse
from api.secrets import key_file, server_key
from api.settings import read_settings


def sealing_key(*, told: bool = False) -> bytes:
    """The server's key; without a setting the one that `baton serve --dev` keeps beside the database, where there is one.

    `told`: say on standard error that it is that one.
    """
    settings = read_settings(os.environ)
    kept = key_file(settings)
    if settings.secret_key is None and not kept.exists():
        raise Misuse("BATON_SECRET_KEY must be set to the server's key: secrets are sealed under it.")
    if settings.secret_key is None and told:
        note(f"Secrets are sealed under the key in {kept}, which only `baton serve --dev` uses.")
    return server_key(settings, dev=True)
