"""`scripts/bench`: measures, and prints what it found for people or as JSON."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

import click
import msgspec
import uvloop
from msgspec import Struct

from scripts.benchmarks.bars import bars
from scripts.benchmarks.budget import spend
from scripts.benchmarks.in_process import converse, visit
from scripts.benchmarks.large import Sizes, measure_large, sizes
from scripts.benchmarks.over_http import compare
from scripts.benchmarks.place import InMemoryError, look_at
from scripts.benchmarks.report import report, spent
from scripts.benchmarks.results import Results

_ROOT: Final = Path(__file__).resolve().parents[2]
_CONVERSATIONS: Final = (1, 64)


class Plan(Struct, frozen=True):
    """How often and how long."""

    connections: tuple[int, ...]
    rounds: int
    seconds: float
    large: Sizes | None


_CONNECTIONS: Final = (1, 32, 256)


def _counts(_context: click.Context, _option: click.Parameter, given: str | None) -> tuple[int, ...] | None:
    parts = [] if given is None else given.split(",")
    if not all(part.isdecimal() and int(part) for part in parts):
        raise click.BadParameter("must be numbers with commas between them, such as 1,32,256")
    return tuple(map(int, parts)) or None


@click.command()
@click.option("--quick", is_flag=True, help="Under a minute, and nothing large; without it about ten.")
@click.option("--budget", is_flag=True, help="Print where the time of one turn goes, and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--rounds", type=click.IntRange(1), help="Rounds of each side (3 or 7); their median is what counts.")
@click.option("--seconds", type=click.FloatRange(0.1), help="How long one round lasts (1.4 or 4).")
@click.option("--connections", callback=_counts, metavar="N,...", help="Numbers of connections (1,32,256).")
@click.option("--scale", type=click.FloatRange(0, 1), default=1.0, help="Part of the full sizes: of 1,000,000 waiting runs, 1,000 flows.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Where databases are made (.venv).")
def main(
    *,
    quick: bool,
    budget: bool,
    as_json: bool,
    rounds: int | None,
    seconds: float | None,
    connections: tuple[int, ...] | None,
    scale: float,
    folder: Path | None,
) -> None:
    """Measure durable turns over HTTP against two routes that store nothing, then the executor alone, then durable turns without HTTP.

    Without --quick also what a connection of its own costs, and how turns, sweeps, memory and start-up bear long conversations, many
    waiting runs and many flows. `scripts/bench peers` compares with other engines; see its --help.

    Databases are made in a temporary folder that must be on a disk (4 GB in full size), and are removed in the end.
    """
    plan = Plan(
        connections or _CONNECTIONS, rounds or (3 if quick else 7), seconds or (1.4 if quick else 4.0), None if quick else sizes(scale)
    )
    # Beside the environment: a folder that the project ignores, on the disk that it is on. /tmp is often in memory.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder or _ROOT / ".venv") as scratch:
        if budget:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                click.echo(spent(runner.run(spend(Path(scratch)))))
            return
        try:
            results = _measure(Path(scratch), plan)
        except InMemoryError as refusal:
            raise click.UsageError(str(refusal)) from None
    click.echo(msgspec.json.format(msgspec.json.encode(results)) if as_json else report(results))


def _measure(scratch: Path, plan: Plan) -> Results:
    place = look_at(scratch)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        http = runner.run(compare(scratch, plan.connections, plan.rounds, plan.seconds))
        executor = visit(plan.rounds, plan.seconds / 2)
        direct = runner.run(converse(scratch, _CONVERSATIONS, plan.rounds, plan.seconds / 2))
        large = None if plan.large is None else runner.run(measure_large(scratch, plan.large, plan.rounds, plan.seconds))
    return Results(
        place=place,
        rounds=plan.rounds,
        seconds=plan.seconds,
        http=http,
        executor=executor,
        direct=direct,
        large=large,
        bars=bars(http, executor, large),
    )


if __name__ == "__main__":
    main()
