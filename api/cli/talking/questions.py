"""Asks the person for what a wait expects: one line for a question, one a field for a form."""

from collections.abc import Collection
from typing import Any

from api.cli.talking.fields import DISPLAYED, typed_value
from api.cli.talking.lines import Lines
from api.cli.talking.partner import Answer, Wrong
from api.cli.talking.screen import draw_answer, draw_note, draw_options, draw_prompt, draw_wrong
from engine.model.values import Json


async def ask(lines: Lines, expected: dict[str, Any], kept: dict[str, Json], again: Collection[str]) -> Answer | None:
    """The answer, or None where the person has gone; of a form only the fields in `again` are asked, if there are some."""
    if expected["kind"] == "form":
        return await _ask_form(lines, expected["fields"], kept, again)
    draw_options(expected.get("options", []))
    if expected.get("attempts_left") is not None:
        draw_note(f"attempts left: {expected['attempts_left']}")
    return await _line(lines, "> ")


async def _ask_form(lines: Lines, fields: list[dict[str, Any]], kept: dict[str, Json], again: Collection[str]) -> dict[str, Json] | None:
    values = {name: value for name, value in kept.items() if name not in again}
    for field in fields:
        if field["type"] in DISPLAYED:
            if not again and field["label"]:
                draw_note(field["label"])
        elif not again or field["name"] in again:
            draw_options(field.get("options", []))
            gone = await _ask_field(lines, field, values)
            if gone:
                return None
    return values


async def _ask_field(lines: Lines, field: dict[str, Any], values: dict[str, Json]) -> bool:
    """Ask until what is typed can be read, and keep it; True where the person has gone."""
    hints = [field[key] for key in ("placeholder", "help") if field.get(key)]
    if field.get("default") is not None:
        hints.append(f"empty: {field['default']}")
    hint = f" ({'; '.join(hints)})" if hints else ""
    while True:
        line = await _line(lines, f"{field['label']}{'*' if field['required'] else ''}{hint}: ")
        if line is None:
            return True
        try:
            value = typed_value(field, line)
        except ValueError as problem:
            draw_wrong([Wrong(None, str(problem))])
            continue
        values.pop(field["name"], None)
        if value is not None:
            values[field["name"]] = value
        return False


async def _line(lines: Lines, prompt: str) -> str | None:
    draw_prompt(prompt)
    line = await lines.next()
    if line is None or not lines.interactive:
        draw_answer(line)
    return line
