"""A hundred flows that use the whole language are sound, and their conversations go the same way wherever they are stored."""

import asyncio
from functools import cache
from pathlib import Path

import pytest

from engine.loading import Source, load_flows
from engine.model.flow import Flow
from engine.runtime.invariants import check_invariants
from tests.generated.meeting import meet
from tests.generated.writing import SIZE, write_family

FAMILIES = range(20)
TURNS = 50


@cache
def loaded(seed: int) -> tuple[list[Flow], list[str]]:
    found = load_flows([Source(f"{one.name}.yaml", one.text) for one in write_family(seed)])
    errors = [str(problem) for one in found for problem in one.diagnostics if problem.severity == "error"]
    return [one.flow for one in found if one.flow is not None], errors


@pytest.mark.parametrize("seed", FAMILIES)
def test_check_finds_nothing_wrong_with_flows_that_are_right_by_construction(seed: int) -> None:
    flows, errors = loaded(seed)
    assert errors == []
    assert len(flows) == SIZE


@pytest.mark.parametrize("seed", FAMILIES)
def test_conversations_go_the_same_way_in_memory_and_in_a_database_and_break_no_invariant(seed: int, database: Path) -> None:
    flows, _ = loaded(seed)
    shown = "\n".join(one.text for one in write_family(seed))
    asyncio.run(meet(flows, shown, seed, TURNS, database))
    assert check_invariants(database) == []


def test_the_same_seed_writes_the_same_flows() -> None:
    assert [one.text for one in write_family(3)] == [one.text for one in write_family(3)]
    assert write_family(3)[0].text != write_family(4)[0].text
