"""A cap on what is under way at once; one owner may hold at most three quarters of it.

A request to a server that hangs holds its place until it times out; other owners must not wait for that.
"""

import asyncio
from contextlib import ExitStack


class _Share:
    """One owner's places, and how many hold or want one."""

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

    async def take(self, owner: str | None) -> ExitStack:
        """Wait for a place, without an owner for whichever is free; it is held until what is given is closed."""
        with ExitStack() as held:
            if owner is not None:
                share = self._shares.setdefault(owner, _Share(self._of_one))
                share.users += 1
                held.callback(self._leave, owner, share)
                await share.places.acquire()
                held.callback(share.places.release)
            await self._in_all.acquire()
            held.callback(self._in_all.release)
            return held.pop_all()

    def _leave(self, owner: str, share: _Share) -> None:
        share.users -= 1
        if not share.users:
            del self._shares[owner]
