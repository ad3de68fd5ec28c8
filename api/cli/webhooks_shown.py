"""Endpoints and deliveries as `baton webhooks` shows them."""

from typing import Any

from api.cli.console import moment, moment_or_none
from engine.runtime.store.deliveries import Delivery
from engine.runtime.store.registry import WebhookRow


def endpoint_facts(row: WebhookRow) -> dict[str, Any]:
    """Everything but the secrets."""
    return {
        "id": row.id,
        "status": row.status,
        "url": row.url,
        "events": row.events,
        "old_secret_until": moment_or_none(row.old_until),
        "created_at": moment(row.created_at),
        "changed_at": moment(row.modified_at),
    }


def endpoint_line(row: WebhookRow) -> tuple[str, ...]:
    """The same as cells of a table."""
    return row.id, row.status, row.url, ", ".join(row.events) or "all", moment(row.modified_at)


def delivery_facts(one: Delivery) -> dict[str, Any]:
    """Everything but what the event tells."""
    row, told = one.row, one.told
    return {
        "event_id": told.id,
        "type": told.type,
        "at": moment(told.at),
        "execution_id": told.run_id if told.rev else None,
        "state": row.ended_as or "pending",
        "tries": row.tries,
        "status": row.status,
        "code": row.code,
        "next_at": moment_or_none(row.due_at),
        "ended_at": moment_or_none(row.ended_at),
    }


def delivery_line(one: Delivery) -> tuple[str, ...]:
    """The same as cells of a table."""
    row, told = one.row, one.told
    when = row.due_at if row.ended_at is None else row.ended_at
    answer = str(row.status or row.code or "-")
    due = moment_or_none(when) or "after an earlier one"
    return told.id, told.type, moment(told.at), row.ended_as or "pending", str(row.tries), answer, due
