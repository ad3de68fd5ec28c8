"""The server that is measured, in a process of its own: what `baton serve` runs, with two routes that store nothing beside the others.

It says on one line where it listens and which key opens it, and ends when its standard input does, so that it never outlives the bench.
"""

import asyncio
import socket
import sys
from pathlib import Path

import click
import msgspec
import uvicorn
import uvloop
from msgspec import Struct

from api.app import create_app
from api.cli.running import server_config, spare_collector
from api.logs import configure
from api.settings import Settings
from engine.runtime.runtime import Runtime
from scripts.benchmarks.subject import SECRET, noop, prepare
from scripts.benchmarks.unstored import unstored_endpoint


class Listening(Struct, frozen=True):
    """What the server says once it can be reached."""

    port: int
    public_key: str


@click.command()
@click.argument("database", type=click.Path(path_type=Path))
def main(database: Path) -> None:
    """Serve on a free port of this machine until standard input ends."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(database))


async def _serve(database: Path) -> None:
    # Everything as it is by default (synchronous=full, one line of log for each turn), but for the limits on how often one may ask.
    settings = Settings(database_url=f"sqlite:///{database}", rate_limit_sessions=None, rate_limit_messages=None)
    configure(settings)
    runtime = await Runtime.start(database_url=settings.database_url, secret=SECRET, synchronous=settings.synchronous)
    try:
        tenant = await prepare(runtime)
        app = create_app(runtime, settings, more=[await unstored_endpoint(runtime, tenant, settings)], more_routes=[noop])
        server = uvicorn.Server(server_config(app))
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            spare_collector()
            told = Listening(port=listener.getsockname()[1], public_key=tenant.public_key)
            click.echo(msgspec.json.encode(told))
            await asyncio.gather(server.serve([listener]), _stopped_by_end_of_input(server))
    finally:
        await runtime.stop()


async def _stopped_by_end_of_input(server: uvicorn.Server) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), ended.set)  # nothing is ever written there: what can be read is its end
    await ended.wait()
    loop.remove_reader(sys.stdin.fileno())
    server.should_exit = True


if __name__ == "__main__":
    main()
