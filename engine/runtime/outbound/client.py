"""The client that makes requests for runs: tries, redirects and their checks, each within its bounds."""

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpcore
import httpx

from engine.runtime.clock import Clock, SystemClock
from engine.runtime.outbound.addresses import Address, as_address, may_ask_for, may_reach, read_allowed
from engine.runtime.outbound.answers import read_answer, read_headers
from engine.runtime.outbound.backoff import asked_pause, pause_before, tries_again
from engine.runtime.outbound.places import Places
from engine.runtime.outbound.port import (
    LONGEST_TIMEOUT,
    MOST_REDIRECTS,
    REFUSED,
    TIMEOUT,
    Answer,
    OutboundRequest,
    Outcome,
    SendFailed,
    blocked,
)
from engine.runtime.outbound.redirects import Hop, first_hop, next_hop, written
from engine.runtime.outbound.resolving import Resolve, SystemResolver
from engine.runtime.outbound.targets import Target
from engine.runtime.outbound.wire import exchange

_AT_ONCE: Final = 64
_CHANCE: Final = random.SystemRandom().random


class OutboundClient:
    """Makes requests over connections of their own: nothing is shared between two, neither cookies nor sockets.

    `allowed` is the operator's list of addresses that are not public, and may be reached all the same (`host[:port]`);
    what else it takes is for tests: where time, chance, addresses and trust come from. Proxies, `.netrc` and certificates named
    in the environment are not looked at. Raises SettingsError for a list that cannot be read.
    """

    def __init__(
        self,
        allowed: Sequence[str] = (),
        *,
        clock: Clock | None = None,
        resolve: Resolve | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = _CHANCE,
        trust: ssl.SSLContext | None = None,
        at_once: int = _AT_ONCE,
    ) -> None:
        self._allowed = read_allowed(allowed)
        self._clock = clock or SystemClock()
        self._resolve = resolve or SystemResolver()
        self._sleep = sleep
        self._chance = chance
        self._trust = trust or httpx.create_ssl_context(trust_env=False)
        self._places = Places(at_once)

    async def send(self, request: OutboundRequest) -> Outcome:
        """Make the request, with its retries; a place among those at work is waited for within the time of each try."""
        try:
            first = first_hop(request)
            written(first)
        except SendFailed as failure:
            return _failed(failure, 0)
        retries = 0
        while True:
            outcome, passing = await self._try(first, request, retries)
            if not tries_again(request, outcome, passing=passing):
                return outcome
            retries += 1
            await self._sleep(pause_before(retries, self._chance(), asked_pause(outcome, self._clock.wall())))

    async def _try(self, first: Hop, request: OutboundRequest, retries: int) -> tuple[Outcome, bool]:
        patience = max(1, min(request.timeout, LONGEST_TIMEOUT)) / 1000
        try:
            async with asyncio.timeout(patience):
                with await self._places.take(request.owner):
                    return Outcome(answer=await self._answer(first, request, patience), retries=retries), False
        except TimeoutError:
            return Outcome(code=TIMEOUT, message="No whole answer came in time.", retries=retries), True
        except SendFailed as failure:
            return _failed(failure, retries), failure.passing

    async def _answer(self, hop: Hop, request: OutboundRequest, patience: float) -> Answer:
        if request.status_only:
            async with self._asked(hop, request.owner, patience) as response:
                return Answer(status=response.status, headers=read_headers(response))
        for _ in range(MOST_REDIRECTS + 1):
            arrived = await self._ask(hop, request.owner, patience)
            if isinstance(arrived, Answer):
                return arrived
            hop = arrived
        raise SendFailed(REFUSED, f"The answers point elsewhere more than {MOST_REDIRECTS} times.")

    async def _ask(self, hop: Hop, owner: str | None, patience: float) -> Answer | Hop:
        async with self._asked(hop, owner, patience) as response:
            headers = read_headers(response)
            return next_hop(hop, response.status, headers.get("location")) or await read_answer(response, headers)

    @asynccontextmanager
    async def _asked(self, hop: Hop, owner: str | None, patience: float) -> AsyncIterator[httpcore.Response]:
        message = written(hop)
        addresses = await self._checked_addresses(hop.target, owner)
        async with exchange(message, addresses, self._trust, patience) as response:
            yield response

    async def _checked_addresses(self, target: Target, owner: str | None) -> list[Address]:
        """Every address of the target, looked up once; one that may not be reached closes all of them."""
        if not may_ask_for(target.host):
            raise blocked("The address may not be reached.")
        literal = as_address(target.host)
        found = [literal] if literal is not None else [as_address(text) for text in await self._resolve(target.host, owner)]
        addresses = [address for address in found if address is not None]
        if len(addresses) < len(found) or not all(may_reach(address, target.host, target.port, self._allowed) for address in addresses):
            raise blocked("The address is not public, and BATON_ALLOWED_HOSTS_OUTBOUND does not open it.")
        return addresses


def _failed(failure: SendFailed, retries: int) -> Outcome:
    return Outcome(answer=failure.answer, code=failure.code, message=failure.message, retries=retries)
