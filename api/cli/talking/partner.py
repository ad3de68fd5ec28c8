"""Who one talks to, as a port: a flow in this process, or a server."""

from typing import Any, Final, Protocol

from msgspec import Struct

from engine.model.run import ENDED
from engine.model.values import Json, Millis

ENGLISH: Final = "en"

Answer = str | dict[str, Json]
"""Free text, or the values of a form."""


class ShownBlock(Struct, frozen=True):
    """One part of what was said; its id is the same however often it is told."""

    id: str
    type: str
    payload: dict[str, Any]


class Said(Struct, frozen=True, kw_only=True):
    """What is true of the run now: what was said since the last input, and what may be answered."""

    run_id: str
    flow: str
    """The flow that was begun, wherever the run stands now."""
    turn_id: str
    status: str
    blocks: tuple[ShownBlock, ...]
    expected: dict[str, Any] | None
    """kind, schema, attempts_left, and options or fields; None while nothing may be answered."""
    token: str | None
    deadline: Millis | None
    end_reason: str | None
    locale: str = ENGLISH
    """The run's language, in which its answers are read; where the partner does not tell it, the one asked for, else English."""
    failure: str | None = None
    """Why it failed, as far as the partner tells it."""

    @property
    def ending(self) -> str:
        """How it ended."""
        why = self.failure or self.end_reason
        return self.status if why in (None, self.status) else f"{self.status}: {why}"

    @property
    def ended(self) -> bool:
        """Whether nothing more will be said."""
        return self.status in ENDED


class Wrong(Struct, frozen=True):
    """One thing wrong with an answer; `name` is the field's, None where it concerns the whole."""

    name: str | None
    message: str


class AnswerWrong(Exception):
    """The answer was refused, and nothing has changed."""

    def __init__(self, wrongs: list[Wrong]) -> None:
        super().__init__("; ".join(wrong.message for wrong in wrongs))
        self.wrongs = wrongs


class MovedOn(Exception):
    """The answer came too late: the run stands elsewhere by now."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.status)
        self.said = said


class Partner(Protocol):
    """One conversation with one run at a time."""

    async def trigger(self, intent: str, text: str | None, context: dict[str, Json]) -> tuple[str, Said]:
        """Start the flow of the intent that is named; gives the text that it was begun with and what is said to it. See `beginning`."""

    async def answer(self, said: Said, answer: Answer) -> Said:
        """Answer what is expected; raises AnswerWrong or MovedOn."""

    async def changed(self, said: Said) -> Said:
        """Waits until something else is true than that."""


def field_of(pointer: str) -> str | None:
    """The field that a JSON Pointer into a request's body names, or leads into."""
    _, within, place = f"/{pointer}".partition("/values/")
    return place.partition("/")[0].replace("~1", "/").replace("~0", "~") if within else None
