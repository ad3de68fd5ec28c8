"""A disk that fills while people talk, and is freed: what is refused, what goes on, and how soon all is well again."""

import asyncio
import errno
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from msgspec import Struct

from engine.runtime.invariants import check_invariants
from tests.proofs.crashes import Place
from tests.proofs.line import Line, Told
from tests.proofs.talkers import OK, Talker, all_wrong, connected_to, talkers

_SIZE: Final = "64m"
_UNAVAILABLE: Final = 503
_TALKERS: Final = 20
_LATEST: Final = 30.0
_FORGOTTEN: Final = 1.0
"""Seconds after which a server tries again what it has said of itself."""


class Filled(Struct, frozen=True):
    """What a full disk has done."""

    turns: int
    """Acknowledged before, meanwhile and afterwards."""
    refused: int
    unfit: list[str]
    """Refusals that were no 503 with Retry-After, reads that failed, and a readiness that said otherwise than the turns."""
    recovered: float
    """Seconds from the moment when there was room again until every open request was answered and the server was ready."""
    broken: list[str]

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""
        return self.refused > 0 and not self.unfit and not self.broken and self.recovered <= 10

    def line(self) -> str:
        """The figures for people."""
        return (
            f"a disk of {_SIZE} that fills and is freed: {self.refused} turns refused, {len(self.unfit)} of them or of the reads wrongly; "
            f"all well {self.recovered:.1f} s after there was room; {self.turns} turns acknowledged, {len(self.broken)} things lost or torn"
        )


@cache
def may_mount() -> bool:
    """Whether this process may make a disk of its own."""
    try:
        with TemporaryDirectory() as folder, disk(Path(folder)):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A small disk there, gone afterwards."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "baton-proof", folder], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


async def fill(place: Place) -> Filled:
    """Fill the disk on which the place is, until nobody can speak, and free it."""
    ballast = place.database.with_name("ballast")
    alive = await place.bear()
    people = await talkers(place, alive, _TALKERS)
    async with Line(alive.port) as line, connected_to(alive, people):
        await asyncio.gather(*(talker.speak() for talker in people))
        unfit = await _told_ready(line, ready=True)
        _fill(ballast)
        while not all(talker.refused for talker in people):
            await asyncio.gather(*(talker.speak() for talker in people))
        await asyncio.sleep(_FORGOTTEN)
        unfit += await _told_ready(line, ready=False)
        unfit += await _unread(people)
        ballast.unlink()
        freed = time.monotonic()
        await asyncio.wait_for(asyncio.gather(*(_until_answered(talker) for talker in people)), _LATEST)
        while await _told_ready(line, ready=True):
            assert time.monotonic() - freed < _LATEST
            await asyncio.sleep(0.05)
        recovered = time.monotonic() - freed
        unfit += [str(answer) for talker in people for answer in talker.refused if not _is_busy(answer)]
        broken = [*await all_wrong(people), *check_invariants(place.database)]
    await place.nursery.kill()
    turns, refused = (sum(len(one) for one in lists) for lists in zip(*((t.replies, t.refused) for t in people), strict=True))
    return Filled(turns, refused, unfit, recovered, broken)


async def _until_answered(talker: Talker) -> None:
    while (await talker.speak()).status != OK:  # noqa: ASYNC110 - it happens in another process
        await asyncio.sleep(0.05)


async def _told_ready(line: Line, *, ready: bool) -> list[str]:
    """What is wrong with what the server says of itself."""
    answer = await line.ask("GET", "/health/ready")
    return [] if (answer.status == OK) == ready and (ready or _is_busy(answer)) else [f"ready: {answer}"]


async def _unread(people: list[Talker]) -> list[str]:
    """What cannot be read, or has changed, while nothing can be written."""
    latest = await asyncio.gather(*(talker.latest() for talker in people))
    moved = [f"{now} was {talker.replies[-1]}" for now, talker in zip(latest, people, strict=True) if now != talker.replies[-1]]
    return [*moved, *await all_wrong(people)]


def _is_busy(answer: Told) -> bool:
    return answer.status == _UNAVAILABLE and int(answer.headers["retry-after"]) >= 1


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for piece in (1 << 20, 1 << 12):
            try:
                while True:
                    os.write(file.fileno(), b"x" * piece)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
