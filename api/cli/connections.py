"""`baton connections`: what flows ask others with, in the tenant's name."""

import sys
from collections.abc import Sequence
from typing import Any, Final, get_args

import click

from api.cli.console import counted, did_you_mean, example, json_option, moment, run, write_json, write_table
from api.cli.database import find_tenant, now, open_database, tenant_option
from api.cli.program import Commands
from api.cli.reaching import note_closed
from api.cli.sealing import key_before, sealing_vault
from engine.runtime.connections import BadConnection, Terms, put_connection
from engine.runtime.resealing import seal_again
from engine.runtime.store.registry import ConnectionKind, ConnectionRow
from engine.runtime.vault import SealBroken, Vault

_SHORTEST_KEY: Final = 32
_UNOPENED: Final = "A secret opens with neither key: set its connection or rotate its webhook again, or name the key that sealed it."
_KINDS: Final = get_args(ConnectionKind)


@click.group("connections", cls=Commands, epilog=example("baton connections list"))
def command() -> None:
    """List, set and delete connections: an address and a secret that requests of flows name by the connection's name.

    Secrets are sealed under the server's key (BATON_SECRET_KEY), and never shown again. Running servers see every change within 2 s.
    """


@command.command("list", epilog=example("baton connections list --json"))
@tenant_option
@json_option
def list_(tenant: str | None, *, as_json: bool) -> None:
    """List the connections, without their secrets."""
    rows = run(_rows(tenant))
    if as_json:
        write_json([_facts(row) for row in rows])
        return
    shown = [(row.name, row.kind, row.base_url, row.parameter or "-", moment(row.modified_at)) for row in rows]
    write_table(("NAME", "KIND", "URL", "PARAMETER", "CHANGED"), shown)


@command.command("set", epilog=example("baton connections set shop --kind bearer --url https://api.shop.example/v1 < token.txt"))
@click.argument("name")
@click.option("--kind", type=click.Choice(_KINDS), required=True, help="How the secret is shown; that of basic is user:password.")
@click.option("--url", required=True, metavar="URL", help="What its requests stand below; the secret goes to its origin alone.")
@click.option("--parameter", metavar="NAME", help="The header, or the query parameter, that takes the secret of these kinds.")
@tenant_option
def put(name: str, kind: ConnectionKind, url: str, parameter: str | None, tenant: str | None) -> None:
    """Make a connection, or replace the one of that name.

    The secret is asked for without showing it, or read from the standard input where that is no terminal.
    """
    vault = sealing_vault(told=True)
    secret = _secret("Secret")
    try:
        row, fresh = run(_put(tenant, name, Terms(kind=kind, base_url=url, secret=secret, parameter=parameter), vault))
    except BadConnection as fault:
        raise click.UsageError(str(fault)) from fault
    click.echo(f"{row.name} is {'made' if fresh else 'changed'}: {row.kind}, {row.base_url}")
    note_closed(row.base_url)


@command.command("delete", epilog=example("baton connections delete shop"))
@click.argument("name")
@tenant_option
def delete(name: str, tenant: str | None) -> None:
    """Delete a connection.

    Requests that name it fail with http.blocked from then on.
    """
    run(_delete(tenant, name))
    click.echo(f"{name} is deleted.")


@command.command("reseal", epilog=example("baton connections reseal < old.key"))
def reseal() -> None:
    """Seal all secrets again, once the server has a new key.

    BATON_SECRET_KEY is the new one, and the secrets are those of all tenants, their webhooks' among them: all are sealed again, or none.
    What is changed meanwhile keeps its change.
    The key before is BATON_OLD_SECRET_KEY; where that is not set it is asked for without showing it, or read from the standard input
    where that is no terminal.
    """
    vault = sealing_vault(told=True) if key_before() else sealing_vault(_asked_key(), told=True)
    try:
        count = run(_reseal(vault))
    except SealBroken as broken:
        raise click.ClickException(_UNOPENED) from broken
    click.echo(f"{counted(count, 'secret')} sealed again.")


async def _rows(tenant: str | None) -> list[ConnectionRow]:
    async with open_database() as registry:
        register = await registry.register()
        owner = find_tenant(register, tenant)
        return [row for row in register.connections if row.tenant_id == owner.id]


async def _put(tenant: str | None, name: str, terms: Terms, vault: Vault) -> tuple[ConnectionRow, bool]:
    async with open_database() as registry:
        register = await registry.register()
        owner = find_tenant(register, tenant)
        known = any((row.tenant_id, row.name) == (owner.id, name) for row in register.connections)
        return await put_connection(registry, vault, owner.id, name, terms, now()), not known


async def _delete(tenant: str | None, name: str) -> None:
    async with open_database() as registry:
        register = await registry.register()
        owner = find_tenant(register, tenant)
        if not await registry.drop_connection(owner.id, name):
            raise click.ClickException(_unknown(name, [row.name for row in register.connections if row.tenant_id == owner.id]))


async def _reseal(vault: Vault) -> int:
    async with open_database() as registry:
        return await seal_again(registry, vault, now())


def _asked_key() -> bytes:
    before = _secret("The key before").encode()
    if len(before) < _SHORTEST_KEY:
        raise click.UsageError(f"The key before has {_SHORTEST_KEY} bytes or more.")
    return before


def _secret(prompt: str) -> str:
    """One line, which is never shown."""
    if sys.stdin.isatty():
        typed: str = click.prompt(prompt, hide_input=True, err=True)
        return typed
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _unknown(name: str, known: Sequence[str]) -> str:
    return f"There is no connection {name!r}.{did_you_mean(name, known)}"


def _facts(row: ConnectionRow) -> dict[str, Any]:
    return {"name": row.name, "kind": row.kind, "url": row.base_url, "parameter": row.parameter, "changed_at": moment(row.modified_at)}
