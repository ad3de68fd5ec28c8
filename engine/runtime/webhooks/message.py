"""What an endpoint is sent: a body that is the same at every try, and headers after Standard Webhooks that prove who sends it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from standardwebhooks import Webhook

from engine.model.values import Json, Millis
from engine.runtime.moments import moment
from engine.runtime.outbound.port import OutboundRequest
from engine.runtime.store.rows import OutboxRow

TIMEOUT: Final[Millis] = 10_000
"""For a whole try, from the look-up of the name to the status."""


def request(url: str, told: OutboxRow, data: Json, secrets: Sequence[str], at: Millis) -> OutboundRequest:
    """A try at a moment of the wall clock, signed with each secret, the newest first. Nothing of the answer but its status is looked at."""
    sent = _body(told, data)
    headers = _headers(told.id, sent, at, secrets)
    return OutboundRequest(method="POST", url=url, headers=headers, body=sent, timeout=TIMEOUT, owner=told.tenant_id, status_only=True)


def _body(told: OutboxRow, data: Json) -> bytes:
    """JSON: the event's type, its moment, the run that it is of (null for none), and its data."""
    run_id = told.run_id if told.rev else None
    return msgspec.json.encode({"type": told.type, "timestamp": moment(told.at), "execution_id": run_id, "data": data})


def _headers(event_id: str, sent: bytes, at: Millis, secrets: Sequence[str]) -> dict[str, str]:
    signed_at = datetime.fromtimestamp(at // 1000, UTC)
    return {
        "Content-Type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(at // 1000),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, signed_at, sent.decode()) for secret in secrets),
    }
