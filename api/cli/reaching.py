"""What flows reach from the terminal: the connections of the database and the addresses that the operator allows, as a server has them."""

import os
from collections.abc import Iterable, Mapping

import click
from msgspec import Struct

from api.cli.database import find_tenant, open_database
from api.cli.samples import SHOP, TERMS, with_shop
from api.cli.sealing import sealing_vault
from api.settings import read_settings
from engine.model.flow import Flow
from engine.model.nodes import Http
from engine.runtime.connections import Terms, opened
from engine.runtime.store.sqlite.open import sqlite_path
from engine.runtime.vault import SealBroken


class Reach(Struct, frozen=True):
    """Connections by name, and addresses that may be reached although they are not public."""

    connections: Mapping[str, Terms]
    allowed_hosts: tuple[str, ...]


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
