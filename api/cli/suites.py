"""Conversation tests as they are named on the command line, with the flows beside them."""

from collections.abc import Iterator, Sequence
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
    """Folder to flow id to flow, of those that can run."""
    broken: list[Diagnostic]
    """What is wrong with the others."""
    folders: list[Path]
    """Folders whose tests were asked for as a whole."""

    def jobs(self, word: str | None) -> list[Job]:
        """The tests whose names hold the word, in whatever case."""
        return [
            Job(msgspec.structs.replace(tests, tests=_named(tests, word)), self.known(path.parent)) for path, tests in self.tests.items()
        ]

    def covered(self) -> Iterator[tuple[Path, Loaded]]:
        """The flows that the tests are answerable for: those of whole folders, else the tested ones and all that these may run."""
        for folder, flows in self.flows.items():
            known = self.known(folder)
            tested = [known[tests.flow] for path, tests in self.tests.items() if path.parent == folder and tests.flow in known]
            meant = known.keys() if folder in self.folders else {flow.flow for one in tested for flow in called_by(one, known)}
            yield from ((folder, loaded) for name, loaded in flows.items() if name in meant)

    def known(self, folder: Path) -> dict[str, Flow]:
        """The folder's flows that can run."""
        return {name: loaded.flow for name, loaded in self.flows[folder].items() if loaded.flow is not None}


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
    flows = {folder: _flows_in(folder) for folder in dict.fromkeys(path.parent for path in tests)}
    broken += [one for found in flows.values() for loaded in found for one in loaded.diagnostics if one.severity == "error"]
    whole = [folder for folder in flows if any(path.is_dir() and folder.is_relative_to(path) for path in paths)]
    sound = {folder: {one.flow.flow: one for one in found if one.flow is not None} for folder, found in flows.items()}
    return Suites(tests, sound, broken, whole)


def _test_files(path: Path) -> list[Path]:
    """A file that is named counts whatever it is called."""
    return sorted(file for file in path.rglob("*") if file.is_file() and is_test(file)) if path.is_dir() else [path]


def _flows_in(folder: Path) -> list[Loaded]:
    return load_flows([read_source(path) for path in sorted(folder.iterdir()) if path.is_file() and is_flow(path)])


def _named(tests: TestFile, word: str | None) -> tuple[ConversationTest, ...]:
    return tuple(test for test in tests.tests if word is None or word.casefold() in test.name.casefold())
