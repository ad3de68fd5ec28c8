"""`baton webhooks`: endpoints that are told of what happens, and what they were told."""

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar, get_args

import click

from api.cli.console import counted, example, json_option, leave, moment_or_none, note, run, write_json, write_table
from api.cli.database import find_tenant, now, open_database, tenant_option
from api.cli.program import FINDING, Commands
from api.cli.reaching import note_closed
from api.cli.records import open_records
from api.cli.sealing import sealing_vault
from api.cli.webhooks_shown import delivery_facts, delivery_line, endpoint_facts, endpoint_line
from api.settings import read_settings
from engine.runtime.ids import uuid7
from engine.runtime.outbound.client import OutboundClient
from engine.runtime.outbound.port import Outcome
from engine.runtime.store.deliveries import Delivery, DeliveryFilter, DeliveryState
from engine.runtime.store.registry import Register, Registry, TenantRow, WebhookRow
from engine.runtime.store.rows import OutboxRow
from engine.runtime.vault import Vault
from engine.runtime.webhooks.endpoints import (
    BadWebhook,
    add_webhook,
    change_webhook,
    delete_webhook,
    rotate_webhook,
    signing_secrets,
)
from engine.runtime.webhooks.message import request
from engine.runtime.webhooks.plan import succeeded

Result = TypeVar("Result")

_MOST: Final = 1000
_EXAMPLE: Final = "019b8d2c-5a40-7000-8000-000000000001"
_TEST: Final = "webhook.test"

event_option = click.option("--event", "events", multiple=True, metavar="TYPE", help="A type that it is told of; may be repeated.")


@click.group("webhooks", cls=Commands, epilog=example("baton webhooks list"))
def command() -> None:
    """List, add, change and delete endpoints that are told of a tenant's events, and see what they were told.

    An endpoint is named by its id. Running servers see every change within 2 s.
    """


@command.command("list", epilog=example("baton webhooks list --json"))
@tenant_option
@json_option
def list_(tenant: str | None, *, as_json: bool) -> None:
    """List the endpoints, without their secrets."""
    rows = run(_rows(tenant))
    if as_json:
        write_json([endpoint_facts(row) for row in rows])
        return
    write_table(("ID", "STATUS", "URL", "EVENTS", "CHANGED"), [endpoint_line(row) for row in rows])


@command.command("add", epilog=example("baton webhooks add https://shop.example/hooks --event chat.execution.completed"))
@click.argument("url")
@event_option
@tenant_option
@json_option
def add(url: str, events: tuple[str, ...], tenant: str | None, *, as_json: bool) -> None:
    """Add an endpoint. Its secret is shown this once; without --event it is told of everything."""
    row, secret = _sound(lambda: run(_add(tenant, url, events, sealing_vault(told=True))))
    _tell(row, secret, as_json=as_json)
    note_closed(row.url)


@command.command("set", epilog=example(f"baton webhooks set {_EXAMPLE} --disable"))
@click.argument("webhook_id", metavar="ID")
@click.option("--url", metavar="URL", help="Where it is from now on.")
@event_option
@click.option("--all-events", is_flag=True, help="Tell it of everything.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether anything is sent; what is not is parked, to be replayed.")
@tenant_option
def change(
    webhook_id: str, url: str | None, events: tuple[str, ...], tenant: str | None, *, all_events: bool, enabled: bool | None
) -> None:
    """Change an endpoint; what is not named stays as it is. The types that are named take the place of those before."""
    if all_events and events:
        raise click.UsageError("Name types, or say --all-events.")
    if not (all_events or events or url is not None or enabled is not None):
        raise click.UsageError("Say what to change: --url, --event, --all-events, --enable or --disable.")
    chosen = events if events or all_events else None
    row = _sound(lambda: run(_change(tenant, webhook_id, url=url, events=chosen, enabled=enabled)))
    click.echo(f"{row.id} is changed: {row.status}, {row.url}, {', '.join(row.events) or 'all events'}")
    if url is not None:
        note_closed(url)


@command.command("rotate", epilog=example(f"baton webhooks rotate {_EXAMPLE}"))
@click.argument("webhook_id", metavar="ID")
@tenant_option
@json_option
def rotate(webhook_id: str, tenant: str | None, *, as_json: bool) -> None:
    """Give an endpoint a new secret, which is shown this once.

    For 24 hours everything is signed with both, the new one and that before; then that before is gone. Only one is kept beside the new
    one: rotating again within the 24 hours ends the oldest at once.
    """
    row, secret = run(_rotate(tenant, webhook_id, sealing_vault(told=True)))
    _tell(row, secret, as_json=as_json)


@command.command("delete", epilog=example(f"baton webhooks delete {_EXAMPLE}"))
@click.argument("webhook_id", metavar="ID")
@tenant_option
def delete(webhook_id: str, tenant: str | None) -> None:
    """Delete an endpoint, with all that it was or was to be told."""
    run(_delete(tenant, webhook_id))
    click.echo(f"{webhook_id} is deleted.")


@command.command("deliveries", epilog=example(f"baton webhooks deliveries {_EXAMPLE} --state parked"))
@click.argument("webhook_id", metavar="ID")
@click.option("--state", type=click.Choice(get_args(DeliveryState)), help="Only deliveries in this state.")
@click.option("--limit", type=click.IntRange(1, _MOST), default=20, show_default=True, help="How many at most.")
@tenant_option
@json_option
def deliveries(webhook_id: str, state: DeliveryState | None, limit: int, tenant: str | None, *, as_json: bool) -> None:
    """List what an endpoint was or is to be told.

    That of the newest runs comes first.
    """
    found = run(_deliveries(tenant, webhook_id, state, limit))
    if as_json:
        write_json([delivery_facts(one) for one in found])
        return
    write_table(("EVENT", "TYPE", "AT", "STATE", "TRIES", "STATUS", "NEXT OR ENDED"), [delivery_line(one) for one in found])


@command.command("replay", epilog=example(f"baton webhooks replay {_EXAMPLE}"))
@click.argument("webhook_id", metavar="ID")
@click.option("--event", "event_id", metavar="EVENT", help="Only this one, also if it was delivered.")
@tenant_option
def replay(webhook_id: str, event_id: str | None, tenant: str | None) -> None:
    """Send again what is parked. It goes out as soon as a server runs, with the same webhook-id."""
    count = run(_replay(tenant, webhook_id, event_id))
    if event_id is not None and not count:
        raise click.ClickException(
            f"The endpoint was not told of {event_id!r}, or it is still to be: `baton webhooks deliveries` shows them."
        )
    click.echo(f"{counted(count, 'delivery', 'deliveries')} to be sent again.")


@command.command("test", epilog=example(f"baton webhooks test {_EXAMPLE}"))
@click.argument("webhook_id", metavar="ID")
@tenant_option
def test(webhook_id: str, tenant: str | None) -> None:
    """Send an event of the type webhook.test now, from here.

    The exit code is 1 unless it is answered with a 2xx.
    """
    outcome = run(_test(tenant, webhook_id, sealing_vault()))
    status = "" if outcome.answer is None else f"answered with {outcome.answer.status}"
    click.echo(status or f"{outcome.code}: {outcome.message}")
    if not succeeded(outcome):
        leave(FINDING)


async def _rows(tenant: str | None) -> list[WebhookRow]:
    async with open_database() as registry:
        register = await registry.register()
        return _rows_of(register, find_tenant(register, tenant))


async def _add(tenant: str | None, url: str, events: tuple[str, ...], vault: Vault) -> tuple[WebhookRow, str]:
    async with open_database() as registry:
        owner = find_tenant(await registry.register(), tenant)
        return await add_webhook(registry, vault, owner.id, url, events, now())


async def _change(tenant: str | None, webhook_id: str, **changes: Any) -> WebhookRow:
    async with open_database() as registry:
        return await change_webhook(registry, await _find(registry, tenant, webhook_id), now(), **changes)


async def _rotate(tenant: str | None, webhook_id: str, vault: Vault) -> tuple[WebhookRow, str]:
    async with open_database() as registry:
        return await rotate_webhook(registry, vault, await _find(registry, tenant, webhook_id), now())


async def _delete(tenant: str | None, webhook_id: str) -> None:
    async with open_database() as registry:
        await delete_webhook(registry, await _find(registry, tenant, webhook_id), now())


async def _deliveries(tenant: str | None, webhook_id: str, state: DeliveryState | None, limit: int) -> list[Delivery]:
    row = await _one(tenant, webhook_id)
    async with open_records(tenant) as (store, owner):
        chosen = DeliveryFilter(endpoint_id=row.id, state=state, limit=limit)
        return [*await store.deliveries.of_endpoint(owner.id, chosen)]


async def _replay(tenant: str | None, webhook_id: str, event_id: str | None) -> int:
    row = await _one(tenant, webhook_id)
    async with open_records(tenant) as (store, owner):
        return await store.deliveries.replay(owner.id, row.id, event_id)


async def _test(tenant: str | None, webhook_id: str, vault: Vault) -> Outcome:
    row, at = await _one(tenant, webhook_id), now()
    event_id = uuid7(at)
    told = OutboxRow(tenant_id=row.tenant_id, id=event_id, run_id=event_id, rev=0, n=0, type=_TEST, at=at, payload={})
    client = OutboundClient(read_settings(os.environ).allowed_hosts_outbound)
    return await client.send(request(row.url, told, {}, signing_secrets(vault, row, at), at))


async def _one(tenant: str | None, webhook_id: str) -> WebhookRow:
    async with open_database() as registry:
        return await _find(registry, tenant, webhook_id)


async def _find(registry: Registry, tenant: str | None, webhook_id: str) -> WebhookRow:
    register = await registry.register()
    for row in _rows_of(register, find_tenant(register, tenant)):
        if row.id == webhook_id:
            return row
    raise click.ClickException(f"There is no endpoint {webhook_id!r}; `baton webhooks list` shows their ids.")


def _rows_of(register: Register, owner: TenantRow) -> list[WebhookRow]:
    return [row for row in register.webhooks if row.tenant_id == owner.id and row.status != "deleted"]


def _sound(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except BadWebhook as fault:
        raise click.UsageError(str(fault)) from fault


def _tell(row: WebhookRow, secret: str, *, as_json: bool) -> None:
    if as_json:
        write_json({"id": row.id, "secret": secret, "old_secret_until": moment_or_none(row.old_until)})
        return
    click.echo(f"ID:     {row.id}\nSecret: {secret}")
    note("Keep the secret: it is not shown again.")
