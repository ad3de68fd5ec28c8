"""`baton test`: conversation tests, played against the flows beside them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from api.cli.console import counted, example, leave, note
from api.cli.files import existing_paths, is_test, read_source, sound_flows
from api.cli.program import FINDING
from engine.model.flow import Flow
from engine.model.problems import Diagnostic
from engine.testing.conversations import TestFile, TestResult, describe, junit_xml, load_tests, run_tests

_DEFAULT: Final = Path("flows")


@click.command("test", epilog=example("baton test flows/ -k order"))
@click.argument("paths", nargs=-1, type=existing_paths, metavar="[PATH...]")
@click.option("-k", "word", metavar="WORD", help="Only the tests whose name holds the word.")
@click.option("--junit", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE", help="Write a JUnit report.")
def command(paths: Sequence[Path], word: str | None, junit: Path | None) -> None:
    """Run the conversation tests (NAME.test.yaml) of files and folders; the folder flows/ where none is named.

    Each is played straight through and with the run stored and loaded again between every turn, without network, by a virtual clock.
    """
    files = _test_files(paths or [_default()])
    if not files:
        raise click.ClickException("There are no conversation tests (NAME.test.yaml) in what was named.")
    tests, broken = _load(files)
    flows, wrong = _flows_of(tests)
    for diagnostic in (*broken, *wrong):
        click.echo(str(diagnostic))
    results = _played(tests, flows, word)
    if junit is not None:
        junit.write_text(junit_xml(results), encoding="utf-8")
    _summarize(results, files_broken=len({diagnostic.file for diagnostic in (*broken, *wrong)}), word=word)


def _default() -> Path:
    if not _DEFAULT.is_dir():
        raise click.UsageError("There is no folder flows/ here: name the tests or their folder.")
    return _DEFAULT


def _test_files(paths: Sequence[Path]) -> list[Path]:
    found: dict[Path, Path] = {}
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not path.is_dir() or (file.is_file() and is_test(file)):
                found.setdefault(file.resolve(), file)
    return [*found.values()]


def _load(files: Sequence[Path]) -> tuple[dict[Path, TestFile], list[Diagnostic]]:
    tests: dict[Path, TestFile] = {}
    broken: list[Diagnostic] = []
    for file in files:
        loaded, problems = load_tests(read_source(file))
        broken.extend(problems)
        if loaded is not None:
            tests[file] = loaded
    return tests, broken


def _flows_of(tests: Mapping[Path, TestFile]) -> tuple[dict[Path, dict[str, Flow]], list[Diagnostic]]:
    """The flows of each test's folder, and what is wrong with those that cannot run."""
    folders = dict.fromkeys(path.parent for path in tests)
    found = {folder: sound_flows(folder) for folder in folders}
    return {folder: flows for folder, (flows, _) in found.items()}, [one for _, errors in found.values() for one in errors]


def _played(tests: Mapping[Path, TestFile], flows: Mapping[Path, Mapping[str, Flow]], word: str | None) -> list[TestResult]:
    results: list[TestResult] = []
    with click.progressbar(tests.items(), label="Testing", file=sys.stderr, hidden=not sys.stderr.isatty()) as files:
        for path, test_file in files:
            results.extend(run_tests(test_file, flows[path.parent], only=word))
    return results


def _summarize(results: Sequence[TestResult], *, files_broken: int, word: str | None) -> None:
    failed = [result for result in results if not result.passed]
    for result in failed:
        click.echo(describe(result))
    click.echo(", ".join(_facts(len(results) - len(failed), len(failed), files_broken)) + ".")
    if word is not None and not results:
        note(f"No test's name holds {word!r}.")
    if failed or files_broken or not results:
        leave(FINDING)


def _facts(passed: int, failed: int, broken: int) -> Iterator[str]:
    yield f"{passed} passed"
    yield f"{failed} failed"
    if broken:
        yield f"{counted(broken, 'file')} broken"
