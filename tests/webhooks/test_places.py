"""Who gets the next place: each tenant in turn, each endpoint a few, and those that hang never all of them."""

from collections import Counter

from engine.runtime.store.deliveries import Delivery
from engine.runtime.store.rows import DeliveryRow, OutboxRow
from engine.runtime.webhooks.health import Health
from engine.runtime.webhooks.places import AT_ONCE, OF_ENDPOINT, OF_FAILING, Allotment, Endpoint, Place, place_of


def due(tenant: str, endpoint: str, count: int) -> list[Delivery]:
    """Deliveries of as many runs."""
    told = OutboxRow(tenant_id=tenant, id="e", run_id="r", rev=1, n=0, type="x", at=0, payload={})
    return [Delivery(DeliveryRow(tenant_id=tenant, run_id=f"{run}", rev=1, n=0, endpoint_id=endpoint), told) for run in range(count)]


def filled(waiting: list[Delivery], under_way: list[Delivery] | None = None, failing: set[Endpoint] | None = None) -> Counter[str]:
    """How many begin, by their endpoint."""
    taken: list[Place] = [place_of(one.row) for one in under_way or []]
    return Counter(one.row.endpoint_id for one in Allotment(taken, failing or set()).fill(waiting))


def test_an_endpoint_has_a_few_places_and_all_have_some_more() -> None:
    assert filled(due("a", "one", 100)) == {"one": OF_ENDPOINT}
    assert filled([one for number in range(20) for one in due("a", f"{number}", 100)]).total() == AT_ONCE


def test_tenants_share_the_places_however_much_one_of_them_has_to_tell() -> None:
    much = [one for number in range(20) for one in due("a", f"a{number}", 100)]
    begun = filled([*much, *due("b", "b", 3), *due("c", "c", 100)])
    assert (begun["b"], begun["c"], begun.total()) == (3, OF_ENDPOINT, AT_ONCE)


def test_the_endpoints_of_a_tenant_share_its_places() -> None:
    begun = filled([*[one for number in range(20) for one in due("a", f"dead{number}", 100)], *due("a", "late", 100)])
    assert begun["late"] == AT_ONCE // 21


def test_the_next_place_is_for_the_tenant_that_has_the_fewest() -> None:
    much = [one for number in range(8) for one in due("a", f"a{number}", OF_ENDPOINT)]
    assert filled([*due("a", "new", 5), *due("b", "b", 5)], much[1:]) == {"b": 1}
    assert filled([*due("a", "new", 5), *due("b", "b", 5)], much) == {}


def test_an_endpoint_whose_last_try_failed_has_one_place_and_all_of_those_have_half() -> None:
    failing = {("a", f"{number}") for number in range(100)}
    hanging = [one for _, endpoint in sorted(failing) for one in due("a", endpoint, 5)]
    begun = filled(hanging, failing=failing)
    assert begun.total() == OF_FAILING == AT_ONCE // 2
    assert set(begun.values()) == {1}
    others = [one for number in range(8) for one in due("a", f"new{number}", 100)]
    under_way = [one for one in hanging if begun[one.row.endpoint_id] and one.row.run_id == "0"]
    assert filled([*hanging, *others], under_way, failing).total() == AT_ONCE - OF_FAILING


def test_what_is_under_way_does_not_begin_again() -> None:
    assert filled(due("a", "one", 2), due("a", "one", 1)) == {"one": 1}


def test_an_endpoint_that_fails_again_and_again_is_left_alone_for_a_while_until_it_hears_something() -> None:
    health, endpoint, rests = Health(), ("a", "one"), []
    for _ in range(9):
        health.note(endpoint, 100, failed=True)
        rests.append(next(seconds for seconds in range(100) if not health.rests(endpoint, 100 + seconds)))
    assert rests == [0, 0, 1, 2, 4, 8, 16, 30, 30]
    assert not health.rests(("a", "two"), 100)
    assert [*health.failing] == [endpoint]
    health.note(endpoint, 100, failed=False)
    assert (health.rests(endpoint, 100), [*health.failing]) == (False, [])


def test_of_endpoints_that_are_no_more_nothing_is_remembered() -> None:
    health = Health()
    for endpoint in (("a", "one"), ("a", "two")):
        health.note(endpoint, 0, failed=True)
    health.forget_others({("a", "two"), ("a", "three")})
    assert [*health.failing] == [("a", "two")]
