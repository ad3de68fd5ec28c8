import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The stores run on asyncio alone."""
    return "asyncio"
