"""Asks the person for what a wait expects: one line for a question, one a field for a form."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from api.cli.talking.fields import DISPLAYED, form_of, typed_text, typed_value
from api.cli.talking.judging import objections
from api.cli.talking.lines import Lines
from api.cli.talking.partner import Answer, Wrong
from api.cli.talking.screen import draw_answer, draw_note, draw_options, draw_prompt, draw_wrong
from engine.model.values import Json

_NONE: Final = "-"
"""Typed where an earlier answer is offered and nothing is meant instead."""


class Draft(Struct, frozen=True):
    """A form as it was refused: the values of its fields, and those fields that are asked again, all where none is named."""

    values: Mapping[str, Json]
    again: Collection[str]


async def ask(lines: Lines, expected: dict[str, Any], draft: Draft, locale: str) -> Answer | None:
    """The answer, or None where the person has gone; of a form that was refused only what was wrong is asked again."""
    if expected["kind"] == "form":
        return await _Form(lines, expected, draft, locale).ask()
    draw_options(expected.get("options", []))
    if expected.get("attempts_left") is not None:
        draw_note(f"attempts left: {expected['attempts_left']}")
    return await _line(lines, "> ")


class _Form:
    """One form that is filled in, field by field."""

    def __init__(self, lines: Lines, expected: dict[str, Any], draft: Draft, locale: str) -> None:
        self._lines = lines
        self._fields: list[dict[str, Any]] = expected["fields"]
        self._draft = draft
        self._locale = locale
        self._explained = False
        self._values = {name: value for name, value in draft.values.items() if draft.again and name not in draft.again}

    async def ask(self) -> dict[str, Json] | None:
        again = self._draft.again
        for field in self._fields:
            if field["type"] in DISPLAYED:
                if not again and field["label"]:
                    draw_note(field["label"])
            elif not again or field["name"] in again:
                draw_options(field.get("options", []))
                if not await self._ask_field(field):
                    return None
        return self._values

    async def _ask_field(self, field: dict[str, Any]) -> bool:
        """Ask until what is typed will do or is typed twice, and keep it; False where the person has gone."""
        earlier = self._draft.values.get(field["name"])
        hints = "; ".join(_hints(field, earlier))
        prompt = f"{field['label']}{'*' if field['required'] else ''}{f' ({hints})' if hints else ''}: "
        refused: str | None = None
        while True:
            line = await _line(self._lines, prompt)
            if line is None:
                return False
            try:
                value = _meant(field, line, earlier)
            except ValueError as problem:
                draw_wrong([Wrong(None, str(problem))])
                continue
            wrongs = objections(field, value, self._locale)
            if not wrongs or line == refused:  # the last word is the flow's, and its author wants to see it
                break
            refused = line
            draw_wrong([Wrong(None, wrong) for wrong in wrongs])
            if not self._explained:
                draw_note("the same once more sends it as it is")
                self._explained = True
        if value is not None:
            self._values[field["name"]] = value
        return True


def _meant(field: dict[str, Any], line: str, earlier: Json) -> Json:
    """The value that the line stands for; a blank stands for the earlier answer."""
    if earlier is None:
        return typed_value(field, line)
    match line.strip():
        case "":
            return earlier
        case said if said == _NONE:
            return None
        case _:
            return typed_value(field, line)


def _hints(field: dict[str, Any], earlier: Json) -> Iterator[str]:
    yield from (hint for hint in (form_of(field), field.get("placeholder"), field.get("help")) if hint)
    if earlier is not None:
        yield f"empty: {typed_text(earlier)}"
        if not field["required"]:
            yield f"{_NONE}: none"
    elif field.get("default") is not None:
        yield f"empty: {typed_text(field['default'])}"


async def _line(lines: Lines, prompt: str) -> str | None:
    draw_prompt(prompt)
    line = await lines.next()
    if line is None or not lines.interactive:
        draw_answer(line)
    return line
