"""A session's conversation: opened, or continued."""

from typing import Final

import msgspec
from msgspec import Struct

from engine.errors import ConversationNotFound
from engine.model.values import Json, Limits, Millis
from engine.runtime.ids import NewId
from engine.runtime.requests import Caller, OpenRequest
from engine.runtime.store.port import ConversationChange, Noted, Snapshot
from engine.runtime.store.rows import ConversationRow, IdempotencyRow, OutboxRow
from engine.runtime.turns.admission import accepted_variables, demand_fit, stored_reply


class Opened(Struct, frozen=True):
    """The conversation of a session, and since when the session counts."""

    conversation_id: str
    customer_id: str | None
    locale: str | None
    at: Millis
    replayed: bool = False


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Opened)


def decide_opening(tenant_id: str, asked: OpenRequest, limits: Limits, new_id: NewId, snapshot: Snapshot) -> tuple[Noted, Opened]:
    """Continue the conversation that was named, or the customer's, or open a new one; the request's variables are merged into it."""
    stored = stored_reply(asked.idempotency, snapshot)
    if stored is not None:
        return Noted(), msgspec.structs.replace(_decoder.decode(stored), replayed=True)
    known = snapshot.conversation
    if asked.continued is not None and known is None:
        raise ConversationNotFound
    row = known or ConversationRow(
        tenant_id=tenant_id,
        id=new_id(snapshot.now),
        created_at=snapshot.now,
        modified_at=snapshot.now,
        customer_id=asked.customer_id,
        locale=asked.locale,
    )
    caller = Caller(tenant_id=tenant_id, public_key_id=asked.public_key_id)
    kept, _, wrong = accepted_variables(caller, row, asked.variables, limits.conversation_bytes)
    demand_fit(*asked.unfit, *wrong)
    opened = Opened(row.id, row.customer_id, asked.locale or row.locale, snapshot.now)
    change = ConversationChange(id=row.id, written=kept, owned=frozenset(), messages=0) if kept else None
    noted = Noted(
        idempotency=_kept(tenant_id, asked, opened),
        opened_conversation=row if known is None else None,
        conversation=change,
        outbox=(_told(tenant_id, asked, opened, new_id(snapshot.now), continued=known is not None),),
    )
    return noted, opened


def _told(tenant_id: str, asked: OpenRequest, opened: Opened, event_id: str, *, continued: bool) -> OutboxRow:
    """What webhooks are told of the session; it belongs to no run, and so stands in no order."""
    about: dict[str, Json] = {
        "conversation_id": opened.conversation_id,
        "customer_id": opened.customer_id,
        "public_key_id": asked.public_key_id,
        "locale": opened.locale,
        "continued": continued,
    }
    return OutboxRow(
        tenant_id=tenant_id, id=event_id, run_id=event_id, rev=0, n=0, type="chat.session.created", at=opened.at, payload=about
    )


def _kept(tenant_id: str, asked: OpenRequest, opened: Opened) -> IdempotencyRow | None:
    key = asked.idempotency
    if key is None:
        return None
    return IdempotencyRow(tenant_id=tenant_id, scope=key.scope, key=key.key, digest=key.digest, at=opened.at, reply=_encoder.encode(opened))
