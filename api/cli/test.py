"""`baton test`: conversation tests, played against the flows beside them."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from api.cli.console import counted, example, json_option, leave, note, write_json
from api.cli.files import FLOWS, existing_paths, written_file
from api.cli.program import FINDING
from api.cli.suites import Suites, load_suites
from engine.model.effects import Visit
from engine.testing.conversations import Chaos, Coverage, Failed, Job, Share, TestResult, coverage, describe, junit_xml, run_jobs


@click.command("test", epilog=example("baton test flows/ -k order --coverage"))
@click.argument("paths", nargs=-1, type=existing_paths, metavar="[PATH...]")
@click.option("-k", "word", metavar="WORD", help="Only the tests whose name holds the word.")
@click.option("--coverage", "covering", is_flag=True, help="Tell which nodes and branches of the flows no test has reached.")
@click.option("--chaos", is_flag=True, help="Disturb each test that passes, in ways that must go unnoticed.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which moments --chaos chooses: those of a failure come again.")
@click.option("--junit", type=written_file, metavar="FILE", help="Write a JUnit report.")
@click.option("--record", "recording", is_flag=True, help="Really make the requests that have no stubs, and write these into the files.")
@click.option("--tenant", metavar="NAME", help="Whose connections --record uses; may be left out while there is one tenant.")
@json_option
def command(  # noqa: PLR0913 - each by its option
    paths: Sequence[Path],
    word: str | None,
    junit: Path | None,
    tenant: str | None,
    seed: int,
    *,
    covering: bool,
    chaos: bool,
    recording: bool,
    as_json: bool,
) -> None:
    """Run the conversation tests (NAME.test.yaml) of files and folders; the folder flows/ where none is named.

    Each is played straight through and with the run stored and loaded again between every turn, without network, by a virtual clock.

    With --chaos each is played again while every input comes more than once, while answers race their deadlines, while the process dies
    before or after each commit, in memory and on a file, and while the clock is set forward and back by hours: what is said, done and
    stored must stay the same.

    With --record requests that have no stub are really made before that, whatever they do there: over the connections of the database where
    there is one, else over that of the sample shop (scripts/shop). A test's stubs are written where it passes with them; secrets never are.
    """
    suites = load_suites(paths or [_default()])
    if not suites.tests and not suites.broken:
        raise click.ClickException("There are no conversation tests (NAME.test.yaml) in what was named.")
    complete = _recorded(suites, word, tenant, as_json=as_json) if recording else True
    if recording:
        suites = load_suites(paths or [_default()])
    jobs = [replace(job, chaos=Chaos(seed) if chaos else None) for job in suites.jobs(word)]
    results = _played(jobs)
    reached = _coverage(suites, jobs, results) if covering else []
    if junit is not None:
        junit.write_text(junit_xml(results, suites.broken), encoding="utf-8")
    if as_json:
        write_json(_told(suites, results, reached if covering else None))
    else:
        _print(suites, results, reached)
    if word is not None and not results:
        note(f"No test's name holds {word!r}.")
    if suites.broken or not complete or not results or not all(result.passed for result in results):
        leave(FINDING)


def _recorded(suites: Suites, word: str | None, tenant: str | None, *, as_json: bool) -> bool:
    """Whether every test that asked the world has its stubs now."""
    from api.cli.recording import record  # noqa: PLC0415 - with the database comes half a second of imports, which most calls are spared

    recordings = record(suites, word, tenant)
    for line in recordings.lines:
        click.echo(line, err=as_json)
    return recordings.complete


def _default() -> Path:
    if not FLOWS.is_dir():
        raise click.UsageError("There is no folder flows/ here: name the tests or their folder.")
    return FLOWS


def _played(jobs: Sequence[Job]) -> list[TestResult]:
    count = sum(len(job.tests.tests) for job in jobs)
    with click.progressbar(run_jobs(jobs), length=count, label="Testing", file=sys.stderr, hidden=not sys.stderr.isatty()) as results:
        return [*results]


def _coverage(suites: Suites, jobs: Sequence[Job], results: Sequence[TestResult]) -> list[Coverage]:
    """Of each flow, by all tests that know it."""
    visits: defaultdict[Path, list[Visit]] = defaultdict(list)
    folders = {job.tests.file: suites.worlds[path] for path, job in zip(suites.tests, jobs, strict=True)}
    for result in results:
        visits[folders[result.file]] += result.visits
    return [coverage(one.flow, one.source, visits[folder]) for folder, one in suites.covered() if one.flow is not None]


def _told(suites: Suites, results: Sequence[TestResult], reached: list[Coverage] | None) -> dict[str, Any]:
    told = {"tests": [_result(result) for result in results], "problems": suites.broken}
    return told if reached is None else {**told, "coverage": reached}


def _result(result: TestResult) -> dict[str, Any]:
    failure = result.outcome if isinstance(result.outcome, Failed) else None
    known = {name: getattr(result, name) for name in ("file", "line", "flow", "name", "passed", "seconds")}
    return {**known, "failure": failure}


def _print(suites: Suites, results: Sequence[TestResult], reached: Sequence[Coverage]) -> None:
    for diagnostic in suites.broken:
        click.echo(str(diagnostic))
    failed = [result for result in results if not result.passed]
    for result in failed:
        click.echo(describe(result))
    for one in reached:
        for line in _reached(one):
            click.echo(line)
    broken = len({diagnostic.file for diagnostic in suites.broken})
    click.echo(", ".join(_facts(len(results) - len(failed), len(failed), broken)) + ".")


def _reached(one: Coverage) -> Iterator[str]:
    yield f"{one.file}: {_share(one.nodes, 'nodes')}, {_share(one.branches, 'branches')}"
    for spot in one.missed:
        yield f"{one.file}:{spot.line}: not reached: {spot.node if spot.branch is None else f'{spot.node} {spot.branch}'}"


def _share(share: Share, what: str) -> str:
    """100% is all of it and nothing less."""
    percent = 100 * share.reached // share.total if share.total else 100
    return f"{share.reached} of {share.total} {what} ({percent}%)"


def _facts(passed: int, failed: int, broken: int) -> Iterator[str]:
    yield f"{passed} passed"
    yield f"{failed} failed"
    if broken:
        yield f"{counted(broken, 'file')} broken"
