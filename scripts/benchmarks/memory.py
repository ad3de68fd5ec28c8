"""What a process holds in memory: the program whole, so many turns taken and some sweeps made, on the database that it is given.

python -m scripts.benchmarks.memory DATABASE TENANT TURNS
"""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Final

import uvloop

from api.app import create_app
from api.cli.running import spare_collector
from api.settings import Settings
from engine.runtime.runtime import Runtime
from scripts.benchmarks.crowd import Crowd
from scripts.benchmarks.in_process import DirectTalk
from scripts.benchmarks.results import Memory
from scripts.benchmarks.subject import SECRET

_TALKS: Final = 64
_SWEEPS: Final = 20
_PATIENCE: Final = 300


def weigh(nobody: Crowd, everybody: Crowd, turns: int) -> Memory:
    """The same in two processes, one after the other."""
    none, everything = (_weighed(crowd, turns) for crowd in (nobody, everybody))
    return Memory(waiting=everybody.waiting, none_mb=none, all_mb=everything, ratio=everything / none)


def _weighed(crowd: Crowd, turns: int) -> float:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "scripts.benchmarks.memory", str(crowd.path), crowd.tenant_id, str(turns)],
        capture_output=True,
        timeout=_PATIENCE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The process that is weighed ended:\n{done.stderr}")
    return float(done.stdout)


async def _main(path: str, tenant_id: str, turns: int) -> float:
    settings = Settings(database_url=f"sqlite:///{path}")
    runtime = await Runtime.start(database_url=settings.database_url, secret=SECRET)
    try:
        _app = create_app(runtime, settings)  # it serves nobody here, but a server holds it
        spare_collector()
        talks = [await DirectTalk.begin(runtime, tenant_id) for _ in range(_TALKS)]
        await asyncio.gather(*(talk.take(-(-turns // _TALKS)) for talk in talks))
        for _ in range(_SWEEPS):
            await runtime.scheduler.sweep()
        return _resident_mb()
    finally:
        await runtime.stop()


def _resident_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(kilobytes) / 1024


if __name__ == "__main__":
    sys.stdout.write(f"{uvloop.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))}\n")
