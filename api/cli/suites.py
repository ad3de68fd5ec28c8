"""Conversation tests as they are named on the command line, with the flows beside them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from api.cli.files import is_flow, is_test, read_source
from engine.loading import Loaded, Source, load_flows, read_yaml
from engine.loading.tree import Pairs
from engine.model.flow import Flow, called_by
from engine.model.problems import Diagnostic
from engine.testing.conversations import ConversationTest, Job, TestFile, load_tests


class Suites(Struct, frozen=True):
    """Test files that can be read, and the flows of their folders."""

    tests: dict[Path, TestFile]
    worlds: dict[Path, Path]
    """Test file to the folder whose flows it knows."""
    flows: dict[Path, dict[str, Loaded]]
    """Folder to flow id to flow, those that have errors among them."""
    broken: list[Diagnostic]
    """What is wrong with the others."""
    folders: list[Path]
    """Folders whose tests were asked for as a whole."""

    def jobs(self, word: str | None) -> list[Job]:
        """The tests whose names hold the word, in whatever case."""
        chosen = ((path, msgspec.structs.replace(tests, tests=_named(tests, word))) for path, tests in self.tests.items())
        return [Job(tests, self.known(path)) for path, tests in chosen]

    def known(self, test: Path) -> dict[str, Flow | None]:
        """The flows that a test file knows; None for one that has errors."""
        return {name: loaded.flow for name, loaded in self.flows[self.worlds[test]].items()}

    def covered(self) -> Iterator[tuple[Path, Loaded]]:
        """The flows that the tests are answerable for: those of whole folders, else the tested ones and all that these may run."""
        for folder, flows in self.flows.items():
            meant = flows.keys() if folder in self.folders else _meant(self._tested(folder), flows)
            yield from ((folder, loaded) for name, loaded in flows.items() if name in meant)

    def concerned(self, found: Mapping[Path, Sequence[Loaded]]) -> Iterator[Loaded]:
        """Of the flow files of each folder, those that tests may run, and in a whole folder all that stand beside tests."""
        beside = {path.parent for path in self.tests}
        for folder, every in found.items():
            meant = _meant(self._tested(folder), self.flows[folder])
            for one in every:
                own = Path(one.source.name).parent in beside and (folder in self.folders or one.id is None)
                if own or one.id in meant:
                    yield one

    def _tested(self, folder: Path) -> set[str]:
        return {tests.flow for path, tests in self.tests.items() if self.worlds[path] == folder}


def load_suites(paths: Sequence[Path]) -> Suites:
    """Every test file that the files and folders name, each once."""
    files = {file.resolve(): file for path in reversed(paths) for file in reversed(_test_files(path))}
    tests: dict[Path, TestFile] = {}
    broken: list[Diagnostic] = []
    for file in reversed(files.values()):
        source = read_source(file)
        loaded, problems = load_tests(source)
        if loaded is None and not is_test(file) and _has_nodes(source):
            raise click.UsageError(_is_flow(file))
        broken += problems
        if loaded is not None:
            tests[file] = loaded
    worlds, found = _worlds(tests, [path for path in paths if path.is_dir()])
    flows = {folder: {one.id: one for one in reversed(every) if one.id is not None} for folder, every in found.items()}
    whole = [folder for folder in found if any(path.is_dir() and folder.is_relative_to(path) for path in paths)]
    suites = Suites(tests, worlds, flows, broken, whole)
    broken += [problem for loaded in suites.concerned(found) for problem in loaded.diagnostics if problem.severity == "error"]
    return suites


def _has_nodes(source: Source) -> bool:
    root = read_yaml(source).root
    return isinstance(root, Pairs) and root.get("nodes") is not None


def _is_flow(file: Path) -> str:
    """What is said of a flow that was named in the place of its tests."""
    tests = file.with_suffix(f".test{file.suffix}")
    there = f"its tests are in {tests}" if tests.is_file() else f"its tests belong into {tests}, which is not there"
    return f"{file} is a flow; {there}."


def _meant(tested: Iterable[str], flows: Mapping[str, Loaded]) -> set[str]:
    """The tested flows, and of those that are known each that they may run."""
    known = {name: loaded.flow for name, loaded in flows.items() if loaded.flow is not None}
    run = [flow for name in tested if name in known for flow in called_by(known[name], known)]
    return {*tested, *(name for flow in run for name in flow.calls)}


def _test_files(path: Path) -> list[Path]:
    """A file that is named counts whatever it is called."""
    return sorted(file for file in path.rglob("*") if file.is_file() and is_test(file)) if path.is_dir() else [path]


def _worlds(tests: Iterable[Path], named: Sequence[Path]) -> tuple[dict[Path, Path], dict[Path, list[Loaded]]]:
    """The folder whose flows each test knows, and the flows of these folders.

    It is the test's own; where flows call others that do not stand beside them, the named one with all below it, as in a check.
    """
    worlds = {test: test.parent for test in tests}
    found = {folder: _flows_in(folder.iterdir()) for folder in dict.fromkeys(worlds.values())}
    for folder in named:
        inside = [own for own in found if own.is_relative_to(folder)]
        if not any(_has(found[own], "flow.unknown") for own in inside):
            continue
        every = _flows_in(folder.rglob("*"))
        if not _has(every, "flow.duplicate"):  # folders with flows of the same names stand each for itself
            worlds |= {test: folder for test, own in worlds.items() if own in inside}
            found = {own: loaded for own, loaded in found.items() if own not in inside} | {folder: every}
    return worlds, found


def _flows_in(paths: Iterable[Path]) -> list[Loaded]:
    return load_flows([read_source(path) for path in sorted(paths) if path.is_file() and is_flow(path)])


def _has(loaded: Sequence[Loaded], code: str) -> bool:
    return any(problem.code == code for one in loaded for problem in one.diagnostics)


def _named(tests: TestFile, word: str | None) -> tuple[ConversationTest, ...]:
    return tuple(test for test in tests.tests if word is None or word.casefold() in test.name.casefold())
