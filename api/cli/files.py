"""Flow files as they are named on the command line."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
from msgspec import Struct

from engine.loading import Loaded, Source, load_flows

_SUFFIXES: Final = (".yaml", ".yml")
_TESTS: Final = (".test.yaml", ".test.yml")

FLOWS: Final = Path("flows")
"""The folder that is meant where none is named."""

existing_paths = click.Path(exists=True, path_type=Path)


class _Written(click.Path):
    """A file that a command writes at its end: that it can be is asked before anything is done for it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"There is no folder {str(path.parent)!r}.", param, ctx)
        if not path.exists():
            try:
                tempfile.TemporaryFile(dir=path.parent).close()
            except OSError as error:
                self.fail(f"Nothing can be written into the folder {str(path.parent)!r}: {error.strerror}.", param, ctx)
        return path


written_file = _Written(dir_okay=False, writable=True, path_type=Path)


class World(Struct, frozen=True):
    """Flow files that know each other: those that were named, and others beside them."""

    named: list[Path]
    beside: list[Path]


def is_flow(path: Path) -> bool:
    """Whether the name is a flow file's, and no conversation test's."""
    return path.name.lower().endswith(_SUFFIXES) and not is_test(path)


def is_test(path: Path) -> bool:
    """Whether the name is a conversation test's."""
    return path.name.lower().endswith(_TESTS)


def flow_files(paths: Sequence[Path]) -> list[Path]:
    """Every flow file that the files and folders name, each once; a file that was named by itself counts whatever its suffix."""
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _inside(path) if path.is_dir() else [path]:
            if not is_test(file):
                found.setdefault(file.resolve(), file)
    return [*found.values()]


def no_flows(paths: Sequence[Path]) -> str:
    """What is said where the files and folders name no flow file."""
    tests = next((path for path in paths if is_test(path) and not path.is_dir()), None)
    if tests is None:
        return "There are no flow files in what was named."
    return f"{tests} holds conversation tests, and no flow: `baton test {tests}` runs them."


def worlds(paths: Sequence[Path]) -> list[World]:
    """The named files by the folder that they are checked in: a folder with all below it, or the folder of a file."""
    folders = {folder.resolve(): folder for folder in (path if path.is_dir() else path.parent for path in paths)}
    named: dict[Path, list[Path]] = {folder: [] for folder in folders}
    for path in paths:
        named[(path if path.is_dir() else path.parent).resolve()].append(path)
    return [_world(folders[folder], members) for folder, members in named.items()]


def read_source(path: Path) -> Source:
    """The file as the loader takes it; a file that cannot be read is a finding."""
    try:
        return Source(str(path), path.read_bytes())
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}.") from error


def load_world(world: World) -> list[Loaded]:
    """What became of the named files; those beside come first, so that what is doubled is reported at the named one."""
    loaded = load_flows([read_source(path) for path in (*world.beside, *world.named)])
    return loaded[len(world.beside) :]


def _world(folder: Path, members: list[Path]) -> World:
    named = flow_files(members)
    known = {path.resolve() for path in named}
    whole = any(path.is_dir() for path in members)
    beside = [] if whole else [path for path in _flows_in(folder) if path.resolve() not in known]
    return World(named, beside)


def _flows_in(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.is_file() and is_flow(path))


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and is_flow(path))
