"""`baton keys`: public and API keys of a tenant."""

from typing import Any

import click

from api.cli.console import example, json_option, moment, note, run, write_json, write_table
from api.cli.database import find_tenant, now, open_database, tenant_option
from api.cli.program import Commands
from api.cli.terms import term_options
from engine.runtime.administration import KeyTerms, new_api_key, new_public_key, rotate_api_key, rotate_public_key, set_key_status
from engine.runtime.store.registry import ApiKeyRow, KeyStatus, PublicKeyRow, Register, Registry, TenantRow

KeyRow = PublicKeyRow | ApiKeyRow

kind_option = click.option("--public/--api", "public", default=None, help="Public keys, or API keys.")


@click.group("keys", cls=Commands, epilog=example("baton keys list"))
def command() -> None:
    """List and change public and API keys; a key is named by its id, a public one also by itself.

    Running servers see every change within 2 s.
    """


@command.command("list", epilog=example("baton keys list --public"))
@kind_option
@tenant_option
@json_option
def list_(tenant: str | None, *, public: bool | None, as_json: bool) -> None:
    """List the keys; of API keys only the first characters are known."""
    rows = [row for row in run(_keys(tenant)) if public is None or isinstance(row, PublicKeyRow) == public]
    if as_json:
        write_json([_facts(row) for row in rows])
        return
    shown = [(row.id, _kind(row), _text(row), row.status, moment(row.created_at), _terms(row)) for row in rows]
    write_table(("ID", "KIND", "KEY", "STATUS", "CREATED", "ALLOWS"), shown)


@command.command("create", epilog=example("baton keys create --public --origin https://shop.example --intent order_status"))
@kind_option
@term_options
@click.option("--trusted-usage", is_flag=True, help="Token counts that its clients report are held against budgets.")
@click.option("--label", metavar="TEXT", help="What the chat is called.")
@click.option("--test", is_flag=True, help="A key that begins with pk_test_.")
@tenant_option
@json_option
def create(tenant: str | None, *, public: bool | None, as_json: bool, **terms: Any) -> None:
    """Make a key, public unless --api is given. Its secrets are shown this once."""
    if public is False and any(terms.values()):
        raise click.UsageError("Origins, intents and the like belong to public keys: an API key has none.")
    _tell(run(_create(tenant, None if public is False else KeyTerms(**terms))), as_json=as_json)


@command.command("rotate", epilog=example("baton keys rotate pk_live_0123456789abcdef0123456789abcdef"))
@click.argument("key")
@tenant_option
@json_option
def rotate(key: str, tenant: str | None, *, as_json: bool) -> None:
    """Give a key new secrets in place. They are shown this once; what was known before opens nothing from then on.

    A public key gets a new text and a new identity secret.
    """
    _tell(run(_rotate(tenant, key)), as_json=as_json)


@command.command("pause", epilog=example("baton keys pause pk_live_0123456789abcdef0123456789abcdef"))
@click.argument("key")
@click.option("--off", is_flag=True, help="Let a paused key work again.")
@tenant_option
def pause(key: str, tenant: str | None, *, off: bool) -> None:
    """Refuse a key until it is let work again. Sessions that it opened are refused as well."""
    run(_set_status(tenant, key, "active" if off else "paused"))
    click.echo(f"{key} {'is active again' if off else 'is paused'}.")


@command.command("revoke", epilog=example("baton keys revoke 0199b7a4-0000-7000-8000-000000000000"))
@click.argument("key")
@tenant_option
def revoke(key: str, tenant: str | None) -> None:
    """Refuse a key for good."""
    run(_set_status(tenant, key, "revoked"))
    click.echo(f"{key} is revoked.")


async def _keys(tenant: str | None) -> list[KeyRow]:
    async with open_database() as registry:
        register = await registry.register()
        return _keys_of(register, find_tenant(register, tenant))


async def _create(tenant: str | None, terms: KeyTerms | None) -> dict[str, Any]:
    async with open_database() as registry:
        owner = find_tenant(await registry.register(), tenant)
        if terms is None:
            row, text = new_api_key(owner.id, now())
            await registry.put_api_key(row)
            return {"id": row.id, "api_key": text}
        public = new_public_key(owner.id, terms, now())
        await registry.put_public_key(public)
        return _secrets(public)


async def _rotate(tenant: str | None, name: str) -> dict[str, Any]:
    async with open_database() as registry:
        match await _find(registry, tenant, name):
            case PublicKeyRow() as row:
                return _secrets(await rotate_public_key(registry, row))
            case ApiKeyRow() as row:
                return {"id": row.id, "api_key": await rotate_api_key(registry, row)}


async def _set_status(tenant: str | None, name: str, status: KeyStatus) -> None:
    async with open_database() as registry:
        await set_key_status(registry, await _find(registry, tenant, name), status)


async def _find(registry: Registry, tenant: str | None, name: str) -> KeyRow:
    register = await registry.register()
    for row in _keys_of(register, find_tenant(register, tenant)):
        if name == row.id or (isinstance(row, PublicKeyRow) and name == row.key):
            return row
    raise click.ClickException(f"There is no key {name!r}; `baton keys list` shows their ids.")


def _keys_of(register: Register, owner: TenantRow) -> list[KeyRow]:
    keys: list[KeyRow] = [*register.public_keys, *register.api_keys]
    return [row for row in keys if row.tenant_id == owner.id]


def _secrets(row: PublicKeyRow) -> dict[str, Any]:
    return {"id": row.id, "public_key": row.key, "identity_secret": row.identity_secret}


def _tell(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        write_json(made)
        return
    for name, value in made.items():
        click.echo(f"{name.replace('_', ' ').capitalize().replace('Api', 'API') + ':':<17}{value}")
    note("Keep the secrets: they are not shown again.")


def _kind(row: KeyRow) -> str:
    return "public" if isinstance(row, PublicKeyRow) else "api"


def _text(row: KeyRow) -> str:
    return row.key if isinstance(row, PublicKeyRow) else f"{row.hint}..."


def _terms(row: KeyRow) -> str:
    if isinstance(row, ApiKeyRow):
        return ", ".join(row.scopes)
    marks = [name for name in ("native", "expose_trace", "trusted_usage") if getattr(row, name)]
    intents = "all intents" if row.intents is None else f"intents {', '.join(row.intents) or 'none'}"
    return "; ".join([intents, *([f"origins {', '.join(row.origins)}"] if row.origins else []), *marks])


def _facts(row: KeyRow) -> dict[str, Any]:
    facts: dict[str, Any] = {"id": row.id, "kind": _kind(row), "status": row.status, "created_at": moment(row.created_at)}
    if isinstance(row, ApiKeyRow):
        return facts | {"hint": row.hint, "scopes": row.scopes}
    shown = ("key", "label", "intents", "origins", "native", "expose_trace", "trusted_usage")
    return facts | {name: getattr(row, name) for name in shown}
