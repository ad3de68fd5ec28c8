"""`scripts/bench peers`: runs every engine in turn, round by round, and prints how they stand beside Baton."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec
from msgspec import Struct

from scripts.benchmarks.peers.report import report
from scripts.benchmarks.peers.results import FULL, Heat, Measured, Peers, measured
from scripts.benchmarks.place import InMemoryError, look_at

_ROOT: Final = Path(__file__).resolve().parents[3]
_CONVERSATIONS: Final = (1, 64)
_START: Final = 60
"""Seconds that an engine may take beside what is measured."""


class _Engine(Struct, frozen=True):
    name: str
    module: str
    package: str | None = None
    """What is installed for it in the peers' environment."""


_ENGINES: Final = (
    _Engine("Baton", "baton"),
    _Engine("no engine, a dict in sqlite3", "bare"),
    _Engine("LangGraph, SqliteSaver", "langgraph_sync", "langgraph"),
    _Engine("LangGraph, AsyncSqliteSaver", "langgraph_async", "langgraph"),
    _Engine("DBOS, a workflow a conversation", "dbos_messages", "dbos"),
    _Engine("DBOS, a workflow a turn", "dbos_turns", "dbos"),
    _Engine("Burr, SQLitePersister", "burr_sync", "apache-burr"),
    _Engine("Burr, AsyncSQLitePersister", "burr_async", "apache-burr"),
    _Engine("SpiffWorkflow, a row in sqlite3", "spiff", "spiffworkflow"),
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Rounds of each engine; their median is what counts.")
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=2.0, show_default=True, help="How long one round lasts, twice for each engine."
)
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Where databases are made (.venv).")
def main(*, as_json: bool, rounds: int, seconds: float, folder: Path | None) -> None:
    """Hold one conversation of four turns through Baton, four other engines and none at all, at 1 and 64 conversations at a time.

    The other engines are installed into .venv-peers the first time, in the versions that requirements.in names.
    """
    with tempfile.TemporaryDirectory(prefix="peers-", dir=folder or _ROOT / ".venv") as scratch:
        try:
            place = look_at(Path(scratch))
        except InMemoryError as refusal:
            raise click.UsageError(str(refusal)) from None
        heats = [[_heat(engine, Path(scratch), seconds) for engine in _ENGINES] for _ in range(rounds)]
    ours, versions = [heat[0] for heat in heats], _versions()
    peers = Peers(
        place=place, rounds=rounds, seconds=seconds, engines=[_measured(index, heats, ours, versions) for index in range(len(_ENGINES))]
    )
    click.echo(msgspec.json.format(msgspec.json.encode(peers)) if as_json else report(peers))


def _measured(index: int, heats: Sequence[Sequence[Heat]], ours: Sequence[Heat], versions: dict[str, str]) -> Measured:
    engine = _ENGINES[index]
    version = None if engine.package is None else versions[engine.package]
    return measured(engine.name, version, _CONVERSATIONS, [heat[index] for heat in heats], ours)


def _heat(engine: _Engine, scratch: Path, seconds: float) -> Heat:
    """One engine on a database of its own, which is gone afterwards."""
    python = sys.executable if engine.package is None else str(_ROOT / ".venv-peers" / "bin" / "python")
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        done = subprocess.run(
            [python, "-P", "-m", f"scripts.benchmarks.peers.{engine.module}", folder, str(seconds), *map(str, _CONVERSATIONS)],
            capture_output=True,
            text=True,
            timeout=_START + len(_CONVERSATIONS) * 2 * seconds,
            check=False,
        )
    if done.returncode or not done.stdout:
        raise click.ClickException(f"{engine.name} failed:\n{done.stderr[-2_000:]}")
    heat = msgspec.json.decode(done.stdout, type=Heat)
    if heat.synchronous != FULL:
        raise click.ClickException(f"{engine.name} commits with synchronous={heat.synchronous}: that is less than the others promise.")
    return heat


def _versions() -> dict[str, str]:
    """What requirements.in pins."""
    lines = (Path(__file__).parent / "requirements.in").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


if __name__ == "__main__":
    main()
