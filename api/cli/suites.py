"""Conversation tests as they are named on the command line, with the flows beside them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from api.cli.files import is_flow, is_test, read_source
from engine.loading import Loaded, load_flows
from engine.model.flow import Flow, called_by
from engine.model.problems import Diagnostic
from engine.testing.conversations import ConversationTest, Job, TestFile, load_tests


class Suites(Struct, frozen=True):
    """Test files that can be read, and the flows of their folders."""

    tests: dict[Path, TestFile]
    flows: dict[Path, dict[str, Loaded]]
    """Folder to flow id to flow, those that have errors among them."""
    broken: list[Diagnostic]
    """What is wrong with the others."""
    folders: list[Path]
    """Folders whose tests were asked for as a whole."""

    def jobs(self, word: str | None) -> list[Job]:
        """The tests whose names hold the word, in whatever case."""
        return [
            Job(msgspec.structs.replace(tests, tests=_named(tests, word)), self._known(path.parent)) for path, tests in self.tests.items()
        ]

    def covered(self) -> Iterator[tuple[Path, Loaded]]:
        """The flows that the tests are answerable for: those of whole folders, else the tested ones and all that these may run."""
        for folder, flows in self.flows.items():
            tested = {tests.flow for path, tests in self.tests.items() if path.parent == folder}
            meant = flows.keys() if folder in self.folders else _meant(tested, flows)
            yield from ((folder, loaded) for name, loaded in flows.items() if name in meant)

    def _known(self, folder: Path) -> dict[str, Flow | None]:
        return {name: loaded.flow for name, loaded in self.flows[folder].items()}


def load_suites(paths: Sequence[Path]) -> Suites:
    """Every test file that the files and folders name, each once."""
    files = {file.resolve(): file for path in reversed(paths) for file in reversed(_test_files(path))}
    tests: dict[Path, TestFile] = {}
    broken: list[Diagnostic] = []
    for file in reversed(files.values()):
        loaded, problems = load_tests(read_source(file))
        broken += problems
        if loaded is not None:
            tests[file] = loaded
    found = {folder: _flows_in(folder) for folder in dict.fromkeys(path.parent for path in tests)}
    flows = {folder: {one.id: one for one in reversed(every) if one.id is not None} for folder, every in found.items()}
    whole = [folder for folder in found if any(path.is_dir() and folder.is_relative_to(path) for path in paths)]
    suites = Suites(tests, flows, broken, whole)
    meant = {folder: {loaded.id for place, loaded in suites.covered() if place == folder} for folder in found}
    concerned = (one for folder, every in found.items() for one in every if folder in whole or one.id is None or one.id in meant[folder])
    broken += [problem for loaded in concerned for problem in loaded.diagnostics if problem.severity == "error"]
    return suites


def _meant(tested: Iterable[str], flows: Mapping[str, Loaded]) -> set[str]:
    """The tested flows, and of those that are known each that they may run."""
    known = {name: loaded.flow for name, loaded in flows.items() if loaded.flow is not None}
    run = [flow for name in tested if name in known for flow in called_by(known[name], known)]
    return {*tested, *(name for flow in run for name in flow.calls)}


def _test_files(path: Path) -> list[Path]:
    """A file that is named counts whatever it is called."""
    return sorted(file for file in path.rglob("*") if file.is_file() and is_test(file)) if path.is_dir() else [path]


def _flows_in(folder: Path) -> list[Loaded]:
    return load_flows([read_source(path) for path in sorted(folder.iterdir()) if path.is_file() and is_flow(path)])


def _named(tests: TestFile, word: str | None) -> tuple[ConversationTest, ...]:
    return tuple(test for test in tests.tests if word is None or word.casefold() in test.name.casefold())
