"""`baton check`: everything that is wrong with flow files, before anything runs."""

from collections.abc import Sequence
from pathlib import Path

import click

from api.cli.console import counted, example, json_option, leave, note, write_json
from api.cli.files import existing_paths, load_world, no_flows, worlds
from api.cli.program import FINDING
from engine.model.problems import Diagnostic


@click.command("check", epilog=example("baton check flows/"))
@click.argument("paths", nargs=-1, required=True, type=existing_paths, metavar="PATH...")
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings too.")
@json_option
def command(paths: Sequence[Path], *, strict: bool, as_json: bool) -> None:
    """Check flow files and folders of them: one line a problem, `file:line:column: error CODE message`.

    The other flows of a file's folder are known, and not reported on. Conversation tests are for `baton test`.
    """
    checked, found = 0, list[Diagnostic]()
    for world in worlds(paths):
        checked += len(world.named)
        found.extend(diagnostic for one in load_world(world) for diagnostic in one.diagnostics)
    if as_json:
        write_json(found)
    else:
        for diagnostic in found:
            click.echo(str(diagnostic))
    if not checked:
        raise click.ClickException(no_flows(paths))
    errors = sum(diagnostic.severity == "error" for diagnostic in found)
    warnings = len(found) - errors
    note(f"{counted(checked, 'flow')} checked: {counted(errors, 'error')}, {counted(warnings, 'warning')}.")
    if errors or (strict and warnings):
        leave(FINDING)
