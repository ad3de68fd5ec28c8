"""The long form of the proofs under fire: servers that are killed and stopped under conversations, a full disk, clients that hang up."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from engine.runtime.faults import STORE_FAULTS, StoreFault
from tests.proofs.canaries import sing
from tests.proofs.corpus import send_corpus
from tests.proofs.crashes import Place, Told, at_a_place, place_with
from tests.proofs.full_disk import disk, fill, may_mount
from tests.proofs.hangups import hang_up
from tests.proofs.kills import kill
from tests.proofs.malformed import judged
from tests.proofs.nursery import nursery
from tests.proofs.stops import stop
from tests.proofs.strangers import visit

_TALKERS = 200
_MALFORMED = 40
"""Files, and expressions, for each death."""
_HANG_UPS = 100
"""Clients that hang up for each death."""


class Figures(Protocol):
    """What a proof has found."""

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""

    def line(self) -> str:
        """The figures for people."""


def prove(deaths: int) -> Iterator[Told]:
    """So many deaths at each place of a commit, and as much of the rest as fits to it; each on a place of its own."""
    faults: list[StoreFault | None] = [*STORE_FAULTS, None]
    proofs: list[Callable[[Place], Awaitable[Told]]] = [partial(_killed, fault, deaths) for fault in faults]
    proofs += [partial(_stopped, deaths), partial(_hung_up, deaths), _filled, _asked_wrongly, _visited, _sung]
    for proof in proofs:
        yield asyncio.run(at_a_place(proof))
    for found in judged(_MALFORMED * deaths, written=True):
        yield _told(found, found.wrong)


async def _killed(fault: StoreFault | None, deaths: int, place: Place) -> Told:
    return _told(found := await kill(place, fault, deaths, _TALKERS), found.broken)


async def _stopped(times: int, place: Place) -> Told:
    return _told(found := await stop(place, times), found.broken)


async def _hung_up(times: int, place: Place) -> Told:
    return _told(found := await hang_up(place, _HANG_UPS * times), found.broken)


async def _filled(_: Place) -> Told:
    if not may_mount():
        return "a disk that fills was left out: it needs the right to mount one", True
    with tempfile.TemporaryDirectory() as folder, disk(Path(folder)) as mounted:
        async with nursery(asyncio.subprocess.DEVNULL) as quiet, place_with(quiet, mounted) as small:
            found = await fill(small)
    return _told(found, [*found.unfit, *found.broken])


async def _asked_wrongly(place: Place) -> Told:
    return _told(found := await send_corpus(place), found.broken)


async def _visited(place: Place) -> Told:
    return _told(found := await visit(place), found.found)


async def _sung(_: Place) -> Told:
    return _told(found := await sing(), found.found)


def _told(found: Figures, wrong: list[str]) -> Told:
    return "\n".join([found.line(), *wrong]), found.sound
