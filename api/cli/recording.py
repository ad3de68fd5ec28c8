"""`baton test --record`: makes the requests that tests have no stubs for, and writes the answers into the test files."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from msgspec import Struct

from api.cli.console import counted, run
from api.cli.files import read_source
from api.cli.reaching import reach
from api.cli.suites import Suites
from engine.runtime.outbound.client import OutboundClient
from engine.testing.conversations import Recorded, Recording, World, record_tests, told

_MARK = b"\xef\xbb\xbf"
"""What stands before the text of some files, and stays there."""


class Recordings(Struct, frozen=True):
    """What became of each test that made requests, for people; and whether all of them were recorded."""

    lines: tuple[str, ...]
    complete: bool


def record(suites: Suites, word: str | None, tenant: str | None) -> Recordings:
    """Play the tests whose names hold the word, and write into their files the stubs with which they pass."""
    lines: list[str] = []
    complete = True
    for path in suites.tests:
        recording = run(_recording(suites, path, word, tenant))
        complete = complete and all(one.failed is None for one in recording.tests)
        lines += [line for one in recording.tests for line in _described(path, one)]
    return Recordings(tuple(lines), complete)


async def _recording(suites: Suites, path: Path, word: str | None, tenant: str | None) -> Recording:
    flows = suites.known(path)
    reached = await reach([flow for flow in flows.values() if flow is not None], tenant)
    source = read_source(path)
    world = World(OutboundClient(reached.allowed_hosts), reached.connections)
    recording = await record_tests(source, suites.tests[path], flows, world, word)
    if any(one.stubs for one in recording.tests):
        _write(path, source.text if isinstance(source.text, bytes) else source.text.encode(), recording.text)
    return recording


def _write(path: Path, before: bytes, text: str) -> None:
    """In the place of the file as a whole, so that it is never there by half; unless somebody has changed it meanwhile."""
    if path.read_bytes() != before:
        raise click.ClickException(f"{path} was changed while its tests were played: nothing was written into it.")
    try:
        _replace(path.resolve(), (_MARK if before.startswith(_MARK) else b"") + text.encode())
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from error


def _replace(target: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        file.write(content)
    shutil.copymode(target, file.name)
    os.replace(file.name, target)  # noqa: PTH105 - Path has the same by the same name


def _described(path: Path, one: Recorded) -> Iterator[str]:
    if one.failed is None:
        stubs = ", ".join(f"{counted(count, 'stub')} for `{node}`" for node, count in one.stubs.items())
        yield f"{path}:{one.line}: recorded: {one.name}: {stubs}"
        return
    yield f"{path}:{one.failed.line}: not recorded: {one.name}"
    yield from (f"  {line}".rstrip() for line in told(one.failed))
