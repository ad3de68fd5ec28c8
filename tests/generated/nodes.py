"""Nodes of every type; where each leads is for the flow that it stands in to say."""

from collections.abc import Callable
from typing import Any, Final

from tests.generated.dice import Dice
from tests.generated.questions import INPUTS, Inquirer, Written
from tests.generated.vocabulary import ASSIGNED, CONDITIONS, ITEMS, LENGTHS, MADE_FROM, MOMENTS, REMINDERS, SHOWN, TIMEOUTS, WORDS

Elsewhere = Callable[[], str]
"""Gives a node that a branch may lead to."""

ASKING: Final = ("ask", "choice", "form")


class Scribe:
    """Writes one node after the other; `following` is the node behind it, by which the whole flow can be walked."""

    def __init__(self, dice: Dice, inquirer: Inquirer, back: Elsewhere, forth: Elsewhere) -> None:
        self.dice = dice
        self.inquirer = inquirer
        self._back = back
        """Any node, the ones before too: for ways out of a wait."""
        self._forth = forth

    def node(self, kind: str, name: str, following: str) -> Written:
        """A node of the kind, with some of the keys that it may have."""
        written: Written = getattr(self, f"_{kind}")(name, following)
        return self.marked({"type": kind, **written})

    def marked(self, written: Written) -> Written:
        """The node with some of the keys that any node may have."""
        if self.dice.yes(0.2):
            written["progress"] = self.dice.number(0, 100)
        for key in ("irreversible", "repeatable"):
            if self.dice.yes(0.1):
                written[key] = self.dice.yes()
        return written

    def _message(self, _: str, following: str) -> Written:
        style = {"format": self.dice.one(("plain", "markdown"))} if self.dice.yes(0.4) else {}
        return {"text": self.inquirer.text(shows=0.8), **style, "next": following}

    def _block(self, _: str, following: str) -> Written:
        cards = {
            "each": self.dice.one(MADE_FROM),
            "as": "card",
            "do": {"title": "{{ index + 1 }}. {{ card.what }}", "price": "{{ card.price }}"},
        }
        nested = {"each": "['a', 'b']", "do": {"each": "[item, index]", "as": "inner", "do": "{{ inner }}"}}
        payload: Written = {"title": "{{ vars.name }}", "order": {"count": "{{ vars.count }}", "tags": ["a", "{{ vars.flag }}"]}}
        payload |= self.dice.one(({"cards": cards}, {"rows": nested}, {"each": "kept"}, {"all": ["{{ vars }}", "{{ nodes }}"]}, {}))
        kind = self.dice.one(("card", "carousel", "image", "link", "product", "seat_map"))
        return {"block": kind, "payload": payload, "fallback": self.inquirer.text(), "next": following}

    def _ask(self, name: str, following: str) -> Written:
        kind = self.dice.one(INPUTS)
        question = self.inquirer.question(kind)
        written: Written = {"prompt": self.inquirer.text(), "input": kind, **question, "next": following}
        if self.dice.yes(0.25):
            written["required"] = False
        if self.dice.yes(0.4):
            written["save"] = self.dice.weighed({f"said_{name}": 8, "name": 1, "count": 1})
        if self.dice.yes(0.25):
            written["check"] = [{"that": self.dice.one(("value != 'red'", "value and value != 3")), "text": self.inquirer.text()}]
        if self.dice.yes(0.15):
            written["use_trigger_text"] = True
        if self.dice.yes(0.6) and (routes := self._routes(kind, question)):
            written["routes"] = routes
        return written | self._asked()

    def _routes(self, kind: str, question: Written) -> dict[str, str]:
        options = question.get("options")
        if isinstance(options, list) and kind != "multi_select":
            values = [str(option["value"]) for option in options]
        elif kind in {"boolean", "checkbox"}:
            values = ["true", "false"]
        elif kind == "text" and options is None:
            values = ["A-1", "hello there"]
        else:
            return {}
        return {value: self._back() for value in self.dice.some(values, 1, 2)}

    def _choice(self, name: str, following: str) -> Written:
        if self.dice.yes(0.3):
            written: Written = {"options": self.inquirer.made_options(), "next": following}
        else:
            options = self.inquirer.options()
            targets = [following, *(self._back() for _ in options[1:])]
            written = {"options": [{**option, "next": target} for option, target in zip(options, targets, strict=True)]}
        if self.dice.yes(0.3):
            written["save"] = f"picked_{name}"
        return {"prompt": self.inquirer.text(), **written, **self._asked()}

    def _form(self, name: str, following: str) -> Written:
        written: Written = {"title": self.inquirer.text()}
        if self.dice.yes(0.35):
            kind = self.dice.one(INPUTS)
            made = {"name": f"{name}_{{{{ index }}}}", "type": kind, "label": "{{ thing.what }}", **self.inquirer.question(kind)}
            made |= {"required": True} if self.dice.yes() else {"help": self.inquirer.text()}
            written |= {"fields": {"each": self.dice.one(MADE_FROM), "as": "thing", "do": made}, "save": f"all_{name}"}
        else:
            written["fields"] = fields = self._fields(name)
            asked = [field["name"] for field in fields if "name" in field]
            if self.dice.yes(0.3):
                written["save"] = f"all_{name}"
            if self.dice.yes(0.4):
                about = self.dice.one(asked)
                written["check"] = [
                    {"that": f"values.{about} != 'red'", "text": self.inquirer.text(), "field": about},
                    {"that": self.dice.one((f"values.{about} is defined", "values | length > 0")), "text": self.inquirer.text()},
                ]
        if self.dice.yes():
            written["submit_label"] = self.inquirer.text(shows=0)
        return {**written, **self._asked(), "next": following}

    def _fields(self, name: str) -> list[Written]:
        fields: list[Written] = []
        for number in range(self.dice.number(1, 5)):
            kind = self.dice.one(INPUTS)
            field = {"name": f"{name}_{number}", "type": kind, **self.inquirer.question(kind)}
            field |= {"required": self.dice.yes()} if self.dice.yes(0.6) else {}
            field |= {"label": self.inquirer.text(shows=0.2)} if self.dice.yes(0.7) else {}
            field |= {"help": self.inquirer.text()} if self.dice.yes(0.2) else {}
            fields.append(field)
        if self.dice.yes(0.3):
            fields.insert(0, {"type": self.dice.one(("heading", "paragraph", "divider")), "label": self.inquirer.text()})
        return fields

    def _asked(self) -> Written:
        written = self._wait_keys()
        if self.dice.yes(0.7):
            written |= {"attempts": self.dice.number(1, 4), "on_exhausted": self._back()}
            if self.dice.yes(0.8):
                written["retry"] = self.inquirer.text()
        return written

    def _wait_keys(self) -> Written:
        written: Written = {}
        if self.dice.yes(0.3):
            written["remind"] = [{"after": after, "text": self.inquirer.text()} for after in self.dice.some(REMINDERS, 1, 3)]
        if self.dice.yes(0.5):
            written["timeout"] = {"after": self.dice.one(TIMEOUTS), "next": self._back()}
        return written

    def _switch(self, _: str, following: str) -> Written:
        cases = [{"when": condition, "next": self._forth()} for condition in self.dice.some(CONDITIONS, 1, 3)]
        return {"cases": cases, "else": following}

    def _set(self, _: str, following: str) -> Written:
        names = self.dice.some(list(ASSIGNED)[:-1], 1, 4) + (["riskier"] if self.dice.yes(0.05) else [])
        return {"values": {name: self.dice.one(ASSIGNED[name]) for name in names}, "next": following}

    def _split(self, _: str, following: str) -> Written:
        others = [{"weight": self.dice.one((0, 1, 2.5, 40)), "next": self._forth()} for _ in range(self.dice.number(1, 3))]
        return {"branches": self.dice.shuffled([{"weight": self.dice.one((1, 3, 7.5)), "next": following}, *others])}

    def _wait(self, _: str, following: str) -> Written:
        shape = self.dice.one(("for", "until", "any"))
        written: Written = {"next": following}
        if shape == "any":
            causes: list[Written] = [{"name": "soon", "for": self.dice.one(LENGTHS)}, {"name": "later", "until": self.dice.one(MOMENTS)}]
            causes += [{"for": self.dice.one(LENGTHS)}] if self.dice.yes(0.3) else []
            written["any"] = self.dice.shuffled(causes)
            if self.dice.yes(0.6):
                written["routes"] = {name: self._back() for name in self.dice.some(("soon", "later"))}
        else:
            written[shape] = self.dice.one(LENGTHS if shape == "for" else MOMENTS)
        if self.dice.yes():
            written["save"] = "came"
        return written | self._wait_keys()

    def end(self) -> Written:
        """An end with a result, or one that fails."""
        if self.dice.yes(0.25):
            return self.marked({"type": "end", "status": "failed", "code": self.dice.one(("order.gone", "nobody.there"))})
        result: dict[str, Any] = {
            "told": self.dice.one(SHOWN),
            "list": ["{{ vars.count }}", {"word": self.dice.one(WORDS)}],
            "rest": list(ITEMS[:1]),
        }
        return self.marked({"type": "end", "result": {name: result[name] for name in self.dice.some(list(result))}})


KINDS: Final = {"message": 5, "block": 3, "ask": 9, "choice": 4, "form": 4, "switch": 3, "set": 5, "split": 2, "wait": 3}
"""Type to how often it stands in a flow; calls, jumps and ends are for the flow to place."""
