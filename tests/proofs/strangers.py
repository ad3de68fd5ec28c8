"""Every route asked by strangers with what belongs to somebody else: it does not exist for them, and for its owner nothing has happened."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from tests.proofs.crashes import Place
from tests.proofs.line import Line
from tests.proofs.routes import Headers, Owner, Route, owner, routes, undescribed
from tests.proofs.talkers import CHAT, OK

_ID: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOT_FOUND: Final = 404


@dataclass
class Visited:
    """What strangers have found."""

    asked: int = 0
    found: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised."""
        return not self.found

    def line(self) -> str:
        """The figures for people."""
        return f"strangers who ask for what is not theirs: {self.asked} requests, {len(self.found)} without a 404, or felt by the owner"


async def visit(place: Place) -> Visited:
    """Ask with another customer's session, another tenant's session, and another tenant's key."""
    visited = Visited()
    async with Line((await place.bear()).port) as line:
        who = await owner(place, line)
        known = await routes(line, who)
        visited.found += [f"unknown: {one}" for one in await undescribed(line, known)]
        others = [await _session(line, key) for key in (place.public_key, place.stranger.public_key)]
        for route in known:
            names = set(_ID.findall(f"{route.target} {msgspec.json.encode(route.body).decode()}"))
            for stranger in _strangers(place, who, route, others):
                visited.asked += 1
                answer = await route.ask(line, stranger)
                if (answer.status != _NOT_FOUND) if names else (who.conversation.encode() in answer.body):
                    visited.found.append(f"{route.method} {route.target}: {answer}")
        for route in known:
            answer = await route.ask(line)
            visited.found += [] if answer.status == OK else [f"no more for its owner: {route} {answer}"]
    await place.nursery.kill()
    return visited


def _strangers(place: Place, who: Owner, route: Route, others: list[Headers]) -> Iterator[Headers]:
    """Credentials of the same kind; what needs none is its own credential."""
    if route.headers == who.session:
        yield from others
    elif route.headers == who.api:
        yield {"Authorization": f"Bearer {place.stranger.api_key}"}


async def _session(line: Line, public_key: str) -> Headers:
    opened = (await line.ask("POST", f"{CHAT}/sessions", {"publicKey": public_key})).json()
    return {"Authorization": f"Bearer {opened['sessionToken']}"}
