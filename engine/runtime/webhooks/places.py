"""Which deliveries begin now: pure. Each endpoint has a few places, all together have some more, and tenants get them in turn."""

from collections import Counter, deque
from collections.abc import Collection, Iterable
from typing import Final

from engine.runtime.store.deliveries import Delivery
from engine.runtime.store.rows import DeliveryRow

AT_ONCE: Final = 64
"""Deliveries under way in all."""
OF_ENDPOINT: Final = 8
"""Of them to one endpoint; one whose last try failed has a single place until it has heard something."""

Endpoint = tuple[str, str]
"""Tenant and id."""
Place = tuple[str, str, str, int, int]
"""Which delivery it is."""


def endpoint_of(row: DeliveryRow) -> Endpoint:
    """Whom the delivery is for."""
    return row.tenant_id, row.endpoint_id


def place_of(row: DeliveryRow) -> Place:
    """What tells the delivery from all others."""
    return row.tenant_id, row.endpoint_id, row.run_id, row.rev, row.n


class Places:
    """The places as they are taken at one moment."""

    def __init__(self, under_way: Collection[Place], failing: Collection[Endpoint]) -> None:
        self._under_way = under_way
        self._failing = failing
        self._of_endpoint = Counter(place[:2] for place in under_way)
        self._of_tenant = Counter(place[0] for place in under_way)
        self._left = AT_ONCE - len(under_way)

    def free(self, endpoint: Endpoint) -> bool:
        """Whether one more delivery to the endpoint may begin."""
        most = 1 if endpoint in self._failing else OF_ENDPOINT
        return self._left > 0 and self._of_endpoint[endpoint] < most

    def fill(self, due: Iterable[Delivery]) -> list[Delivery]:
        """Those that begin: the next place is always for the tenant that has the fewest, and within it for what is due the longest."""
        waiting: dict[str, deque[Delivery]] = {}
        for delivery in due:
            if place_of(delivery.row) not in self._under_way:
                waiting.setdefault(delivery.row.tenant_id, deque()).append(delivery)
        begun: list[Delivery] = []
        while waiting and self._left > 0:
            tenant = min(waiting, key=self._of_tenant.__getitem__)
            delivery = waiting[tenant].popleft()
            if not waiting[tenant]:
                del waiting[tenant]
            if self.free(endpoint_of(delivery.row)):
                self._take(delivery.row)
                begun.append(delivery)
        return begun

    def _take(self, row: DeliveryRow) -> None:
        self._of_endpoint[endpoint_of(row)] += 1
        self._of_tenant[row.tenant_id] += 1
        self._left -= 1
