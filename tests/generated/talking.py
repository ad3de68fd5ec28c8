"""A customer who answers as chance will have it: rightly, wrongly, not at all, late, twice, or with something else entirely."""

from typing import Any, Final

from engine.model.run import ENDED
from engine.runtime.replies import TurnReply
from tests.generated.dice import Dice
from tests.generated.vocabulary import ANSWERS, JUNK, SPOKEN
from tests.generated.worlds import Action, Answer, Cancel, Pass, Said, Trigger

_MOMENT: Final = 1_000
_LONG: Final = 40 * 86_400_000
_OPTIONED: Final = frozenset({"select", "radio", "multi_select"})


class Customer:
    """What one side of the conversation knows of the other, and what it does next."""

    def __init__(self, dice: Dice, intents: list[str]) -> None:
        self._dice = dice
        self._intents = intents
        self.conversation = ""
        self.runs: dict[str, TurnReply] = {}
        """Run id to its newest reply."""
        self._old: list[Answer] = []
        self._step = 0

    def hear(self, said: Said) -> None:
        """Take notice of what came of the last action; time passes in other conversations too."""
        for reply in said.turns:
            if reply.conversation_id == self.conversation:
                self.runs[reply.execution_id] = reply

    def next_action(self, due: int | None) -> Action:
        """What to do now; `due` milliseconds are left until the clock has something to do."""
        self._step += 1
        open_runs = [reply for reply in self.runs.values() if reply.status not in ENDED]
        if not open_runs:
            return self._trigger()
        reply = open_runs[-1] if self._dice.yes(0.85) else self._dice.one(open_runs)
        waits = reply.answerable and self._dice.yes(0.97)
        deed = self._dice.weighed(
            {"answer": 80, "time": 12, "old": 3, "cancel": 2, "trigger": 5} if waits else {"time": 80, "cancel": 4, "trigger": 8}
        )
        match deed:
            case "answer":
                return self._answer(reply)
            case "time":
                return self._pass(due)
            case "old" if self._old:
                return self._dice.one(self._old)
            case "cancel":
                return Cancel(reply.execution_id)
            case _:
                return self._trigger()

    def _trigger(self) -> Trigger:
        dice = self._dice
        context: dict[str, Any] = {"page": "/orders"} if dice.yes() else {}
        context |= {"city": dice.one(("Bonn", "x", 7))} if dice.yes(0.1) else {}
        variables: dict[str, Any] = {"plan": "free", "seen": 1} if dice.yes(0.1) else {}
        return Trigger(dice.one(self._intents) if dice.yes(0.3) else self._intents[0], dice.one(SPOKEN), context, variables)

    def _pass(self, due: int | None) -> Pass:
        dice = self._dice
        short = dice.number(0, 90) * _MOMENT
        if due is None or dice.yes(0.2):
            return Pass(short, noticed=dice.yes(0.8))
        just = dice.weighed({due: 6, due + short: 2, max(0, due - 1): 1})
        return Pass(min(just, _LONG), noticed=dice.yes(0.93))

    def _answer(self, reply: TurnReply) -> Answer:
        dice = self._dice
        key = f"key {self._step}" if dice.yes(0.1) else None
        text, values = self._words(reply.expected_input or {})
        answer = Answer(reply.execution_id, reply.wait_id or "", text, values, key)
        if key is not None or dice.yes(0.1):
            self._old.append(answer)
        return answer

    def _words(self, expected: dict[str, Any]) -> tuple[str | None, dict[str, Any] | None]:
        dice = self._dice
        deed = dice.weighed({"fits": 75, "command": 6, "junk": 6, "unknown": 2, "absent": 3})
        names = list(expected["schema"]["properties"])
        if deed == "command":
            return dice.one(("help", " AGENT! ", "what?", "red")), None
        if deed == "junk":
            junk = dice.one(JUNK)
            return (junk, None) if dice.yes() or not names else (None, {dice.one(names): dice.one((junk, None, [], {}, -1, True))})
        if deed == "unknown":
            return None, {"nobody": 1, "a/b~c": [None]}
        if deed == "absent":
            return None, {}
        return self._fitting(expected, names)

    def _fitting(self, expected: dict[str, Any], names: list[str]) -> tuple[str | None, dict[str, Any] | None]:
        if "fields" in expected:
            fields = [field for field in expected["fields"] if field["name"] in names]
            if len(fields) == 1 and self._dice.yes(0.3):
                return self._spoken(fields[0], fields[0]["type"]), None
            return None, {field["name"]: self._value(field, field["type"]) for field in fields if field["required"] or self._dice.yes(0.7)}
        kind = expected.get("input", "none")
        if self._dice.yes() and names:
            return None, {names[0]: self._value(expected, kind)}
        return self._spoken(expected, kind), None

    def _value(self, asked: dict[str, Any], kind: str) -> Any:
        options = [option["value"] for option in asked.get("options", [])]
        if kind == "multi_select" and options:
            return self._dice.shuffled(self._dice.some(options, 1, 2))
        if kind == "multi_select" or kind in _OPTIONED or options:
            return self._dice.one(options or [None])
        return self._dice.one(ANSWERS.get(kind, ANSWERS["none"]))

    def _spoken(self, asked: dict[str, Any], kind: str) -> str:
        options = asked.get("options", [])
        if not options:
            return str(self._dice.one(ANSWERS.get(kind, ("anything",))))
        places = self._dice.some(range(len(options)), 1, 2 if kind == "multi_select" else 1)
        how = self._dice.one(("value", "label", "number"))
        said = [str(place + 1 if how == "number" else options[place][how]) for place in places]
        return self._dice.one((" and ", ", ", " und ")).join(said) if len(said) > 1 else f" {said[0].upper()}. "
