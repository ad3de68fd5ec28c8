"""Connections: what flows need to ask others in the tenant's name. A secret goes in, and comes out only inside of a request."""

import base64
import re
from typing import Final

from msgspec import Struct

from engine.errors import BatonError
from engine.model.values import Millis, is_name
from engine.runtime.outbound.heads import may_name
from engine.runtime.outbound.port import Credentials, SendFailed
from engine.runtime.outbound.targets import read_target
from engine.runtime.store.registry import ConnectionKind, ConnectionRow, Registry
from engine.runtime.vault import Vault

_PARAMETER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_SECRET: Final = re.compile(r"[\x20-\x7e]{1,4096}")


class BadConnection(BatonError):
    """A connection that could not work."""


class Terms(Struct, frozen=True, kw_only=True):
    """What a connection is made of; `parameter` is the header or query parameter that takes the secret, for these kinds."""

    kind: ConnectionKind
    base_url: str
    secret: str
    parameter: str | None = None

    def __repr__(self) -> str:
        return f"Terms(kind={self.kind!r}, base_url={self.base_url!r}, ...)"


async def put_connection(registry: Registry, vault: Vault, tenant_id: str, name: str, terms: Terms, at: Millis) -> ConnectionRow:
    """Keep the connection under its name, in the place of the one before; raises BadConnection where it could not work."""
    if fault := _fault(name, terms):
        raise BadConnection(fault)
    before = next((row for row in (await registry.register()).connections if (row.tenant_id, row.name) == (tenant_id, name)), None)
    row = ConnectionRow(
        tenant_id=tenant_id,
        name=name,
        kind=terms.kind,
        base_url=terms.base_url.rstrip("/"),
        parameter=terms.parameter,
        secret=vault.seal(terms.secret, about(tenant_id, name)),
        created_at=at if before is None else before.created_at,
        modified_at=at,
    )
    await registry.put_connection(row)
    return row


def opened(vault: Vault, row: ConnectionRow) -> Terms:
    """What the connection was made of; raises SealBroken where the secret cannot be opened."""
    secret = vault.open(row.secret, about(row.tenant_id, row.name))
    return Terms(kind=row.kind, base_url=row.base_url, secret=secret, parameter=row.parameter)


def credentials(vault: Vault, row: ConnectionRow) -> Credentials:
    """What the connection's origin is shown; raises SealBroken where the secret cannot be opened."""
    secret = opened(vault, row).secret
    match row.kind:
        case "bearer":
            return Credentials(row.base_url, headers={"Authorization": f"Bearer {secret}"})
        case "basic":
            return Credentials(row.base_url, headers={"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"})
        case "header":
            return Credentials(row.base_url, headers={row.parameter or "": secret})
        case "query":
            return Credentials(row.base_url, query={row.parameter or "": secret})


def _fault(name: str, terms: Terms) -> str | None:
    if not is_name(name):
        return "A connection's name is made of lower-case letters, digits and _, and begins with a letter."
    if not _is_base(terms.base_url):
        return "A base URL is like https://api.example/v1, without a user, a query or a fragment."
    if not _SECRET.fullmatch(terms.secret):
        return "A secret is made of 1 to 4,096 printable ASCII characters."
    if terms.kind == "basic" and ":" not in terms.secret:
        return "The secret of a basic connection is user:password."
    if (terms.kind in {"header", "query"}) != (terms.parameter is not None):
        return "A header or query connection names its parameter, the others have none."
    if terms.parameter is not None and not _PARAMETER.fullmatch(terms.parameter):
        return "The parameter is not the name of one."
    if terms.kind == "header" and not may_name(terms.parameter or ""):
        return "The header says how a message is sent: it can hold no secret."
    return None


def _is_base(url: str) -> bool:
    try:
        read_target(url)
    except SendFailed:
        return False
    return "?" not in url and "#" not in url


def about(tenant_id: str, name: str) -> str:
    """What the connection's secret is bound to."""
    return f"connection/{tenant_id}/{name}"
