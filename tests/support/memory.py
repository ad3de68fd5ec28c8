"""How much memory this process has taken at most."""

import resource
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")


def peak_kib() -> int:
    """In KiB, of this program alone: what `getrusage` tells on Linux begins with what the process was that started it."""
    if _STATUS.exists():
        return next(int(line.split()[1]) for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
