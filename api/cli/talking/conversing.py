"""The conversation itself: what is said is shown, what is asked is answered, and a deadline acts while one thinks."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from api.cli.talking.lines import Lines
from api.cli.talking.partner import Answer, AnswerWrong, MovedOn, Partner, Said, ShownBlock, Wrong
from api.cli.talking.questions import Draft, ask
from api.cli.talking.record import Record
from api.cli.talking.screen import draw, draw_note, draw_wrong
from engine.model.values import Json
from engine.runtime.clock import SystemClock

_ENGLISH: Final = "en"


class Conversation:
    """One run from its trigger to its end, or until the person has gone."""

    def __init__(self, partner: Partner, lines: Lines, record: Record, locale: str | None = None) -> None:
        self._partner = partner
        self._lines = lines
        self._record = record
        self._locale = locale or _ENGLISH
        self._shown: set[str] = set()
        self._kept: dict[str, Json] = {}
        """What a form was answered with that is asked once more."""

    async def hold(self, intent: str, text: str | None) -> None:
        """Talk until there is nothing more to say."""
        first, said = await self._partner.trigger(intent, text)
        self._record.triggered(first)
        if self._lines.interactive:
            draw_note("Ctrl-D ends it")
        while True:
            self._show(said)
            if said.ended:
                draw_note(said.status if said.end_reason in (None, said.status) else f"{said.status}: {said.end_reason}")
                return
            following = await self._go_on(said)
            if following is None:
                return
            said = following

    async def _go_on(self, said: Said) -> Said | None:
        """What is true after the next answer or deadline; None where the person has gone."""
        kept, self._kept = self._kept, {}
        again: set[str] = set()
        while said.expected is not None:
            answer = await self._before_the_deadline(said, kept, again)
            if answer is None or isinstance(answer, Said):
                return answer
            try:
                following = await self._partner.answer(said, answer)
            except AnswerWrong as refusal:
                draw_wrong(_by_label(refusal.wrongs, said.expected.get("fields", [])))
                self._record.refused(answer, refusal.wrongs)
                kept = answer if isinstance(answer, dict) else {}
                again = {wrong.name for wrong in refusal.wrongs if wrong.name}
                continue
            except MovedOn as late:
                return self._too_late(said, late.said)
            self._record.answered(answer)
            if isinstance(answer, dict) and _asked_again(said.expected, following.expected):
                self._kept = answer
            return following
        return self._too_late(said, await self._partner.changed(said))

    async def _before_the_deadline(self, said: Said, kept: dict[str, Json], again: set[str]) -> Answer | Said | None:
        """The answer, None where the person has gone, or what is true where the deadline was first."""
        asking = asyncio.create_task(ask(self._lines, said.expected or {}, Draft(kept, again), self._locale))
        watching = asyncio.create_task(self._partner.changed(said))
        try:
            await asyncio.wait({asking, watching}, return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() else self._too_late(said, watching.result())
        finally:
            for task in (asking, watching):
                task.cancel()
            await asyncio.gather(asking, watching, return_exceptions=True)

    def _too_late(self, said: Said, following: Said) -> Said:
        if said.deadline is not None:
            draw_note("the time is up")
        self._record.waited(said.deadline)
        return following

    def _show(self, said: Said) -> None:
        fresh: list[ShownBlock] = [block for block in said.blocks if block.id not in self._shown]
        self._shown.update(block.id for block in fresh)
        for block in fresh:
            draw(block)
        self._record.heard(said, fresh, SystemClock().wall())


def _asked_again(before: dict[str, Any] | None, after: dict[str, Any] | None) -> bool:
    """Whether what was answered cost an attempt, and the same form is asked once more."""
    if before is None or after is None or before.get("attempts_left") is None:
        return False
    told = ("kind", "fields")
    return after.get("attempts_left") == before["attempts_left"] - 1 and all(before.get(key) == after.get(key) for key in told)


def _by_label(wrongs: Sequence[Wrong], fields: Sequence[dict[str, Any]]) -> list[Wrong]:
    """What is wrong, named as the person was asked for it."""
    labels = {field.get("name"): field["label"] for field in fields}
    return [Wrong(labels.get(wrong.name, wrong.name), wrong.message) for wrong in wrongs]
