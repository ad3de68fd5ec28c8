"""Where the database goes: a folder on a real disk, looked at before anything is measured."""

import os
import platform
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from scripts.benchmarks.results import Place

_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_SYNCS: Final = 100


class InMemoryError(Exception):
    """A folder in memory: a commit there costs nothing and keeps nothing."""


def look_at(folder: Path) -> Place:
    """What a reader must know of the place; raises InMemoryError for a folder that is on no disk."""
    filesystem = _filesystem(folder)
    if filesystem in _IN_MEMORY:
        raise InMemoryError(f"{folder} is on {filesystem}, where nothing is durable: name another with --folder.")
    return Place(
        python=platform.python_version(),
        processors=len(os.sched_getaffinity(0)),
        folder=str(folder),
        filesystem=filesystem,
        sync_us=_sync_us(folder / "sync"),
    )


def cpu_seconds(process: int) -> float:
    """CPU time that the process has used since it began, all its threads together."""
    stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    after_name = stat.rpartition(")")[2].split()
    user, system = after_name[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _filesystem(folder: Path) -> str:
    """The type of the filesystem that the folder is on, as the system names it."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    parents = {str(parent) for parent in (folder.resolve(), *folder.resolve().parents)}
    return max((len(point), kind) for point, kind in mounts if point in parents)[1]


def _sync_us(path: Path) -> float:
    took: list[float] = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            began = perf_counter()
            os.pwrite(file.fileno(), b"x" * 4096, 0)  # over the same place, as a log that was begun again is written
            os.fdatasync(file.fileno())
            took.append(perf_counter() - began)
    path.unlink()
    return median(took) * 1_000_000
