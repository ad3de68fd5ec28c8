"""`baton publish`: flows that have changed become new versions, all of a call or none."""

from collections.abc import Sequence
from pathlib import Path

import click

from api.cli.console import example, json_option, leave, note, run, write_json
from api.cli.database import find_tenant, now, open_database, tenant_option
from api.cli.files import existing_paths, flow_files, no_flows, read_source
from api.cli.program import FINDING
from engine.errors import FlowRefused
from engine.loading import Source
from engine.runtime.administration import Standing, publish


@click.command("publish", epilog=example("baton publish flows/"))
@click.argument("paths", nargs=-1, required=True, type=existing_paths, metavar="PATH...")
@tenant_option
@json_option
def command(paths: Sequence[Path], tenant: str | None, *, as_json: bool) -> None:
    """Check flow files and folders of them, then publish each changed flow as a new version.

    When one flow is refused, nothing of the call is published. Running servers see new versions within 2 s.
    """
    sources = [read_source(path) for path in flow_files(paths)]
    if not sources:
        raise click.ClickException(no_flows(paths))
    try:
        standings = run(_publish(sources, tenant))
    except FlowRefused as refusal:
        for diagnostic in refusal.diagnostics:
            note(str(diagnostic))
        note("Nothing was published.")
        leave(FINDING)
    if as_json:
        write_json(standings)
        return
    for standing in standings:
        click.echo(f"{standing.flow} {'version' if standing.changed else 'unchanged, version'} {standing.version}")


async def _publish(sources: Sequence[Source], tenant: str | None) -> list[Standing]:
    async with open_database() as registry:
        owner = find_tenant(await registry.register(), tenant)
        return await publish(registry, owner.id, sources, now())
