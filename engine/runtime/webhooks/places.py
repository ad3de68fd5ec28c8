"""Which deliveries begin now: pure. Endpoints have a few places each, and tenants and their endpoints get them in turn."""

from collections import Counter, deque
from collections.abc import Collection, Iterable
from typing import Final

from engine.runtime.store.deliveries import Delivery
from engine.runtime.store.rows import DeliveryRow

AT_ONCE: Final = 64
"""Deliveries under way in all."""
OF_CLIENT: Final = 2 * AT_ONCE
"""Places of the client that makes them: one tenant's share there is more than there are here, so that nobody waits there."""
OF_ENDPOINT: Final = 8
"""Of them to one endpoint; one whose last try failed has a single place until it has heard something."""
OF_FAILING: Final = 32
"""Of them to all such endpoints together: however many hang, the others keep places that nobody holds for long."""

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


class Allotment:
    """The places as they are taken at one moment."""

    def __init__(self, under_way: Collection[Place], failing: Collection[Endpoint]) -> None:
        self._under_way = under_way
        self._failing = failing
        self._of_endpoint: Counter[Endpoint] = Counter(place[:2] for place in under_way)
        self._of_tenant = Counter(place[0] for place in under_way)
        self._left = AT_ONCE - len(under_way)
        self._left_to_failing = OF_FAILING - sum(place[:2] in failing for place in under_way)

    def free(self, endpoint: Endpoint) -> bool:
        """Whether one more delivery to the endpoint may begin."""
        if endpoint in self._failing:
            return min(self._left, self._left_to_failing) > 0 and self._of_endpoint[endpoint] < 1
        return self._left > 0 and self._of_endpoint[endpoint] < OF_ENDPOINT

    def fill(self, due: Iterable[Delivery]) -> list[Delivery]:
        """Those that begin: each next place is for the tenant that has the fewest, and there for the endpoint that has the fewest."""
        waiting: dict[str, dict[Endpoint, deque[Delivery]]] = {}
        for delivery in due:
            endpoint = endpoint_of(delivery.row)
            if place_of(delivery.row) not in self._under_way:
                waiting.setdefault(endpoint[0], {}).setdefault(endpoint, deque()).append(delivery)
        begun: list[Delivery] = []
        while waiting and self._left > 0:
            tenant = min(waiting, key=self._of_tenant.__getitem__)
            endpoint = min(waiting[tenant], key=self._of_endpoint.__getitem__)
            if self.free(endpoint):
                begun.append(waiting[tenant][endpoint].popleft())
                self._take(endpoint)
            if not waiting[tenant][endpoint] or not self.free(endpoint):
                del waiting[tenant][endpoint]
            if not waiting[tenant]:
                del waiting[tenant]
        return begun

    def _take(self, endpoint: Endpoint) -> None:
        self._of_endpoint[endpoint] += 1
        self._of_tenant[endpoint[0]] += 1
        self._left -= 1
        self._left_to_failing -= endpoint in self._failing
