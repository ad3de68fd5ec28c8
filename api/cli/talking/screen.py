"""The terminal: blocks drawn, options numbered, prompts."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any, Final

import click

from api.cli.talking.partner import ShownBlock, Wrong
from engine.model.values import Millis

_DRAWN: Final = frozenset({"card", "carousel", "image", "file", "link", "product"})
"""Kinds whose payload says it all; of others only the fallback is for people."""


def draw(block: ShownBlock) -> None:
    """One block, as far as text can show it."""
    match block.type:
        case "message":
            _say(str(block.payload.get("text", "")))
        case "form":
            title = str(block.payload.get("title") or "")
            if title:
                _say(f"{title}\n{'-' * min(len(title), 60)}")
        case kind if kind not in _DRAWN and (instead := block.payload.get("fallback")):
            _say(str(instead))
        case kind:
            _say(f"[{kind}]")
            for line in _lines(block.payload):
                _say(f"  {line}")


def _lines(payload: dict[str, Any]) -> Iterator[str]:
    """Every entry as `name: value`, labelled ones by their label; a list of mappings below its name, one after the other."""
    for name, value in payload.items():
        if name == "fallback":
            continue
        items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        if not items or len(items) < len(value):
            yield f"{name}: {_text(value)}"
        elif all(item.keys() == {"label", "value"} for item in items):
            yield from (f"{item['label']}: {_text(item['value'])}" for item in items)
        else:
            yield f"{name}:"
            for item in items:
                yield from (f"{mark} {line}" for mark, line in zip(chain("-", repeat(" ")), _lines(item), strict=False))


def _text(value: Any) -> str:
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def draw_options(options: Sequence[dict[str, Any]]) -> None:
    """The options with the numbers that pick them."""
    for number, option in enumerate(options, start=1):
        _say(f"  {number}) {option['label']}")


def draw_menu(label: str, options: Sequence[dict[str, Any]]) -> None:
    """What is asked, and below it the options with their numbers."""
    _say(label)
    draw_options(options)


def draw_wrong(wrongs: Sequence[Wrong]) -> None:
    """What was wrong with an answer."""
    for wrong in wrongs:
        _say(f"  ! {wrong.name}: {wrong.message}" if wrong.name else f"  ! {wrong.message}")


def draw_note(text: str) -> None:
    """Something that nobody in the conversation said."""
    _say(f"  ({text})")


def span_text(span: Millis) -> str:
    """How long that is, as one says it: 40 s, 2 min, 3 h 5 min, 2 d."""
    left = max(0, -(-span // 1000))
    parts = [(left // 86_400, "d"), (left // 3600 % 24, "h"), (left // 60 % 60, "min"), (left % 60, "s")]
    told = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(told[:2]) or "0 s"


def draw_prompt(text: str) -> None:
    """Where the person types."""
    click.echo(printable(text), nl=False)


def draw_answer(line: str | None) -> None:
    """What was typed, where no terminal has shown it already."""
    click.echo(printable(line or ""))


def _say(text: str) -> None:
    click.echo(printable(text))


def printable(text: str) -> str:
    """The text without what would steer the terminal: what flows and people say must not move its cursor."""
    return "".join(mark if mark.isprintable() or mark in "\n\t" else "\N{REPLACEMENT CHARACTER}" for mark in text)
