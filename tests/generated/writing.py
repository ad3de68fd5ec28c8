"""Families of flows that call one another, valid by construction: every flow uses a good part of the whole language.

A flow is a spine of nodes, each of which leads to the following one, with branches that lead anywhere; so every node can be
reached, and every cycle has a way out. Flows call and jump to those that stand behind them in the family; back to an earlier
one, or to themselves, only where that one begins with a question.
"""

import json
from typing import Any, Final

from msgspec import Struct

from tests.generated.dice import Dice
from tests.generated.nodes import ASKING, KINDS, Scribe
from tests.generated.questions import Inquirer, Written
from tests.generated.vocabulary import INPUTS, ITEMS, PEOPLE, ZONES

SIZE: Final = 5
"""Flows in a family."""


class Plan(Struct, frozen=True):
    """What the other flows of the family know of one before it is written."""

    name: str
    inputs: tuple[str, ...]
    asks_first: bool


class GeneratedFlow(Struct, frozen=True):
    """One flow: as a value, and as the text of its file."""

    name: str
    document: Written

    @property
    def text(self) -> str:
        """The file."""
        return spelt(self.document)


def write_family(seed: int) -> list[GeneratedFlow]:
    """The family of that number: the same one each time."""
    dice = Dice(f"family {seed}")
    plans = [Plan(f"flow_{seed}_{number}", tuple(dice.some(list(INPUTS), 0)), number == 0 or dice.yes(0.5)) for number in range(SIZE)]
    return [GeneratedFlow(plan.name, _Author(dice, plan, plans).document()) for plan in plans]


def spelt(document: Written) -> str:
    """The flow as a file: one line for each node and each other key. JSON is YAML."""
    lines: list[str] = []
    for key, value in document.items():
        if key == "nodes" and isinstance(value, dict):
            lines.append("nodes:" if value else "nodes: {}")
            lines += [f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(node, ensure_ascii=False)}" for name, node in value.items()]
        else:
            lines.append(f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


class _Author:
    """Writes one flow."""

    def __init__(self, dice: Dice, plan: Plan, plans: list[Plan]) -> None:
        self._dice = dice
        self._plan = plan
        place = plans.index(plan)
        self._callable = [one for one in plans if plans.index(one) > place or one.asks_first]
        self._languages = dice.weighed({"none": 6, "both": 3})
        self._inquirer = Inquirer(dice, translated=self._languages == "both")
        self._spine = self._spine_kinds()
        self._ids = [f"{kind}_{number}" for number, kind in enumerate(self._spine)]
        self._exits: dict[str, Written] = {}
        self._pending: list[str] = []
        self._at = 0

    def document(self) -> Written:
        """The whole file as a value."""
        scribe = Scribe(self._dice, self._inquirer, self._anywhere, self._ahead)
        self._make_exits(scribe)
        nodes: dict[str, Written] = {}
        for at, (name, kind) in enumerate(zip(self._ids, self._spine, strict=True)):
            self._at = at
            following = self._ids[self._at + 1] if self._at + 1 < len(self._ids) else "end"
            nodes[name] = scribe.marked(self._call(following)) if kind == "call" else scribe.node(kind, name, following)
        commands = self._commands()
        nodes |= {name: node for name, node in self._exits.items() if name not in self._pending}
        head = self._head()
        if commands:
            head["commands"] = commands
        if self._dice.yes(0.3):
            head["start"] = self._ids[0]
            nodes = {name: nodes[name] for name in self._dice.shuffled(list(nodes))}
        return {**head, "nodes": nodes}

    def _spine_kinds(self) -> list[str]:
        dice = self._dice
        shares = {**KINDS, "call": 4} if self._callable else KINDS
        kinds = [dice.weighed(shares) for _ in range(dice.number(6, 14))]
        first = dice.one(ASKING) if self._plan.asks_first else kinds[0]
        return [first, *kinds[1:], dice.one(ASKING)]

    def _make_exits(self, scribe: Scribe) -> None:
        for number in range(self._dice.number(1, 4)):
            if self._callable and self._dice.yes(0.3):
                self._exits[f"jump_{number}"] = scribe.marked({"type": "jump", **self._other()})
            else:
                self._exits[f"end_{number}"] = scribe.end()
        self._pending = list(self._exits)

    def _anywhere(self) -> str:
        if self._pending:
            return self._pending.pop()
        return self._dice.one([*self._ids, *self._exits, "end"])

    def _ahead(self) -> str:
        if self._pending:
            return self._pending.pop()
        ahead = self._ids[self._at + 1 :]
        return self._dice.one([*ahead, *self._exits, "end"] if self._dice.yes(0.95) else self._ids)

    def _other(self) -> Written:
        callee = self._dice.one(self._callable)
        passed = {name: self._dice.one(INPUTS[name][1]) for name in self._dice.some(callee.inputs, 0)}
        return {"flow": callee.name, **({"inputs": passed} if passed else {})}

    def _call(self, following: str) -> Written:
        written: Written = {"type": "call", **self._other(), "next": following}
        if self._dice.yes(0.6):
            written["save"] = "came"
        for branch in ("on_expired", "on_failed"):
            if self._dice.yes(0.6):
                written[branch] = self._ahead()
        return written

    def _commands(self) -> list[Written]:
        found: list[Written] = []
        if self._dice.yes(0.5):
            found.append({"say": ["help", "What?"], "reply": self._inquirer.text()})
        if self._dice.yes(0.4) or self._pending:
            found.append({"say": ["agent", "red"], "next": self._anywhere()})
        return found

    def _head(self) -> Written:
        dice = self._dice
        head: Written = {"flow": self._plan.name, "title": self._inquirer.translated("A flow", "Ein Ablauf")}
        if dice.yes(0.2):
            head["description"] = self._inquirer.translated("Asks and tells.", "Fragt und sagt.")
        if self._languages == "both":
            head |= {"locale": dice.one(("en", "de", "de-AT")), "locales": ["en", "de"]}
        if dice.yes(0.6):
            head["timezone"] = dice.one(ZONES)
        if dice.yes(0.8):
            head["intent"] = self._intent() if dice.yes() else {}
        if dice.yes(0.5):
            head["on_trigger"] = dice.one(("parallel", "replace", "reject"))
        if dice.yes(0.7):
            head["expires_after"] = dice.one(("1m", "2h", "1d", "30d"))
        # Every template may read every input, so all are declared; callers pass those of the plan.
        head["inputs"] = {name: schema for name, (schema, _) in INPUTS.items()}
        head["variables"] = self._variables()
        head["outputs"] = {"who": "{{ vars.name }}", "counted": "{{ vars.count }}"} if dice.yes(0.7) else {}
        return head

    def _intent(self) -> Written:
        said = self._inquirer.translated("Go", "Los")
        full: Written = {"name": f"go_{self._plan.name}", "label": said, "subtitle": said, "description": said, "examples": ["go"]}
        full |= {"icon": {"kind": "emoji", "value": "📦"}, "accent_color": "#2563eb", "style_variant": "solid"}
        full |= {"pinned": True, "priority": 10, "required_entities": ["order"]}
        return {key: full[key] for key in self._dice.some(list(full))}

    def _variables(self) -> dict[str, Any]:
        dice = self._dice
        return {
            "name": dice.one(PEOPLE),
            "count": dice.number(0, 4),
            "flag": dice.yes(),
            "price": dice.one((12.5, 0, 349)),
            "items": dice.some(ITEMS, 0) if dice.yes(0.1) else dice.some(ITEMS),
            "day": "2026-03-01",
            "words": {"shipped": "On its way"},
            "came": None,
        }
