"""Answers that are made of several readings, kept whole under an idempotency key, so that a repeat gives the same bytes."""

from typing import Generic, TypeVar

import msgspec

from engine.runtime.requests import Idempotency
from engine.runtime.store.port import Decision, Noted, Order, Snapshot, Store
from engine.runtime.store.rows import IdempotencyRow
from engine.runtime.turns.admission import stored_reply

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Keeps values of one type beside the idempotency rows, and as long as they."""

    def __init__(self, store: Store, kind: type[Value]) -> None:
        self._store = store
        self._decoder = msgspec.msgpack.Decoder(kind)

    async def earlier(self, tenant_id: str, key: Idempotency) -> Value | None:
        """The value that is kept under the key; refuses another body."""
        asked = _shown(key)
        order = Order(tenant_id=tenant_id, idempotency=(asked.scope, asked.key))
        stored = await self._store.take(order, lambda snapshot: (Noted(), stored_reply(asked, snapshot)))
        return None if stored is None else self._decoder.decode(stored)

    async def first(self, tenant_id: str, key: Idempotency, value: Value) -> Value:
        """The value that was kept first under the key: an earlier one, else this one."""
        asked = _shown(key)

        def decide(snapshot: Snapshot) -> tuple[Decision, bytes]:
            earlier = stored_reply(asked, snapshot)
            return (Noted(), earlier) if earlier is not None else (Noted(idempotency=row), row.reply or b"")

        row = IdempotencyRow(
            tenant_id=tenant_id,
            scope=asked.scope,
            key=asked.key,
            digest=asked.digest,
            at=self._store.now(),
            reply=msgspec.msgpack.encode(value),
        )
        stored = await self._store.take(Order(tenant_id=tenant_id, idempotency=(asked.scope, asked.key)), decide)
        return self._decoder.decode(stored)


def _shown(key: Idempotency) -> Idempotency:
    return Idempotency(f"{key.scope}:shown", key.key, key.digest)
