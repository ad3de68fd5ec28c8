"""A conversation written down as a test: what was said and answered, and how long a deadline was waited for."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from api.cli.talking.partner import Answer, Said, ShownBlock, Wrong
from engine.model.values import Millis

_UNSAFE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


class Record:
    """Steps of one conversation test, in order."""

    def __init__(self, began: Millis, locale: str | None) -> None:
        self._began = began
        self._locale = locale
        self._flow: str | None = None
        self._text = ""
        self._steps: list[str] = []
        self._spans: dict[Millis, int] = {}
        self._status = ""

    def triggered(self, text: str) -> None:
        """The person began."""
        self._text = text
        self._step("trigger", text)

    def heard(self, said: Said, fresh: list[ShownBlock], now: Millis) -> None:
        """The flow said these blocks, and may wait from now on."""
        self._flow = self._flow or said.flow
        self._status = said.status
        for block in fresh:
            self._step("bot", _expected(block))
        if said.deadline is not None:
            # A wrong answer leaves the deadline as it is: how far away it was counts from when it was first told.
            self._spans.setdefault(said.deadline, max(1, -((now - said.deadline) // 1000)))

    def answered(self, answer: Answer) -> None:
        """The person answered, and it was taken."""
        self._step("user", answer)

    def refused(self, answer: Answer, wrongs: list[Wrong]) -> None:
        """The person answered, and it was not taken."""
        named = next((wrong.name for wrong in wrongs if wrong.name), None)
        self._step("rejected", {"user": answer, **({"field": named} if named else {})})

    def waited(self, deadline: Millis | None) -> None:
        """The deadline passed."""
        if deadline is not None:
            self._step("advance", f"{self._spans.get(deadline, 1)}s")

    def write(self, path: Path) -> None:
        """The test file; `baton test` runs it beside the flow."""
        given = {"now": f"{datetime.fromtimestamp(self._began // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"}
        if self._locale is not None:
            given["locale"] = self._locale
        self._step("status", self._status)
        lines = [
            f"flow: {self._flow}",
            "tests:",
            f"  - name: {_written(f'recorded: {self._text}')}",
            f"    given: {_written(given)}",
            "    steps:",
            *(f"      - {step}" for step in self._steps),
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _step(self, key: str, value: Any) -> None:
        self._steps.append(f"{key}: {_written(value)}")


def _expected(block: ShownBlock) -> Any:
    match block.type:
        case "message":
            return block.payload.get("text", "")
        case "form":
            return block.payload.get("title", "")
        case kind:
            return {"block": kind, "payload": block.payload}


def _written(value: Any) -> str:
    """JSON, which YAML 1.2 reads as it is, on one line and without characters that YAML takes for line ends."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
