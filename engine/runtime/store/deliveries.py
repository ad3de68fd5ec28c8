"""The deliveries' port: what becomes of an event in the outbox, from the turn that wrote it to the endpoint that gets it.

A row of the outbox is spread once over the endpoints that want it. Of one run an endpoint has one delivery at a time that is due,
the earliest that is left; when it ends, delivered or parked, the next one is due at once. So whatever waits behind a failing one
costs nothing to look past. What is replayed comes out of its order, and what has not begun yet waits for it.

What is due is not claimed: whoever sends keeps in mind what it has under way, so that one process at a time may send.

Atomic and durable as turns are. Nothing here is in a turn's way: a turn writes its rows of the outbox, and no more.
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from engine.model.values import Millis
from engine.runtime.store.rows import DeliveryRow, OutboxRow

Wanted = Callable[[str, str], Sequence[str]]
"""The ids of a tenant's endpoints that are told of events of a type; a pure function, which may be asked again."""
DeliveryState = Literal["pending", "delivered", "parked"]


class Outlook(Struct, frozen=True):
    """Whether there is anything to do: rows that are not spread, and the nearest moment at which a delivery is due."""

    unspread: bool
    due_at: Millis | None


class Delivery(Struct, frozen=True):
    """A delivery, with what it tells."""

    row: DeliveryRow
    told: OutboxRow


class DeliveryFilter(Struct, frozen=True, kw_only=True):
    """Which deliveries of an endpoint a list shows, those of the newest runs first."""

    endpoint_id: str
    state: DeliveryState | None = None
    limit: int = 20


class Kept(Struct, frozen=True, kw_only=True):
    """What may be forgotten: what was delivered, what was parked, and what happened and has no delivery (left), before each moment."""

    delivered: Millis
    parked: Millis
    told: Millis


class Deliveries(Protocol):
    """Where deliveries live."""

    async def outlook(self) -> Outlook:
        """Cheap, whatever has been delivered before and whatever waits behind another."""

    async def spread(self, wanted: Wanted, limit: int) -> int:
        """Make the deliveries of so many rows of the outbox, the oldest first; gives how many rows there were."""

    async def due(self, endpoints: Sequence[tuple[str, str]], each: int) -> Sequence[Delivery]:
        """What is due for each of the endpoints, named by tenant and id: the longest due first, and so many of each at most."""

    async def note(self, row: DeliveryRow, was_tries: int) -> bool:
        """The delivery as it is after a try; False, and nothing is changed, where it has ended, is gone or is at another try meanwhile."""

    async def replay(self, tenant_id: str, endpoint_id: str, event_id: str | None = None) -> int:
        """Let what is parked for the endpoint be due again, or one event's delivery, however it has ended; gives how many."""

    async def of_endpoint(self, tenant_id: str, chosen: DeliveryFilter) -> Sequence[Delivery]:
        """Deliveries of the endpoint that the filter lets through."""

    async def forget(self, tenant_id: str, endpoint_id: str) -> int:
        """Forget all deliveries to the endpoint; gives how many there were. What they told has no delivery then, unless others have it."""

    async def prune(self, kept: Kept) -> int:
        """Forget what is older, deliveries before rows of the outbox; gives how many there were of both."""
