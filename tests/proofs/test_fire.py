"""Real servers under fire: killed, stopped, on a full disk and with clients that hang up, nothing acknowledged is lost or doubled."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.proofs.crashes import Place, opened_place
from tests.proofs.full_disk import disk, fill, may_mount

pytestmark = pytest.mark.xdist_group("fire")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with opened_place(tmp_path) as opened:
        yield opened


@pytest.mark.skipif(not may_mount(), reason="a disk of its own needs the right to mount one")
async def test_a_full_disk_refuses_turns_and_nothing_else_until_there_is_room_again(tmp_path: Path) -> None:
    with disk(tmp_path) as folder:
        async with opened_place(folder) as place:
            found = await fill(place)
    assert found.sound, (found.line(), found.unfit, found.broken)
