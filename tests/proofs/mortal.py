"""Server processes that die: forked from one that has everything loaded, so that a start takes a fifth of a second.

Each line on standard input is an `Errand`: a process is forked that serves as `baton serve` does, says where it listens, and is waited
for; how it ended is the next line. A process whose standard input ends while it serves ends too: nothing outlives the tests.
"""

import asyncio
import os
import select
import signal
import socket
import sys
import threading
from typing import Literal

import msgspec
import uvloop
from msgspec import Struct

from api.app import create_app
from api.cli.running import Server
from api.logs import configure
from api.settings import Settings
from engine.model.values import Millis
from engine.runtime.clock import SystemClock
from engine.runtime.faults import parse_faults
from engine.runtime.runtime import Runtime

SECRET = b"a secret key of the proofs, longer than 32 bytes"


class Errand(Struct, frozen=True):
    """What a process is to serve, and how it is to end."""

    database: str
    outbound: str
    """The `host:port` that its flows may reach."""
    fault: str | None = None
    """Where it dies, as `parse_faults` reads it."""
    ahead: Millis = 0
    """How far its clock is ahead of the machine's: past a lease, nobody has to wait for it."""
    beside: bool = False
    """Whether it works beside another server on the same file, without the lock that forbids it."""
    log_level: Literal["debug", "error"] = "error"


class Alive(Struct, frozen=True):
    """What a process says once it listens."""

    pid: int
    port: int


class Dead(Struct, frozen=True):
    """How a process has ended: its exit code, or the number of the signal below nought."""

    code: int


class _Ahead(SystemClock):
    def __init__(self, by: Millis) -> None:
        self._by = by

    def wall(self) -> Millis:
        return super().wall() + self._by


async def serve(errand: Errand) -> None:
    """Serve until a signal or the end of standard input."""
    settings = Settings(rate_limit_sessions=None, rate_limit_messages=None, log_level=errand.log_level)
    configure(settings)
    runtime = await Runtime.start(
        database_url=f"sqlite:///{errand.database}",
        secret=SECRET,
        clock=_Ahead(errand.ahead),
        allowed_hosts=[errand.outbound],
        faults=parse_faults(errand.fault),
        serving=not errand.beside,
    )
    if errand.beside:
        runtime.scheduler.start()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        alive = Alive(os.getpid(), listener.getsockname()[1])
        threading.Thread(target=_end_with_input, daemon=True).start()
        await Server(create_app(runtime, settings), msgspec.json.encode(alive).decode()).serve([listener])
    if errand.beside:
        await runtime.scheduler.stop()
    await runtime.stop()


def main() -> None:
    """Fork a process for each errand, one after the other."""
    for line in iter(sys.stdin.buffer.readline, b""):
        errand = msgspec.json.decode(line, type=Errand)
        child = os.fork()
        if child == 0:
            # As a server is started: a signal that the parent had no time for is not the child's.
            signal.set_wakeup_fd(-1)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(serve(errand))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        _tell(Dead(os.waitstatus_to_exitcode(status)))


def _end_with_input() -> None:
    # A loop's reader would make the input non-blocking for the parent as well, whose input it is.
    select.select([sys.stdin], [], [])
    os._exit(3)


def _tell(said: Dead) -> None:
    os.write(sys.stdout.fileno(), msgspec.json.encode(said) + b"\n")


if __name__ == "__main__":
    main()
