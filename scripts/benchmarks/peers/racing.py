"""How an engine is measured in a process of its own: so many conversations at a time, every reply checked, one line of JSON in the end.

python -m scripts.benchmarks.peers.<engine> FOLDER SECONDS CONVERSATIONS...
"""

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Protocol

from scripts.benchmarks.peers.conversation import TURNS, answers, expected

_WARM_UP: Final = 0.3
"""Seconds before those that count."""


class WrongReplyError(Exception):
    """An engine said something else than it must; its figures would mean nothing."""


class NotStoredError(Exception):
    """An engine replied before the turn had been committed; its figures would be of something else."""


@dataclass(frozen=True)
class Durability:
    """How the engine's own connection commits, as that connection tells it itself."""

    journal: str
    synchronous: int
    """2 is FULL: a commit has reached the disk."""


class Engine(Protocol):
    """One engine on one database. `turn` gives the reply once it is stored; `said` is None in the first turn of a conversation."""

    async def durability(self) -> Durability:
        """Asked of the connection that commits."""

    async def turn(self, conversation: str, said: str | int | None) -> str:
        """One turn of the conversation of that id."""


class BlockingEngine(Protocol):
    """The same without an event loop: its conversations take turns on one thread."""

    def durability(self) -> Durability:
        """Asked of the connection that commits."""

    def turn(self, conversation: str, said: str | int | None) -> str:
        """One turn of the conversation of that id."""


def race_blocking(engine: Callable[[Path], contextlib.AbstractContextManager[BlockingEngine]]) -> None:
    """Measure an engine that blocks."""
    folder, seconds, counts = _asked()
    path = folder / "conversations.db"
    with _quiet() as told, engine(path) as one, _watcher(path) as has_stored:
        numbers = count()
        for _ in islice(_talk(one, numbers), TURNS):
            has_stored()
        rates = [_interleaved(one, numbers, at_once, seconds) for at_once in counts]
        told(one.durability(), rates)


def race(
    engine: Callable[[Path], contextlib.AbstractAsyncContextManager[Engine]], runner: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    """Measure an engine that lives on an event loop, which `runner` makes."""
    folder, seconds, counts = _asked()
    path = folder / "conversations.db"

    async def main(told: Callable[[Durability, list[float]], None]) -> None:
        async with engine(path) as one:
            numbers = count()
            with _watcher(path) as has_stored:
                talk = _talk_async(one, numbers)
                for _ in range(TURNS):
                    await anext(talk)
                    has_stored()
            rates = [await _together(one, numbers, at_once, seconds) for at_once in counts]
            told(await one.durability(), rates)

    with _quiet() as told:
        runner(main(told))


def _asked() -> tuple[Path, float, list[int]]:
    _, folder, seconds, *counts = sys.argv
    return Path(folder), float(seconds), [int(number) for number in counts]


@contextlib.contextmanager
def _quiet() -> Iterator[Callable[[Durability, list[float]], None]]:
    """What an engine prints goes to standard error; standard output holds the one line."""
    out = os.dup(1)
    os.dup2(2, 1)

    def told(durability: Durability, rates: list[float]) -> None:
        os.write(out, json.dumps({**asdict(durability), "per_second": rates}).encode() + b"\n")

    yield told


@contextlib.contextmanager
def _watcher(path: Path) -> Iterator[Callable[[], None]]:
    """Raises NotStoredError where nobody has committed to the file since it was asked the last time."""
    with contextlib.closing(sqlite3.connect(path)) as connection:

        def version() -> int:
            (number,) = connection.execute("PRAGMA data_version").fetchone()
            return int(number)

        seen = [version()]

        def has_stored() -> None:
            before, seen[0] = seen[0], version()
            if seen[0] == before:
                raise NotStoredError

        yield has_stored


def _interleaved(engine: BlockingEngine, numbers: Iterator[int], conversations: int, seconds: float) -> float:
    """Turns a second of so many conversations that are open at the same time."""
    talks = [_talk(engine, numbers) for _ in range(conversations)]

    def go(until: float) -> int:
        turns = 0
        while perf_counter() < until:
            for talk in talks:
                next(talk)
            turns += conversations
        return turns

    go(perf_counter() + _WARM_UP)
    began = perf_counter()
    return go(began + seconds) / (perf_counter() - began)


def _talk(engine: BlockingEngine, numbers: Iterator[int]) -> Iterator[None]:
    """One conversation after the other; each step is a turn."""
    while True:
        number = next(numbers)
        name = _name(number)
        for said, reply in _lines(number):
            _check(engine.turn(name, said), reply)
            yield


async def _together(engine: Engine, numbers: Iterator[int], conversations: int, seconds: float) -> float:
    """The same, each conversation a task."""
    talks = [_talk_async(engine, numbers) for _ in range(conversations)]

    async def go(until: float) -> int:
        async def one(talk: AsyncIterator[None]) -> int:
            turns = 0
            while perf_counter() < until:
                await anext(talk)
                turns += 1
            return turns

        return sum(await asyncio.gather(*map(one, talks)))

    await go(perf_counter() + _WARM_UP)
    began = perf_counter()
    return await go(began + seconds) / (perf_counter() - began)


async def _talk_async(engine: Engine, numbers: Iterator[int]) -> AsyncIterator[None]:
    while True:
        number = next(numbers)
        name = _name(number)
        for said, reply in _lines(number):
            _check(await engine.turn(name, said), reply)
            yield


def _lines(number: int) -> list[tuple[str | int | None, str]]:
    lines = list(zip((None, *answers(number)), expected(number), strict=True))
    if len(lines) != TURNS:
        raise AssertionError(lines)
    return lines


def _name(number: int) -> str:
    return f"{os.getpid()}-{number}"


def _check(reply: str, wanted: str) -> None:
    if reply != wanted:
        raise WrongReplyError(f"{reply!r} instead of {wanted!r}")
