"""The world that the tests of the doors live in."""

from collections.abc import AsyncIterator

import pytest

from tests.api.world import World, opened_world


@pytest.fixture
def anyio_backend() -> str:
    """The server runs on asyncio alone."""
    return "asyncio"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """The world without rate limits."""
    async with opened_world() as opened:
        yield opened
