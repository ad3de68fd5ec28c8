"""Real servers that die in the midst of calls: no effect is lost, none is done more often than promised, and nothing is left hanging."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.runtime.faults import CALL_FAULTS, CallFault
from engine.runtime.invariants import check_invariants
from tests.proofs.crashes import Place, crash, opened_place
from tests.proofs.frozen import freeze
from tests.proofs.poison import INNOCENT, poison


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with opened_place(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("fault", CALL_FAULTS)
async def test_a_server_that_dies_in_a_call_does_no_effect_twice_and_leaves_no_run_behind(place: Place, fault: CallFault) -> None:
    figures = await crash(place, fault, 4)
    assert figures.sound, (figures.line(), figures.broken)
    assert (figures.crashes, figures.runs) == (4, 12)


async def test_a_call_that_ends_its_process_three_times_ends_its_run_and_no_other(place: Place) -> None:
    found = await poison(place)
    assert (found.deadly["status"], found.deadly["metadata"]["code"], found.deaths) == ("failed", "run.poison", 3)
    assert [(other["status"], other["blocks"][0]["payload"]["text"]) for other in found.others] == [("completed", "well")] * INNOCENT
    assert max(found.calls.values()) <= 1 + found.deaths


async def test_a_worker_that_was_stopped_past_its_lease_changes_nothing_when_it_goes_on(place: Place) -> None:
    woken = await freeze(place)
    assert (woken.told["status"], woken.told["blocks"]) == ("running", [])
    assert [block["payload"]["text"] for block in woken.finished["blocks"]] == ["the second"]
    assert woken.calls == 2
    assert check_invariants(place.database) == []
