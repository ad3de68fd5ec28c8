"""`baton schema`: the JSON Schema of flow files."""

import click

from api.cli.console import example, write_json
from engine.loading import flow_schema


@click.command("schema", epilog=example("baton schema > flow.schema.json"))
def command() -> None:
    """Print the JSON Schema of the flow file, for editors."""
    write_json(flow_schema())
