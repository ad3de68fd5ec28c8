"""The terminal: blocks drawn, options numbered, prompts."""

import json
from collections.abc import Sequence
from typing import Any

import click

from api.cli.talking.partner import ShownBlock, Wrong


def draw(block: ShownBlock) -> None:
    """One block, as far as text can show it."""
    match block.type:
        case "message":
            _say(str(block.payload.get("text", "")))
        case "form":
            title = str(block.payload.get("title") or "")
            if title:
                _say(f"{title}\n{'-' * min(len(title), 60)}")
        case kind:
            _say(f"[{kind}]")
            for name, value in block.payload.items():
                _say(f"  {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def draw_options(options: Sequence[dict[str, Any]]) -> None:
    """The options with the numbers that pick them."""
    for number, option in enumerate(options, start=1):
        _say(f"  {number}) {option['label']}")


def draw_wrong(wrongs: Sequence[Wrong]) -> None:
    """What was wrong with an answer."""
    for wrong in wrongs:
        _say(f"  ! {wrong.name}: {wrong.message}" if wrong.name else f"  ! {wrong.message}")


def draw_note(text: str) -> None:
    """Something that nobody in the conversation said."""
    _say(f"  ({text})")


def draw_prompt(text: str) -> None:
    """Where the person types."""
    click.echo(_shown(text), nl=False)


def draw_answer(line: str | None) -> None:
    """What was typed, where no terminal has shown it already."""
    click.echo(_shown(line or ""))


def _say(text: str) -> None:
    click.echo(_shown(text))


def _shown(text: str) -> str:
    """The text without what would steer the terminal: what flows and people say must not move its cursor."""
    return "".join(mark if mark.isprintable() or mark in "\n\t" else "\N{REPLACEMENT CHARACTER}" for mark in text)
