"""The parts that take a large database or many flows, in an order in which none disturbs the next."""

import asyncio
from pathlib import Path
from typing import Final

from msgspec import Struct

from scripts.benchmarks.connecting import connect_anew
from scripts.benchmarks.crowd import gather
from scripts.benchmarks.growing import grow_among, grow_longer
from scripts.benchmarks.memory import weigh
from scripts.benchmarks.results import Large
from scripts.benchmarks.starting import load, start_up
from scripts.benchmarks.storm import break_out

_ROUNDS: Final = 7
"""More would not fit into one run of the longer conversations."""
_STARTS: Final = 3


class Sizes(Struct, frozen=True):
    """How much of everything."""

    talks: int
    """Conversations at a time."""
    waiting: int
    due: int
    few: int
    """Waiting runs beside which many are measured."""
    turns: int
    """Taken by the process that is weighed."""
    length: int
    """Turns that a conversation has taken before it is measured."""
    flows: int
    nodes: int


def sizes(scale: float) -> Sizes:
    """The full sizes, or a part of them, but never nothing."""
    waiting = max(round(1_000_000 * scale), 500)
    return Sizes(
        talks=max(round(64 * scale), 4),
        waiting=waiting,
        due=waiting // 10,
        few=max(min(1_000, waiting // 10), 10),
        turns=max(round(9_600 * scale), 64),
        length=max(round(400 * scale), 30),
        flows=max(round(1_000 * scale), 3),
        nodes=max(round(1_000 * scale), 8),
    )


async def measure_large(folder: Path, size: Sizes, rounds: int, seconds: float) -> Large:
    """All of them; the storm comes last, since it changes the database."""
    rounds = min(rounds, _ROUNDS)
    connections = await connect_anew(folder, rounds, seconds / 2)
    longer = await grow_longer(folder, size.talks, size.length, rounds)
    nobody = await gather(folder / "nobody.db", 2, 1)
    few = await gather(folder / "few.db", size.few, 2)
    many = await gather(folder / "many.db", size.waiting, size.due)
    among, sweep = await grow_among(few, many, size.talks, rounds)
    memory = await asyncio.to_thread(weigh, nobody, many, size.turns)
    return Large(
        connections=connections,
        longer=longer,
        among=among,
        sweep=sweep,
        storm=await break_out(many, seconds),
        memory=memory,
        start_up=await start_up(folder, size.flows, min(rounds, _STARTS)),
        loading=load(size.nodes, rounds),
    )
