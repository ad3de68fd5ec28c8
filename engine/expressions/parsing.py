"""A template to its parts: the text between the braces and the expressions inside them."""

import re
from typing import Final

from msgspec import Struct

from engine.expressions.tokens import forbidden, wrong_syntax

TEMPLATE_LENGTH: Final = 20_000
"""Characters of the longest template that holds expressions; a text without braces may have any length."""
TEMPLATE_EXPRESSIONS: Final = 400
"""Expressions in one template."""
_OPENING: Final = re.compile(r"\{\{|\{%")
_INSIDE: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\}\}|[\[({})\]'"]""", re.DOTALL)


class Part(Struct, frozen=True):
    """The source of one expression, and where it starts."""

    source: str
    offset: int


def split(source: str) -> tuple[str | Part, ...]:
    """Texts and expressions in turn; empty texts are left out."""
    parts: list[str | Part] = []
    position = 0
    while opening := _OPENING.search(source, position):
        start = opening.start()
        if opening[0] == "{%":
            raise forbidden("A template holds no statements, only {{ expressions }}.", start)
        if len(source) > TEMPLATE_LENGTH or len(parts) > 2 * TEMPLATE_EXPRESSIONS:
            raise wrong_syntax(f"A template may have {TEMPLATE_LENGTH:,} characters and {TEMPLATE_EXPRESSIONS} expressions.", start)
        end = _closing(source, start + 2)
        if start > position:
            parts.append(source[position:start])
        parts.append(Part(source[start + 2 : end], start + 2))
        position = end + 2
    if position < len(source) or not parts:
        parts.append(source[position:])
    return tuple(parts)


def _closing(source: str, start: int) -> int:
    """Where the `}}` stands that ends the expression; braces in texts and mappings do not."""
    if source[start : start + 1] in {"-", "+"}:
        raise forbidden("Braces take no sign for white space; put a space before a signed number.", start)
    depth = 0
    position = start
    while found := _INSIDE.search(source, position):
        position = found.end()
        match found[0]:
            case "}}" if depth == 0:
                if found.start() > start and source[found.start() - 1] in "-+":
                    raise forbidden("Braces take no sign for white space.", found.start() - 1)
                return found.start()
            case "}}":
                depth -= 1
                position -= 1  # the first brace ends a mapping, the second may belong to something else
            case "{" | "[" | "(":
                depth += 1
            case "}" | "]" | ")":
                depth = max(0, depth - 1)
            case "'" | '"':
                raise wrong_syntax("A text in quotes has no end.", found.start())
            case _:
                pass
    raise wrong_syntax("An expression has no closing }}.", start - 2)
