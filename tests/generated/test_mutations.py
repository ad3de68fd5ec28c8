"""One slip in a flow that was right: check finds it, or the flow is right still; and nothing that passes breaks anything."""

from collections import defaultdict
from functools import cache

import pytest

from tests.generated.judging import Group, Try, groups, judge, tries

FAMILIES = 3
MOST = 12

# Of the slips that are wrong for certain every one must be found. This is the least share of all slips of a kind, those among them after
# which the flow may be right; it leaves room for what chance picks.
FLOORS = {
    "any twice": 0.3,
    "bad duration": 1.0,
    "bad id": 1.0,
    "bad language": 1.0,
    "bad moment": 1.0,
    "bad pattern": 1.0,
    "bad time zone": 1.0,
    "braces left open": 1.0,
    "bracket lost": 1.0,
    "called flow misspelt": 1.0,
    "case twice": 1.0,
    "check twice": 0.0,
    "checked field misspelt": 1.0,
    "colon lost": 1.0,
    "command twice": 1.0,
    "declared input renamed": 0.0,
    "field twice": 0.3,
    "input misspelt": 1.0,
    "input type misspelt": 1.0,
    "input type swapped": 0.25,
    "key misspelt": 1.0,
    "key twice": 1.0,
    "keys that exclude each other": 1.0,
    "language left out": 1.0,
    "locale twice": 1.0,
    "node dropped": 0.4,
    "node renamed": 0.4,
    "node twice": 1.0,
    "node type misspelt": 1.0,
    "node type swapped": 0.8,
    "option twice": 1.0,
    "optional key dropped": 0.0,
    "out of bounds": 1.0,
    "required key dropped": 1.0,
    "route misspelt": 0.3,
    "statement": 1.0,
    "syntax": 1.0,
    "target another node": 0.0,
    "target misspelt": 1.0,
    "unknown filter": 1.0,
    "unknown key added": 1.0,
    "unknown node read": 1.0,
    "unknown root": 1.0,
    "unknown variable": 1.0,
    "variable renamed": 0.25,
    "wrong type": 1.0,
}


@cache
def known_groups() -> list[Group]:
    return groups(FAMILIES)


@cache
def tries_by_kind() -> dict[str, list[Try]]:
    found: defaultdict[str, list[Try]] = defaultdict(list)
    for one in tries(known_groups(), MOST):
        found[one.slip.kind].append(one)
    return found


def test_the_flows_that_slips_are_made_in_are_right_and_every_kind_of_slip_has_its_floor() -> None:
    for group in known_groups():
        assert list(group.flows) == list(group.documents)
    assert sorted(tries_by_kind()) == sorted(FLOORS)


@pytest.mark.parametrize("kind", FLOORS)
def test_a_slip_is_found_or_leaves_a_flow_that_runs(kind: str) -> None:
    judged = [judge(known_groups()[one.group], one) for one in tries_by_kind()[kind]]
    assert [f"{one}\n{one.text}" for one in judged if one.verdict in ("broke", "missed")] == []
    found = [one for one in judged if one.verdict in ("error", "warning")]
    assert len(found) >= FLOORS[kind] * len(judged)
