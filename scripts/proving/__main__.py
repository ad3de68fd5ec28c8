"""`scripts/proofs`: runs the long forms, and prints a figure for each promise."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click
from msgspec import Struct
from msgspec.structs import replace

from scripts.proving import chaos, crashes, deadlines, fire, machine, orders, repeats, steps

_LATEST: Final = 5.0


class Sizes(Struct, frozen=True):
    """How much of each."""

    quick: bool
    seeds: int
    examples: int
    tokens: int
    conversations: int
    deaths: int
    schedules: int


_FULL: Final = Sizes(quick=False, seeds=20, examples=1_000, tokens=20_000, conversations=2_000, deaths=50, schedules=100_000)
_QUICK: Final = Sizes(quick=True, seeds=1, examples=50, tokens=2_000, conversations=200, deaths=3, schedules=2_000)

Line = tuple[bool, str]
"""Whether it holds, and the figures."""


@click.command()
@click.option("--quick", is_flag=True, help="Small numbers: a few minutes instead of half an hour and more.")
@click.option("--deaths", type=click.IntRange(min=1), help="Deaths at each place in crashes and fire; else 50, or 3 if quick.")
@click.argument("names", nargs=-1, metavar="[NAME...]")
def main(names: tuple[str, ...], deaths: int | None, *, quick: bool) -> None:
    """Run the proofs named, of chaos, machine, orders, deadlines, repeats, steps, crashes and fire; all of them where none is.

    Exit status 1 where one fails.
    """
    unknown = sorted(set(names) - _PROOFS.keys())
    if unknown:
        raise click.UsageError(f"There is no proof {', '.join(unknown)}: choose from {', '.join(_PROOFS)}.")
    held = True
    sizes = _QUICK if quick else _FULL
    sizes = sizes if deaths is None else replace(sizes, deaths=deaths)
    with tempfile.TemporaryDirectory(prefix="proofs-") as folder:
        for name in names or _PROOFS:
            for fine, line in _PROOFS[name](Path(folder), sizes):
                held = held and fine
                click.echo(f"{'holds ' if fine else 'FAILS '} {name}: {line}")
    sys.exit(not held)


def _chaos(_folder: Path, sizes: Sizes) -> Iterator[Line]:
    found = chaos.prove(sizes.seeds)
    yield (
        not found.failures,
        f"{found.tests} conversation tests under chaos, {found.seeds} seeds, {len(found.failures)} noticed it, {_s(found.seconds)}",
    )
    for failure in found.failures:
        yield False, failure


def _machine(_folder: Path, sizes: Sizes) -> Iterator[Line]:
    for one in machine.prove(sizes.examples):
        told = f"{one.examples} examples of 50 steps on {one.store}, {_s(one.seconds)}"
        yield not one.failure, f"{told}{one.failure and chr(10)}{one.failure}"


def _orders(_folder: Path, sizes: Sizes) -> Iterator[Line]:
    for walked in orders.prove(quick=sizes.quick):
        told = f"{walked.orders:,} orders ({walked.moves:,} moves) of {', '.join(walked.contenders)} and {walked.crashes} crashes"
        yield not walked.broken, f"{told}, {_s(walked.seconds)}{walked.broken and ': '}{walked.broken}"
    caught = orders.caught()
    for name in ("no epoch", "check, then act"):
        yield name in caught, f"{name} is caught: {caught.get(name, 'it is not')}"


def _deadlines(folder: Path, sizes: Sizes) -> Iterator[Line]:
    race = deadlines.prove(folder, sizes.tokens)
    told = f"{race.tokens:,} tokens, {deadlines.CLIENTS} clients: {race.answered:,} answered, {race.expired:,} expired"
    yield (
        not (race.double or race.left_over or race.broken),
        (f"{told}, {race.double} double winners, {race.left_over} left over, {len(race.broken)} invariants broken, {_s(race.seconds)}"),
    )


def _repeats(folder: Path, sizes: Sizes) -> Iterator[Line]:
    load = repeats.prove(folder, sizes.conversations)
    told = f"{load.requests:,} requests sent {load.sent:,} times: {load.unequal} replies that differ, {load.extra} turns too many"
    yield not (load.unequal or load.extra or load.broken), f"{told}, {len(load.broken)} invariants broken, {_s(load.seconds)}"


def _steps(folder: Path, _sizes: Sizes) -> Iterator[Line]:
    if steps.compiler() is None:
        yield True, "left out: there is no C compiler for the clock that is put before the server's own"
        return
    for step in steps.prove(folder):
        fine = all(0 <= late < _LATEST for late in (step.late, step.after)) and (step.unready > 0) == (step.hours < 0)
        told = f"a step of {step.hours:+d} h: deadlines {1000 * step.late:.0f} and {1000 * step.after:.0f} ms late"
        yield fine, f"{told}, not ready for {step.unready:.2f} s"


def _crashes(_folder: Path, sizes: Sizes) -> Iterator[Line]:
    for told, fine in crashes.prove(sizes.deaths, sizes.schedules):
        yield fine, told


def _fire(_folder: Path, sizes: Sizes) -> Iterator[Line]:
    for told, fine in fire.prove(sizes.deaths):
        yield fine, told


def _s(seconds: float) -> str:
    return f"{seconds:.1f} s"


_PROOFS: Final[dict[str, Callable[[Path, Sizes], Iterator[Line]]]] = {
    "chaos": _chaos,
    "machine": _machine,
    "orders": _orders,
    "deadlines": _deadlines,
    "repeats": _repeats,
    "steps": _steps,
    "crashes": _crashes,
    "fire": _fire,
}

if __name__ == "__main__":
    main()
