"""Clients that hang up anywhere in a request: each turn is stored whole or not at all, and nothing is kept of the connection."""

import asyncio
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from engine.runtime.invariants import check_invariants
from tests.proofs.crashes import Place
from tests.proofs.talkers import CHAT, Talker, all_wrong, connected_to, talkers

Point = Literal["in the head", "in the body", "after sending", "in the answer", "while waiting"]
POINTS: Final[tuple[Point, ...]] = get_args(Point)
_AT_ONCE: Final = 20
_LATEST: Final = 20.0


@dataclass
class HungUp:
    """What the clients that hung up came to."""

    counts: Counter[Point] = field(default_factory=Counter)
    turns: int = 0
    taken: int = 0
    """Turns that were taken although nobody was left to hear of it."""
    files: int = 0
    """Files and sockets that the server holds more than before."""
    broken: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""
        return not self.broken and self.files <= 0

    def line(self) -> str:
        """The figures for people."""
        points = ", ".join(f"{count} {point}" for point, count in self.counts.items())
        return (
            f"clients that hang up ({points}): {self.turns} turns acknowledged in the end, {self.taken} of them taken with nobody there; "
            f"{max(self.files, 0)} files or connections left open; {len(self.broken)} things lost, doubled or torn"
        )


async def hang_up(place: Place, times: int, seed: int = 17) -> HungUp:
    """Let people hang up so many times, and then ask again what they had asked."""
    chance = random.Random(seed)  # noqa: S311 - the same points each time
    figures = HungUp()
    alive = await place.bear()
    people = await talkers(place, alive, _AT_ONCE)
    async with connected_to(alive, people):
        await asyncio.gather(*(talker.speak() for talker in people))
    before = await _fewest(alive.pid)
    for _ in range(-(-times // _AT_ONCE)):
        points = [chance.choice(POINTS) for _ in people]
        figures.counts.update(points)
        await asyncio.gather(*(_hang_up(alive.port, talker, point, chance) for talker, point in zip(people, points, strict=True)))
        if chance.random() < 0.5:
            async with connected_to(alive, people):
                await asyncio.gather(*(talker.speak() for talker in people))
    async with connected_to(alive, people):
        await asyncio.gather(*(talker.speak() for talker in people))
        figures.broken += await all_wrong(people)
    figures.files = await _left(alive.pid, before)
    await place.nursery.kill()
    figures.broken += [str(answer) for talker in people for answer in talker.refused]
    figures.broken += check_invariants(place.database)
    figures.turns = sum(len(talker.replies) for talker in people)
    figures.taken = sum(talker.replayed for talker in people)
    return figures


async def _hang_up(port: int, talker: Talker, point: Point, chance: random.Random) -> None:
    """Begin the talker's request, and end the connection there, politely or not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head, body = _waiting(talker) if point == "while waiting" else _speaking(talker)
    match point:
        case "in the head":
            sent = head[: chance.randrange(len(head))]
        case "in the body":
            sent = head + body[: chance.randrange(len(body))]
        case _:
            sent = head + body
    with suppress(OSError):
        writer.write(sent)
        await writer.drain()
        if point == "in the answer":
            await asyncio.wait_for(reader.readexactly(1), _LATEST)
        await asyncio.sleep(chance.choice((0, 0.001, 0.005)))
    if chance.random() < 0.5:
        writer.transport.abort()
    else:
        writer.close()


def _speaking(talker: Talker) -> tuple[bytes, bytes]:
    request = talker.request()
    body = msgspec.json.encode(request.body)
    given = {**talker.headers, "Idempotency-Key": request.key, "Content-Type": "application/json", "Content-Length": str(len(body))}
    return _head(f"POST {CHAT}/messages", given), body


def _waiting(talker: Talker) -> tuple[bytes, bytes]:
    return _head(f"GET {CHAT}/executions/{talker.replies[-1]['executionId']}?wait=30", talker.headers), b""


def _head(asked: str, headers: dict[str, str]) -> bytes:
    lines = [f"{asked} HTTP/1.1", "Host: proofs", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def _fewest(pid: int) -> int:
    """The files that the process holds at its quietest within half a second."""
    counts = [_files(pid)]
    for _ in range(5):
        await asyncio.sleep(0.1)
        counts.append(_files(pid))
    return min(counts)


async def _left(pid: int, before: int) -> int:
    """How many files more than before the process holds in the end."""
    until = time.monotonic() + _LATEST
    while (more := await _fewest(pid) - before) > 0 and time.monotonic() < until:
        """Whoever hung up politely may be noticed late."""
    return more


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
