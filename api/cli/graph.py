"""`baton graph`: draws a flow."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, NoReturn

import click

from api.cli.console import did_you_mean, example, leave, note, run
from api.cli.database import find_tenant, open_database, tenant_option
from api.cli.files import FLOWS, existing_paths, is_test, load_world, no_flows, worlds
from api.cli.program import FINDING
from api.settings import read_settings
from engine.loading import Loaded
from engine.loading.drawing import draw_mermaid, draw_svg
from engine.model.flow import Flow
from engine.model.run import FlowRef
from engine.model.values import is_name
from engine.runtime.catalog import Catalog
from engine.runtime.store.sqlite.address import sqlite_path

Format = Literal["mermaid", "svg"]

_DRAWN: Final[Mapping[str, Callable[[Flow], str]]] = MappingProxyType({"mermaid": draw_mermaid, "svg": draw_svg})


@click.command("graph", epilog=example("baton graph order_status --format svg > order_status.svg"))
@click.argument("flow", metavar="FLOW")
@click.option("--format", "form", type=click.Choice([*_DRAWN]), default="mermaid", show_default=True, help="What to write.")
@click.option("--flows", type=existing_paths, metavar="PATH", help="The folder of flow files that FLOW is in; flows/ where it is left out.")
@tenant_option
def command(flow: str, form: Format, flows: Path | None, tenant: str | None) -> None:
    """Draw a flow, as Mermaid text or as an SVG that stands alone; nothing is needed from the network.

    FLOW is a file, or the id of a flow: of those in the folder, else of those that are published.
    """
    click.echo(_DRAWN[form](_found(flow, flows, tenant)), nl=False)


def _found(name: str, folder: Path | None, tenant: str | None) -> Flow:
    path = Path(name)
    if path.is_file() and is_test(path):
        raise click.UsageError(no_flows([path]))
    if path.is_file():
        return _sound(_loaded(path)[0])
    if path.is_dir() or not is_name(name):
        raise click.UsageError(f"{name} is neither a flow file nor the id of a flow.")
    written = _loaded(folder) if folder is not None else _loaded(FLOWS) if FLOWS.is_dir() else []
    flows = {one.flow.flow: one.flow for one in written if one.flow is not None}
    found = flows.get(name)
    if found is None and folder is None:
        found = run(_published(name, tenant))
    if found is None:
        _refuse(written, f"There is no flow {name!r}.{did_you_mean(name, flows)}")
    return found


def _loaded(path: Path) -> list[Loaded]:
    return [one for world in worlds([path]) for one in load_world(world)]


def _sound(loaded: Loaded) -> Flow:
    if loaded.flow is None:
        _refuse([loaded], "A flow is drawn once it has no errors.")
    return loaded.flow


def _refuse(written: list[Loaded], why: str) -> NoReturn:
    """Tell why there is nothing to draw, after the errors that may be the reason."""
    for one in written:
        for diagnostic in one.diagnostics:
            if diagnostic.severity == "error":
                note(str(diagnostic))
    note(f"Error: {why}")
    leave(FINDING)


async def _published(name: str, tenant: str | None) -> Flow | None:
    """The newest published version; None where there is none, or no database at all."""
    if not sqlite_path(read_settings(os.environ).database_url).exists():
        return None
    async with open_database() as registry:
        register = await registry.register()
        owner = find_tenant(register, tenant)
        version = next((head.version for head in register.flows if (head.tenant_id, head.flow) == (owner.id, name)), None)
        compiled = None if version is None else await Catalog(registry).fetch(owner.id, FlowRef(name, version))
        return None if compiled is None else compiled.flow
