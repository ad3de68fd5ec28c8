"""`baton serve`: the server, from its settings to its end."""

import asyncio
import os
import sys
from collections.abc import Mapping
from typing import Final

import click
import msgspec
import uvloop

from api.cli.console import example
from api.cli.program import Misuse
from api.cli.running import serve
from api.secrets import server_key
from api.settings import Settings, read_settings

_SQLITE: Final = "sqlite:"


@click.command("serve", epilog=example("baton serve --dev"))
@click.option("--host", metavar="ADDRESS", help="The address to listen on (BATON_HOST, 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65_535), help="The port to listen on; 0 takes a free one (BATON_PORT, 8080).")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Server processes; more than one needs PostgreSQL, and so a later version (BATON_WORKERS, 1).",
)
@click.option("--dev", is_flag=True, help="To try things: sets up an empty database, prints the keys, trusts pages of this machine.")
def command(*, host: str | None, port: int | None, workers: int | None, dev: bool) -> None:
    """Run the server until it is told to stop by SIGTERM or SIGINT, which it does within 5 s.

    With --dev an empty database gets a tenant and the flows of the folder flows/, a secret key is made and kept beside the database,
    traces are exposed, there is a chat page at /, and flows may reach the sample shop (scripts/shop) on 127.0.0.1:8090.
    """
    given = {name: value for name, value in (("host", host), ("port", port), ("workers", workers)) if value is not None}
    settings = msgspec.structs.replace(read_settings(os.environ), **given)
    if dev and sys.stderr.isatty():
        settings = readable(settings, os.environ)
    _refuse_workers(settings)
    secret = server_key(settings, dev=dev)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, secret, dev=dev))


def readable(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """The settings with a log for people, unless the environment names its format."""
    named = environment.get("BATON_LOG_FORMAT", "").strip()
    return settings if named else msgspec.structs.replace(settings, log_format="console")


def _refuse_workers(settings: Settings) -> None:
    if settings.workers > 1 and settings.database_url.startswith(_SQLITE):
        told = f"A SQLite database has one server process, not {settings.workers}, and other databases come in a later version"
        raise Misuse(f"{told}: leave --workers and BATON_WORKERS out.")
