"""A conversation written down as a test: what was said and answered, and the time that went by."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from api.cli.console import moment
from api.cli.talking.partner import Answer, Said, ShownBlock, Wrong
from engine.model.values import Json, Millis

_UNSAFE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
_ANYTHING: Final = "any"
"""A text that means something else in a test."""


class Record:
    """Steps of one conversation test, in order.

    The clock of a test moves in whole seconds. Within a wait it counts from the moment when the wait began, so that every reminder and
    deadline comes when it came, however much of a second was lost before.
    """

    def __init__(self, began: Millis, locale: str | None = None, context: dict[str, Json] | None = None) -> None:
        self._began = began // 1000 * 1000
        self._given: dict[str, Json] = {"now": moment(self._began)}
        self._given |= {} if locale is None else {"locale": locale}
        self._given |= {"context": context} if context else {}
        self._flow: str | None = None
        self._text = ""
        self._steps: list[str] = []
        self._status = ""
        self._passed = 0
        """Seconds that the test's clock has gone."""
        self._deadline: Millis | None = None
        self._opened: Millis = began
        self._opened_at = 0
        """What had passed when the wait began."""

    @property
    def begun(self) -> bool:
        """Whether there is anything to write."""
        return self._flow is not None

    def triggered(self, text: str, said: Said) -> None:
        """The person began; a run's id is what chance is drawn by."""
        self._text = text
        self._flow = said.flow
        self._given["seed"] = said.run_id
        self._step("trigger", text)

    def heard(self, said: Said, fresh: Sequence[ShownBlock], now: Millis) -> None:
        """The flow said these blocks, and may wait from now on."""
        self._status = said.status
        for block in fresh:
            self._step("bot", _expected(block))
        if said.deadline != self._deadline:  # what asks again leaves the deadline as it is: the wait began before
            self._deadline, self._opened, self._opened_at = said.deadline, now, self._passed

    def thought(self, now: Millis) -> None:
        """The person took their time before what comes next."""
        self._advance(self._opened_at + self._within((now - self._opened) // 1000))

    def answered(self, answer: Answer) -> None:
        """The person answered, and it was taken."""
        self._step("user", answer)

    def refused(self, answer: Answer, wrongs: Sequence[Wrong]) -> None:
        """The person answered, and it was not taken."""
        named = next((wrong.name for wrong in wrongs if wrong.name), None)
        self._step("rejected", {"user": answer, **({"field": named} if named else {})})

    def reminded(self, now: Millis) -> None:
        """Something was said, and the wait goes on; reminders come after whole seconds."""
        self._advance(self._opened_at + self._within(max(1, round((now - self._opened) / 1000))))

    def waited(self, now: Millis) -> None:
        """The deadline passed."""
        if self._deadline is None:
            self.reminded(now)
        elif self._deadline % 1000 == 0:  # a moment that the author has named, rather than so much time after the wait began
            self._advance((self._deadline - self._began) // 1000)
        else:
            self._advance(self._opened_at + self._span(self._deadline))

    def write(self, path: Path) -> None:
        """The test file; `baton test` runs it beside the flow."""
        lines = [
            f"flow: {self._flow}",
            "tests:",
            f"  - name: {_written(f'recorded: {self._text}')}",
            f"    given: {_written(self._given)}",
            "    steps:",
            *(f"      - {step}" for step in self._steps),
            f"      - status: {self._status}",
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _within(self, seconds: int) -> int:
        """So many seconds of the wait, but not up to its deadline."""
        return seconds if self._deadline is None else min(seconds, self._span(self._deadline) - 1)

    def _span(self, deadline: Millis) -> int:
        """Seconds from the wait's beginning to its deadline: we heard of it a little later than it began."""
        return max(1, -((self._opened - deadline) // 1000))

    def _advance(self, passed: int) -> None:
        if passed > self._passed:
            self._step("advance", f"{passed - self._passed}s")
            self._passed = passed

    def _step(self, key: str, value: Any) -> None:
        self._steps.append(f"{key}: {_written(value)}")


def _expected(block: ShownBlock) -> Any:
    match block.type:
        case "message" if block.payload.get("text") != _ANYTHING:
            return block.payload.get("text", "")
        case "form" if block.payload.get("title") != _ANYTHING:
            return block.payload.get("title", "")
        case kind:
            return {"block": kind, "payload": block.payload}


def _written(value: Any) -> str:
    """JSON, which YAML 1.2 reads as it is, on one line and without characters that YAML takes for line ends."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
