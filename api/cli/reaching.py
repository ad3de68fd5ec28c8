"""What flows reach from the terminal: the connections of the database and the addresses that the operator allows, as a server has them."""

import os
from collections.abc import Iterable, Mapping
from typing import Final

import click
from msgspec import Struct

from api.cli.console import note
from api.cli.database import find_tenant, open_database
from api.cli.samples import SHOP, TERMS, with_shop
from api.cli.sealing import sealing_vault
from api.settings import read_settings
from engine.model.flow import Flow
from engine.model.nodes import Http
from engine.runtime.connections import Terms, opened
from engine.runtime.outbound.addresses import as_address, may_reach, read_allowed
from engine.runtime.outbound.targets import read_target
from engine.runtime.store.sqlite.address import sqlite_path
from engine.runtime.vault import SealBroken

_HERE: Final = {"localhost": "127.0.0.1"}
"""Names whose address is known without a look-up."""


class Reach(Struct, frozen=True):
    """Connections by name, and addresses that may be reached although they are not public."""

    connections: Mapping[str, Terms]
    allowed_hosts: tuple[str, ...]


def note_closed(url: str) -> None:
    """Say of an address that is not public that a server's settings must open it, unless those that hold here do."""
    target = read_target(url)
    address = as_address(_HERE.get(target.host, target.host))
    allowed = read_allowed(read_settings(os.environ).allowed_hosts_outbound)
    if address is not None and not may_reach(address, target.host, target.port, allowed):
        note(f"{target.authority} is not public: it is reached only where BATON_ALLOWED_HOSTS_OUTBOUND of the server opens it.")


async def reach(flows: Iterable[Flow], tenant: str | None) -> Reach:
    """What the flows need of the tenant's connections; that of the sample shop where there is no database.

    A connection that is not there is left out: a request over it fails when it is made.
    """
    settings = read_settings(os.environ)
    nodes = [node for flow in flows for node in flow.nodes.values()]
    needed = {node.connection for node in nodes if isinstance(node, Http) and node.connection is not None}
    allowed = with_shop(settings.allowed_hosts_outbound)
    if not needed:
        return Reach({}, allowed)
    if not sqlite_path(settings.database_url).exists():
        return Reach({SHOP: TERMS}, allowed)
    return Reach(await _of_tenant(tenant, needed), allowed)


async def _of_tenant(tenant: str | None, needed: set[str]) -> dict[str, Terms]:
    async with open_database() as registry:
        register = await registry.register()
    owner = find_tenant(register, tenant)
    rows = [row for row in register.connections if row.tenant_id == owner.id and row.name in needed]
    if not rows:
        return {}
    vault = sealing_vault()
    try:
        return {row.name: opened(vault, row) for row in rows}
    except SealBroken as broken:
        raise click.ClickException("The secret of a connection cannot be opened with the server's key (BATON_SECRET_KEY).") from broken
