"""Conversations held in several worlds at once, which must all tell the same story."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.model.flow import Flow
from tests.generated.dice import Dice
from tests.generated.talking import Customer
from tests.generated.worlds import Action, Said, World, open_worlds


class Differed(Exception):
    """Something went another way in one of the worlds, or broke; the message says when and in which flow."""


class Meeting:
    """One conversation."""

    def __init__(self, worlds: Sequence[World], seed: object, intents: list[str], shown: str) -> None:
        self._worlds = worlds
        self._seed = seed
        self._dice = Dice(f"conversation {seed}")
        self._customer = Customer(self._dice, intents)
        self._shown = shown
        self._done: list[Action] = []

    async def hold(self, turns: int) -> Customer:
        """That many actions, then a look at all that was stored."""
        locale = self._dice.one((None, "en", "de", "de-AT", "fr"))
        for world in self._worlds:
            self._customer.conversation = await world.open(locale)
        for _ in range(turns):
            self._done.append(self._customer.next_action(await self._worlds[0].next_due()))
            self._customer.hear(await self._acted(self._done[-1]))
        stories = [await world.story(list(self._customer.runs)) for world in self._worlds]
        for world, story in zip(self._worlds[1:], stories[1:], strict=True):
            for one, other in zip(stories[0], story, strict=True):
                self._demand_same(world, one, other, "stored")
        return self._customer

    async def _acted(self, action: Action) -> Said:
        outcomes: list[Said] = []
        for world in self._worlds:
            try:
                outcomes.append(await world.act(action))
            except Exception as error:
                raise Differed(self._told(world, f"broke: {error!r}")) from error
            self._demand_same(world, outcomes[0], outcomes[-1], "said")
        return outcomes[0]

    def _demand_same(self, world: World, one: Any, other: Any, what: str) -> None:
        if msgspec.msgpack.encode(one) != msgspec.msgpack.encode(other):
            raise Differed(self._told(world, f"{what} otherwise than {self._worlds[0].name}:\n  {one}\n  {other}"))

    def _told(self, world: World, what: str) -> str:
        before = "\n".join(f"  {number}: {action}" for number, action in enumerate(self._done, 1))
        return f"seed {self._seed}, step {len(self._done)}: {world.name} {what}\n{before}\n{self._shown}"


async def meet(flows: Sequence[Flow], shown: str, seed: object, turns: int, database: Path) -> list[Customer]:
    """A conversation about each of the flows, in fresh worlds; raises Differed."""
    worlds = await open_worlds(database)
    try:
        for world in worlds:
            await world.publish(flows)
        names = [flow.flow for flow in flows]
        in_turn = [[name, *(other for other in names if other != name)] for name in names]
        return [await Meeting(worlds, f"{seed}/{intents[0]}", intents, shown).hold(turns) for intents in in_turn]
    finally:
        for world in worlds:
            await world.close()
