"""Server processes, one after the other, each of which dies when a deadline of the flow `deadly` acts; the first that lives is the last.

Prints how each has ended: its exit code, or the number of the signal below nought.
"""

import asyncio
import os
import signal
import sys

from api.logs import configure
from api.settings import Settings
from engine.model.values import Millis
from engine.runtime.clock import SystemClock
from engine.runtime.runtime import Runtime
from engine.runtime.store.port import Snapshot
from engine.runtime.turns.occasion import Drafted, Postponed

SECRET = b"a secret key of the tests, longer than 32 bytes"
_AHEAD: Millis = 3_600_000
_MOST = 12


class _Ahead(SystemClock):
    def wall(self) -> Millis:
        return super().wall() + _AHEAD


async def serve(database: str) -> None:
    """Until nothing is due any more."""
    configure(Settings())
    runtime = await Runtime.start(database_url=f"sqlite:///{database}", secret=SECRET, clock=_Ahead())
    decider = runtime.executor._decider  # noqa: SLF001 - as a library does that breaks: in the midst of a decision
    expire = decider.expire

    def die(snapshot: Snapshot) -> Drafted | Postponed | None:
        if snapshot.run is not None and snapshot.run.flow == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        return expire(snapshot)

    decider.expire = die  # type: ignore[method-assign]
    while await runtime.store.due(1):  # noqa: ASYNC110 - the sweep tells nobody
        await asyncio.sleep(0.02)
    await runtime.stop()


def main(database: str) -> None:
    """Fork each, so that a start costs little."""
    for _ in range(_MOST):
        child = os.fork()
        if child == 0:
            asyncio.run(serve(database))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{code}\n")
        if code >= 0:
            return


if __name__ == "__main__":
    main(sys.argv[1])
