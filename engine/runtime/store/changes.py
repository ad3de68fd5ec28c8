"""What stores must agree on, whatever they are made of: how a conversation changes, when a wait may end, what is fair, what a day is."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from engine.model.values import Millis
from engine.runtime.store.port import ConversationChange, DueWait, StaleRecord
from engine.runtime.store.rows import ConversationRow, WaitEnd

DAY: Final[Millis] = 86_400_000


def day(number: int) -> str:
    """The day of that number, counted from 1970, in UTC: 2026-01-05."""
    return datetime.fromtimestamp(number * DAY / 1000, UTC).date().isoformat()


def changed(before: ConversationRow | None, change: ConversationChange, at: Millis) -> ConversationRow:
    """The conversation after the change; StaleRecord when the change is of another one, or of none."""
    if before is None or before.id != change.id:
        raise StaleRecord(f"Conversation {change.id} is not the one that was loaded.")
    return msgspec.structs.replace(
        before,
        variables={**before.variables, **change.written} if change.written else before.variables,
        owned=sorted(change.owned.union(before.owned)) if change.owned else before.owned,
        next_sequence=before.next_sequence + change.messages,
        modified_at=at,
    )


def may_end(deadline: Millis, by: WaitEnd, now: Millis) -> bool:
    """Whether an open wait may end so at this moment: at its deadline the clock wins, before it the answer."""
    match by:
        case "answered":
            return now < deadline
        case "expired":
            return now >= deadline
        case "signalled" | "cancelled":
            return True


def share(due: Iterable[DueWait], limit: int) -> list[DueWait]:
    """At most limit of the waits, the oldest first; tenants get equal shares of the limit, and what one leaves goes to the others."""
    ranked: list[tuple[int, DueWait]] = []
    taken: defaultdict[str, int] = defaultdict(int)
    for wait in sorted(due, key=_age):
        ranked.append((taken[wait.tenant_id], wait))
        taken[wait.tenant_id] += 1
    ranked.sort(key=_turn)
    return sorted((wait for _, wait in ranked[:limit]), key=_age)


def _age(wait: DueWait) -> tuple[Millis, str]:
    return wait.due_at, wait.wait_id


def _turn(ranked: tuple[int, DueWait]) -> int:
    return ranked[0]
