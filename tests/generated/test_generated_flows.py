"""A hundred flows that use the whole language are sound, and their conversations go the same way wherever they are stored."""

import asyncio
from functools import cache
from pathlib import Path

import msgspec
import pytest

from engine.loading import Source, load_flows
from engine.model.flow import Flow
from engine.model.nodes import Ask, Common
from engine.runtime.invariants import check_invariants
from tests.generated.meeting import Differed, Meeting, meet
from tests.generated.places import places, words
from tests.generated.worlds import open_worlds
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


REACHING = {"Http", "Task", "EmitEvent", "Subscription"}
"""What reaches outside of a run: these conversations are with customers alone."""
HEARING = {("Flow", "on_event"), *((owner, key) for owner in ("Wait", "Cause") for key in ("event", "match"))}


def test_the_flows_use_every_key_of_the_language_that_stays_inside() -> None:
    used = {(place.owner, place.key) for seed in FAMILIES for one in write_family(seed) for place in places(one.document)}
    anywhere = {key for _, key in used}
    common = set(Common.__struct_encode_fields__)  # those that every node may have, on some of them
    assert common <= anywhere
    assert {word for word in words() - used - HEARING if word[0] not in REACHING and word[1] not in common} == set()


def test_a_difference_is_told_with_its_seed_its_step_and_the_flows(database: Path) -> None:
    flows, _ = loaded(0)
    shown = "\n".join(one.text for one in write_family(0))
    with pytest.raises(Differed) as told:
        asyncio.run(differ(flows, shown, database))
    assert "seed 0, step 1: living said otherwise than memory" in str(told.value)
    assert "1: Trigger(" in str(told.value)
    assert shown in str(told.value)


async def differ(flows: list[Flow], shown: str, database: Path) -> None:
    """One of the worlds has published something else."""
    worlds = await open_worlds(database)
    try:
        await worlds[0].publish(flows)
        await worlds[1].publish(
            [msgspec.structs.replace(flow, start=None, outputs={}, nodes={"asks": Ask(prompt="?", next="end")}) for flow in flows]
        )
        await Meeting(worlds[:2], 0, [flows[0].flow], shown).hold(1)
    finally:
        for world in worlds:
            await world.close()


def test_the_same_seed_writes_the_same_flows() -> None:
    assert [one.text for one in write_family(3)] == [one.text for one in write_family(3)]
    assert write_family(3)[0].text != write_family(4)[0].text
