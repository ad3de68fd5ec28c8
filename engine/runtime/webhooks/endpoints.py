"""Endpoints that are told of a tenant's events. A secret is made here, shown once, and signs from then on; it is kept sealed."""

import base64
import secrets
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.errors import BatonError
from engine.model.values import EventName, Millis
from engine.runtime.ids import uuid7
from engine.runtime.outbound.port import SendFailed
from engine.runtime.outbound.targets import read_target
from engine.runtime.store.registry import Registry, WebhookRow
from engine.runtime.vault import Vault

OVERLAP: Final[Millis] = 24 * 3_600_000
"""How long the secret before signs as well, after a new one was made."""
EVENTS: Final = (
    "chat.session.created",
    "chat.execution.started",
    "chat.execution.completed",
    "chat.execution.failed",
    "chat.execution.aborted",
    "chat.wait.expired",
    "chat.task.created",
)
"""The types of events that arise by themselves, beside those that flows emit."""
_OURS: Final = "chat."
_SECRET_BYTES: Final = 32
_LONGEST_URL: Final = 2_000
_MOST_EVENTS: Final = 100


class BadWebhook(BatonError):
    """An endpoint that could not work."""


async def add_webhook(
    registry: Registry, vault: Vault, tenant_id: str, url: str, events: Sequence[str], at: Millis
) -> tuple[WebhookRow, str]:
    """Make an endpoint, and the secret that its owner needs; raises BadWebhook where it could not work."""
    webhook_id, secret = uuid7(at), _secret()
    row = WebhookRow(
        tenant_id=tenant_id,
        id=webhook_id,
        url=_sound_url(url),
        events=_sound_events(events),
        status="enabled",
        secret=vault.seal(secret, about(tenant_id, webhook_id)),
        created_at=at,
        modified_at=at,
    )
    await registry.put_webhook(row)
    return row, secret


async def change_webhook(
    registry: Registry,
    row: WebhookRow,
    at: Millis,
    *,
    url: str | None = None,
    events: Sequence[str] | None = None,
    enabled: bool | None = None,
) -> WebhookRow:
    """Change what is given, and leave the rest; raises BadWebhook where it could not work."""
    changed = replace(
        row,
        url=row.url if url is None else _sound_url(url),
        events=row.events if events is None else _sound_events(events),
        status=row.status if enabled is None else "enabled" if enabled else "disabled",
        modified_at=at,
    )
    await registry.put_webhook(changed)
    return changed


async def rotate_webhook(registry: Registry, vault: Vault, row: WebhookRow, at: Millis) -> tuple[WebhookRow, str]:
    """Give the endpoint a new secret; that before signs as well for a day, and one from before that no more."""
    secret = _secret()
    sealed = vault.seal(secret, about(row.tenant_id, row.id))
    changed = replace(row, secret=sealed, old_secret=row.secret, old_until=at + OVERLAP, modified_at=at)
    await registry.put_webhook(changed)
    return changed, secret


async def delete_webhook(registry: Registry, row: WebhookRow, at: Millis) -> None:
    """Send it nothing more; its secrets are gone at once, its deliveries soon."""
    gone = replace(row, status="deleted", secret=b"", old_secret=None, old_until=None, modified_at=at)
    await registry.put_webhook(gone)


def signing_secrets(vault: Vault, row: WebhookRow, now: Millis) -> list[str]:
    """The secrets that sign at this moment, the newest first; raises SealBroken where the server's key does not open them."""
    sealed = [row.secret]
    if row.old_secret is not None and row.old_until is not None and now < row.old_until:
        sealed.append(row.old_secret)
    return [vault.open(secret, about(row.tenant_id, row.id)) for secret in sealed]


def wants(row: WebhookRow, event: str) -> bool:
    """Whether the endpoint is told of events of that type. One that is disabled is as well: what it is told waits until it is replayed."""
    return row.status != "deleted" and (not row.events or event in row.events)


def _sound_url(url: str) -> str:
    try:
        read_target(url)
    except SendFailed as fault:
        raise BadWebhook(f"The URL cannot be used. {fault.message}") from None
    if len(url) > _LONGEST_URL or "#" in url:
        raise BadWebhook(f"A URL has at most {_LONGEST_URL:,} characters, and no fragment.")
    return url


def _sound_events(events: Sequence[str]) -> list[str]:
    for event in events:
        try:
            msgspec.convert(event, EventName)
        except msgspec.ValidationError:
            raise BadWebhook(f"{event!r} is no type of an event: it is like order.confirmed.") from None
        if event.startswith(_OURS) and event not in EVENTS:
            raise BadWebhook(f"There is no event {event!r}; those of Baton are {', '.join(EVENTS)}.")
    if len(events) > _MOST_EVENTS:
        raise BadWebhook(f"An endpoint names at most {_MOST_EVENTS} types; without any it is told of all.")
    return list(dict.fromkeys(events))


def _secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def about(tenant_id: str, webhook_id: str) -> str:
    """What the endpoint's secrets are bound to."""
    return f"webhook/{tenant_id}/{webhook_id}"
