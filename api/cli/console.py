"""How commands write results, and what they say to the person at the terminal."""

import asyncio
import difflib
import sys
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, NoReturn, TypeVar

import click
import msgspec

from engine.model.values import Millis
from engine.runtime import moments

ResultT = TypeVar("ResultT")

json_option = click.option("--json", "as_json", is_flag=True, help="Write the result as JSON.")


def run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result of the work, in an event loop of its own."""
    return asyncio.run(work)


def example(call: str) -> str:
    """The end of a command's help: how one calls it."""
    return f"\b\nExample:\n  {call}"


def write_json(value: Any) -> None:
    """The value as indented JSON on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def write_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The rows under their headings, columns aligned; nothing but the headings when there are no rows."""
    widths = [max(len(line[column]) for line in (headings, *rows)) for column in range(len(headings))]
    for line in (headings, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def note(text: str) -> None:
    """A line for the person at the terminal, which is no part of the result."""
    click.echo(text, err=True)


def moment(at: Millis) -> str:
    """RFC 3339 in UTC, to the second where there is no more to say."""
    return moments.moment(at).replace(".000Z", "Z")


def moment_or_none(at: Millis | None) -> str | None:
    """The same, for a moment that may be absent."""
    return None if at is None else moment(at)


def counted(number: int, noun: str, several: str | None = None) -> str:
    """The number with its noun: 1 flow, 2 flows; `several` is the noun's plural where it takes more than an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {several or f'{noun}s'}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question, after a space, for the known word that is nearest; nothing where none is near."""
    near = difflib.get_close_matches(word.casefold(), [*known], n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def leave(code: int) -> NoReturn:
    """End the command with that exit code."""
    sys.exit(code)
