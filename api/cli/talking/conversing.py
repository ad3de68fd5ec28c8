"""The conversation itself: shows what is said, sends what is answered, and lets deadlines act while the person thinks."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, TypeVar

from api.cli.talking.lines import Lines
from api.cli.talking.partner import Answer, AnswerWrong, MovedOn, Partner, Said, ShownBlock, Wrong
from api.cli.talking.questions import Draft, Given, ask
from api.cli.talking.record import Record
from api.cli.talking.screen import draw, draw_note, draw_wrong, span_text
from engine.model.values import Json
from engine.runtime.clock import SystemClock

_CLOCK: Final = SystemClock()
_SOON: Final = 1.0
"""Seconds after which one wants to know why nothing is said."""
_AT_WORK: Final = "..."
ResultT = TypeVar("ResultT")


class Conversation:
    """One run from its trigger to its end, or until the person has gone."""

    def __init__(self, partner: Partner, lines: Lines, record: Record) -> None:
        self._partner = partner
        self._lines = lines
        self._record = record
        self._shown: set[str] = set()
        self._kept: Mapping[str, Json] = {}
        """What a form was answered with that is asked once more."""

    async def hold(self, intent: str, text: str | None, context: Mapping[str, Json] | None = None) -> None:
        """Talk until there is nothing more to say."""
        first, now = await _at_work(self._partner.trigger(intent, text, dict(context or {})))
        said: Said | None = now
        self._record.triggered(first, now)
        if self._lines.interactive:
            draw_note("Ctrl-D ends it")
        while said is not None:
            self._show(said)
            if said.ended:
                draw_note(said.ending)
                return
            self._lines.count_down(said.deadline)
            said = await (self._wait_for_time(said) if said.expected is None else self._answer(said))

    async def _wait_for_time(self, said: Said) -> Said | None:
        """What is true once time, a call, or somebody else has had the next move; None where the person has gone."""
        working = said.status == "running"
        left = "" if said.deadline is None else f" {span_text(said.deadline - _CLOCK.wall())}"
        draw_note(_AT_WORK if working else f"it waits{left}")
        gone = asyncio.create_task(self._lines.gone())
        try:
            _, following = await self._first(gone, said)
        finally:
            await _ended(gone)
        if following is not None and not working:
            self._record.waited(_CLOCK.wall())
        return following

    async def _answer(self, said: Said) -> Said | None:
        """What is true after the next answer, or the deadline; None where the person has gone."""
        draft, self._kept = Draft(self._kept), {}
        while True:
            said, following, given = await self._asked(said, draft)
            if following is not None:
                return self._too_late(said, following)
            answer = given.answer
            if answer is None:
                return None
            self._record.thought(_CLOCK.wall())
            try:
                following = await _at_work(self._partner.answer(said, answer))
            except AnswerWrong as refusal:
                draft = self._refused(said, answer, given, refusal.wrongs)
                continue
            except MovedOn as late:
                return self._too_late(said, late.said)
            self._record.answered(answer)
            self._kept = given.values if _asked_again(said, following) else {}
            return following

    async def _asked(self, said: Said, draft: Draft) -> tuple[Said, Said | None, Given]:
        """The wait as it is then, and what was given; or, where the wait was over before, what is true then."""
        asking = asyncio.create_task(ask(self._lines, said.expected or {}, draft, said.locale))
        try:
            said, following = await self._first(asking, said)
        finally:
            await _ended(asking)
        return said, following, asking.result() if following is None else Given(None)

    def _refused(self, said: Said, answer: Answer, given: Given, wrongs: Sequence[Wrong]) -> Draft:
        """Say why; of a form only what was wrong is asked again, with what was typed before."""
        draw_wrong(_by_label(wrongs, (said.expected or {}).get("fields", [])))
        self._record.refused(answer, wrongs)
        return Draft(given.values, frozenset(wrong.name for wrong in wrongs if wrong.name))

    async def _first(self, task: asyncio.Task[Any], said: Said) -> tuple[Said, Said | None]:
        """The wait as it is when the task is done, or where it was over before, what is true then. Reminders are shown meanwhile."""
        while True:
            watching = asyncio.create_task(self._partner.changed(said))
            try:
                await asyncio.wait({task, watching}, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    return said, None
                following = watching.result()
            finally:
                await _ended(watching)
            if not _goes_on(said, following):
                return said, following
            said = following
            self._record.reminded(_CLOCK.wall())
            with self._lines.aside():
                self._show(said)

    def _too_late(self, said: Said, following: Said) -> Said:
        if said.deadline is not None:
            draw_note("the time is up")
        self._record.waited(_CLOCK.wall())
        return following

    def _show(self, said: Said) -> None:
        fresh: list[ShownBlock] = [block for block in said.blocks if block.id not in self._shown]
        self._shown.update(block.id for block in fresh)
        for block in fresh:
            draw(block)
        self._record.heard(said, fresh, _CLOCK.wall())


async def _at_work(asked: Coroutine[Any, Any, ResultT]) -> ResultT:
    """What came of it; where that takes its time, it is shown that somebody works on it."""
    task = asyncio.create_task(asked)
    try:
        done, _ = await asyncio.wait({task}, timeout=_SOON)
        if not done:
            draw_note(_AT_WORK)
        return await task
    finally:
        await _ended(task)


async def _ended(task: asyncio.Task[Any]) -> None:
    """The task is not to go on."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _goes_on(said: Said, following: Said) -> bool:
    """Whether it is the same wait, and something was only said."""
    if following.ended or (following.status, following.deadline) != (said.status, said.deadline):
        return False
    return following.token == said.token and following.expected == said.expected


def _asked_again(said: Said, following: Said) -> bool:
    """Whether the same form is asked once more, after an answer that cost an attempt or after a command: its deadline is the first one."""
    before, after = said.expected or {}, following.expected or {}
    return said.deadline == following.deadline and all(before.get(key) == after.get(key) for key in ("kind", "fields"))


def _by_label(wrongs: Sequence[Wrong], fields: Sequence[dict[str, Any]]) -> list[Wrong]:
    """What is wrong, named as the person was asked for it."""
    labels = {field.get("name"): field["label"] for field in fields}
    return [Wrong(labels.get(wrong.name, wrong.name), wrong.message) for wrong in wrongs]
