"""Real servers under fire: killed, stopped, on a full disk and with clients that hang up, nothing acknowledged is lost or doubled."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.runtime.faults import STORE_FAULTS, StoreFault
from tests.proofs.canaries import sing
from tests.proofs.corpus import send_corpus
from tests.proofs.crashes import Place, place_with
from tests.proofs.full_disk import disk, fill, may_mount
from tests.proofs.hangups import POINTS, hang_up
from tests.proofs.kills import kill
from tests.proofs.nursery import Nursery, nursery
from tests.proofs.stops import stop
from tests.proofs.strangers import visit


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def mother() -> AsyncIterator[Nursery]:
    async with nursery() as opened:
        yield opened


@pytest.fixture
async def place(mother: Nursery, tmp_path: Path) -> AsyncIterator[Place]:
    async with place_with(mother, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("fault", [*STORE_FAULTS, None])
async def test_a_server_that_is_killed_loses_no_turn_that_it_has_acknowledged_and_doubles_none(
    place: Place, fault: StoreFault | None
) -> None:
    figures = await kill(place, fault, deaths=3, people=20 if fault else 200)
    assert figures.sound, (figures.line(), figures.broken)
    assert figures.deaths == 3
    assert figures.unanswered > 0


async def test_a_server_that_is_told_to_stop_answers_what_it_has_accepted_and_is_gone_in_time(place: Place) -> None:
    figures = await stop(place, 1)
    assert figures.sound, (figures.line(), figures.broken)
    assert (figures.stops, figures.calls > 0) == (1, True)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells what a process holds open")
async def test_clients_that_hang_up_anywhere_tear_no_turn_and_leave_no_connection_behind(place: Place) -> None:
    figures = await hang_up(place, 200)
    assert figures.sound, (figures.line(), figures.broken)
    assert set(figures.counts) == set(POINTS)
    assert figures.taken > 0


@pytest.mark.skipif(not may_mount(), reason="a disk of its own needs the right to mount one")
async def test_a_full_disk_refuses_turns_and_nothing_else_until_there_is_room_again(mother: Nursery, tmp_path: Path) -> None:
    with disk(tmp_path) as folder:
        async with place_with(mother, folder) as place:
            found = await fill(place)
    assert found.sound, (found.line(), found.unfit, found.broken)


async def test_no_wrong_request_to_any_route_is_an_error_of_ours_or_leaves_a_trace(place: Place) -> None:
    found = await send_corpus(place)
    assert found.sound, (found.line(), found.broken)


async def test_what_belongs_to_another_customer_or_tenant_is_not_there_on_any_route(place: Place) -> None:
    visited = await visit(place)
    assert visited.sound, (visited.line(), visited.found)
    assert visited.asked > 20


async def test_nothing_that_was_said_and_no_secret_is_in_the_log_or_in_a_refusal() -> None:
    sung = await sing()
    assert sung.sound, (sung.line(), sung.found)
    assert (sung.failures > 0, sung.refusals > 500) == (True, True)
