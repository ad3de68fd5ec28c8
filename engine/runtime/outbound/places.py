"""A cap on concurrent requests; one owner may hold at most three quarters of it.

A request to a server that hangs holds its place until it times out; other owners must not wait for that.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class _Share:
    """One owner's places, and how many of its requests hold or want one."""

    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.users = 0


class Places:
    """Taken in the order in which they are asked for, as far as each owner's share allows."""

    def __init__(self, in_all: int) -> None:
        self._in_all = asyncio.Semaphore(in_all)
        self._of_one = max(1, in_all * 3 // 4)
        self._shares: dict[str, _Share] = {}
        """Of those alone who hold or want a place."""

    @asynccontextmanager
    async def place(self, owner: str | None) -> AsyncIterator[None]:
        """Wait for a place and hold it; without an owner whichever is free."""
        if owner is None:
            async with self._in_all:
                yield
            return
        share = self._shares.setdefault(owner, _Share(self._of_one))
        share.users += 1
        try:
            async with share.places, self._in_all:
                yield
        finally:
            share.users -= 1
            if not share.users:
                del self._shares[owner]
