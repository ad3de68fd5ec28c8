"""Asks the person for what a wait expects: one line for a question, one a field for a form."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from api.cli.talking.fields import SWITCHES, Typed, form_of, kept, typed, typed_text
from api.cli.talking.lines import Lines
from api.cli.talking.partner import Answer, Wrong
from api.cli.talking.screen import draw_menu, draw_note, draw_options, draw_wrong
from engine.model.inputs import DISPLAYS
from engine.model.values import Json

_NONE: Final = "-"
"""Typed where an earlier answer is offered and nothing is meant instead."""
_SPOKEN: Final = "/"
"""Before what is said in a form's place; twice where it is the answer's own."""


class Draft(Struct, frozen=True):
    """A form as it was refused: the values of its fields, and those fields that are asked again, all where none is named."""

    values: Mapping[str, Json]
    again: Collection[str] = ()


class Given(Struct, frozen=True):
    """What the person gave: the answer, None where they have gone; and what a form's fields hold, also where it was left for a word."""

    answer: Answer | None
    values: Mapping[str, Json] = {}


async def ask(lines: Lines, expected: dict[str, Any], draft: Draft, locale: str) -> Given:
    """What the person gives; of a form that was refused only what was wrong is asked again."""
    if expected["kind"] == "form":
        return await _Form(lines, expected, draft, locale).ask()
    draw_options(expected.get("options", []))
    if expected.get("attempts_left") is not None:
        draw_note(f"attempts left: {expected['attempts_left']}")
    uploads = expected["kind"] == "upload"
    if uploads:
        draw_note("files cannot be sent from a terminal")
    hints = "; ".join(_question_hints(expected, locale))
    line = await lines.ask(_prompt(hints))
    # Even an empty text would be taken for a file's.
    return Given({} if uploads and line is not None and not line.strip() else line)


def _prompt(hints: str) -> str:
    return f"({hints}) > " if hints else "> "


def _question_hints(expected: dict[str, Any], locale: str) -> Iterator[str]:
    """How the one answer is typed, and what an empty line stands for where that is anything."""
    kind, options = expected.get("input", "text"), expected.get("options", [])
    # Whoever is asked a question knows how to say yes and no to it.
    form = None if kind in SWITCHES else form_of(kind, options, locale)
    yield from (hint for hint in (form, expected.get("placeholder")) if hint)
    schema = expected.get("schema", {})
    for name, asked in schema.get("properties", {}).items():
        if "default" in asked:
            yield f"empty: {typed_text(asked['default'], options, locale)}"
        elif name not in schema.get("required", [name]):
            yield "empty: none"


class _Form:
    """One form that is filled in, field by field."""

    def __init__(self, lines: Lines, expected: dict[str, Any], draft: Draft, locale: str) -> None:
        self._lines = lines
        self._fields: list[dict[str, Any]] = expected["fields"]
        self._draft = draft
        self._locale = locale
        self._explained = False
        self._said: str | None = None
        self._values = {name: value for name, value in draft.values.items() if draft.again and name not in draft.again}

    async def ask(self) -> Given:
        again = self._draft.again
        if self._lines.interactive and not self._draft.values:
            draw_note(f"{_SPOKEN}WORD says the word in place of the form")
        for field in self._fields:
            if field["type"] in DISPLAYS:
                if not again and field["label"]:
                    draw_note(field["label"])
            elif (not again or field["name"] in again) and not await self._ask_field(field):
                return Given(self._said, self._values)
        return Given(self._values, self._values)

    async def _ask_field(self, field: dict[str, Any]) -> bool:
        """Ask until what is typed will do or is typed twice, and keep it; False where the person has left the form."""
        earlier = self._draft.values.get(field["name"])
        hints = "; ".join(_hints(field, earlier, self._locale))
        label = f"{field['label']}{'*' if field['required'] else ''}"
        prompt = f"{label}{f' ({hints})' if hints else ''}: "
        if field.get("options"):
            draw_menu(label, field["options"])
            prompt = _prompt(hints)
        refused: str | None = None
        while True:
            line = await self._lines.ask(prompt)
            if line is None or (line.startswith(_SPOKEN) and not line.startswith(_SPOKEN * 2)):
                self._said = None if line is None else line.removeprefix(_SPOKEN)
                return False
            line = line.removeprefix(_SPOKEN)
            meant = self._meant(field, line, earlier)
            if not meant.wrongs or line == refused:  # the last word is the flow's, and its author wants to see it
                break
            refused = line
            draw_wrong([Wrong(None, wrong) for wrong in meant.wrongs])
            if not self._explained:
                draw_note("the same once more sends it as it is")
                self._explained = True
        if meant.value is not None:
            self._values[field["name"]] = meant.value
        return True

    def _meant(self, field: dict[str, Any], line: str, earlier: Json) -> Typed:
        """What the line stands for; a blank stands for the earlier answer."""
        if earlier is not None and not line.strip():
            return kept(field, earlier, self._locale)
        nothing = earlier is not None and line.strip() == _NONE
        return typed(field, "" if nothing else line, self._locale)


def _hints(field: dict[str, Any], earlier: Json, locale: str) -> Iterator[str]:
    options = field.get("options", [])
    yield from (hint for hint in (form_of(field["type"], options, locale), field.get("placeholder"), field.get("help")) if hint)
    if earlier is not None:
        yield f"empty: {typed_text(earlier, options, locale)}"
        if not field["required"]:
            yield f"{_NONE}: none"
    elif field.get("default") is not None:
        yield f"empty: {typed_text(field['default'], options, locale)}"
