"""`baton init`: the database, and a tenant with its keys."""

import click

from api.cli.console import example, json_option, note, run, write_json
from api.cli.database import DEFAULT_TENANT, now, open_database
from api.cli.terms import term_options
from engine.runtime.administration import KeyTerms, NewTenant, create_tenant


def _name(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or value != value.strip() or len(value) > 100 or not value.isprintable():  # noqa: PLR2004 - fits one line
        raise click.BadParameter("a name has 1 to 100 printable characters, and no space around it")
    return value


@click.command("init", epilog=example("baton init --tenant acme --origin https://shop.example"))
@click.option("--tenant", metavar="NAME", default=DEFAULT_TENANT, show_default=True, callback=_name, help="The new tenant's name.")
@term_options
@json_option
def command(tenant: str, origins: list[str], intents: list[str] | None, *, expose_trace: bool, native: bool, as_json: bool) -> None:
    """Create or migrate the database; make a tenant, a public key and an API key.

    The secrets are shown this once. A tenant that exists is left as it is, and the exit code is 1.
    """
    made = run(_init(tenant, KeyTerms(intents=intents, origins=origins, native=native, expose_trace=expose_trace)))
    if as_json:
        write_json(made)
        return
    for label, value in (
        ("Tenant id", made.tenant_id),
        ("Public key", made.public_key),
        ("API key", made.api_key),
        ("Identity secret", made.identity_secret),
    ):
        click.echo(f"{label + ':':<17}{value}")
    note("Keep the API key and the identity secret: they are not shown again.")


async def _init(name: str, terms: KeyTerms) -> NewTenant:
    async with open_database(create=True) as registry:
        return await create_tenant(registry, name, terms, now())
