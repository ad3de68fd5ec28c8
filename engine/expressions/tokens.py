"""Source text to Jinja's tokens, each knowing its offset.

Jinja's tokens and nodes carry a line number and nothing finer. Here the field `lineno` holds the offset in the expression,
so that every node and every syntax error tells its exact place. Literals are converted here too, under bounds.
"""

import re
from collections.abc import Iterator
from typing import Final

from jinja2 import Environment, TemplateSyntaxError
from jinja2.lexer import Token, TokenStream, operators
from jinja2.nodes import Expr, Getattr, Name
from jinja2.parser import Parser

from engine.errors import ExpressionError
from engine.expressions.values import NUMBER_LIMIT

EXPRESSION_LENGTH: Final = 4_000
"""Characters of the longest single expression."""
BRACKET_DEPTH: Final = 24
"""Brackets within brackets; each costs the parser some 14 calls."""
_LONGEST_NUMBER: Final = 60
_SKIPPED: Final = frozenset({"whitespace"})
_PATH: Final = re.compile(r"\s*([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)\s*", re.ASCII)
_WORDS: Final = frozenset({"true", "True", "false", "False", "none", "None", "not", "and", "or", "if", "else", "in", "is"})
"""Names that mean something else to Jinja where an expression begins."""
_FOREIGN: Final = {
    "=": "`==` to compare",
    "===": "`==`",
    "!==": "`!=`",
    "<>": "`!=`",
    "=<": "`<=`",
    "=>": "`>=`",
    "&": "`and`",
    "&&": "`and`",
    "AND": "`and`",
    "||": "`or`",
    "OR": "`or`",
    "!": "`not`",
    "NOT": "`not`",
    "?": "`A if TEST else B`",
    "EQUALS": "`==`",
    "CONTAINS": "`is containing('...')`",
}
"""What other languages have for our operators."""
_RUN: Final = re.compile(r"[=&|!<>?]+|[A-Za-z]+")
_PLACE: Final = re.compile(r" at [0-9]+$")
"""Where Jinja thinks that it is: the error has an offset."""
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_SHORT_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "0": "\0",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "/": "/",
    "\n": "",
}


def wrong_syntax(message: str, offset: int, hint: str | None = None) -> ExpressionError:
    """The error for a template that cannot be read."""
    return ExpressionError("expression.syntax", message, offset=offset, hint=hint)


def forbidden(message: str, offset: int) -> ExpressionError:
    """The error for what Jinja knows and expressions do not allow."""
    return ExpressionError("expression.forbidden", message, offset=offset)


class _Grammar(Environment):
    """Jinja's lexer and parser with our tokens between them; nothing is ever compiled, loaded or rendered."""

    def _tokenize(
        self,
        source: str,
        name: str | None,
        filename: str | None = None,
        state: str | None = None,  # noqa: ARG002 - the signature is Jinja's
    ) -> TokenStream:
        return TokenStream(list(_tokens(source)), name, filename)


_GRAMMAR: Final = _Grammar(keep_trailing_newline=True)


def parse_expression(source: str) -> Expr:
    """The syntax tree of one expression; each node's `lineno` is its offset in source."""
    if len(source) > EXPRESSION_LENGTH:
        raise wrong_syntax(f"An expression may have {EXPRESSION_LENGTH:,} characters.", 0)
    if not source.strip():
        raise wrong_syntax("The braces hold no expression.", 0)
    if (path := _plain_path(source)) is not None:
        return path
    try:
        parser = Parser(_GRAMMAR, source, state="variable")
        tree = parser.parse_expression()
    except TemplateSyntaxError as error:
        raise wrong_syntax(_sentence(error.message), error.lineno, _ours(source, error.lineno)) from error
    if not parser.stream.eos:
        found = parser.stream.current
        hint = _ours(source, found.lineno) or ("a text stands in quotes" if found.type == "name" else None)
        raise wrong_syntax(f"'{found.value}' was not expected here.", found.lineno, hint)
    return tree


def _plain_path(source: str) -> Expr | None:
    """What the parser would make of names with dots between them, which most expressions are, for an eighth of its time."""
    found = _PATH.fullmatch(source)
    if found is None or found[1] in _WORDS:
        return None
    tree: Expr = Name(found[1], "load", lineno=found.start(1))
    offset = found.end(1)
    for key in found[2].split(".")[1:]:
        tree = Getattr(tree, key, "load", lineno=offset)
        offset += 1 + len(key)
    return tree


def _ours(source: str, offset: int) -> str | None:
    """A hint where something stands at the offset that means in other languages what has another name here."""
    found = next((one for one in _RUN.finditer(source) if one.start() <= offset < one.end()), None)
    ours = None if found is None else _FOREIGN.get(found[0].upper())
    return None if ours is None else f"write {ours}"


def _sentence(message: str | None) -> str:
    text = _PLACE.sub("", message or "The expression cannot be read").replace("end of template", "end of the expression")[:200]
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def _tokens(source: str) -> Iterator[Token]:
    position = 0
    depth = 0
    lexed = _GRAMMAR.lexer.tokeniter(source, None, state="variable")
    while True:
        try:
            _, name, text = next(lexed)
        except StopIteration:
            return
        except TemplateSyntaxError as error:
            raise wrong_syntax(_sentence(error.message), position, _ours(source, position)) from error
        depth += (text in "([{") - (text in ")]}") if name == "operator" else 0
        if depth > BRACKET_DEPTH:
            raise wrong_syntax("The expression is nested too deeply.", position)
        if name not in _SKIPPED:
            yield _token(name, text, position)
        position += len(text)


def _token(name: str, text: str, offset: int) -> Token:
    match name:
        case "operator":
            return Token(offset, operators[text], text)
        case "name" if not text.isidentifier():
            raise wrong_syntax(f"'{text[:40]}' is no name.", offset)
        case "string":
            return Token(offset, name, _text(text[1:-1], offset))
        case "integer" | "float":
            return Token(offset, name, _number(name, text, offset))  # type: ignore[arg-type]
        case _:
            return Token(offset, name, text)


def _number(name: str, text: str, offset: int) -> int | float:
    digits = text.replace("_", "")
    if len(digits) <= _LONGEST_NUMBER:
        value = int(digits, 0) if name == "integer" else float(digits)
        if value < NUMBER_LIMIT:
            return value
    raise wrong_syntax("A number is under 10^36.", offset)


def _text(raw: str, offset: int) -> str:
    """What a quoted text means: JSON's and Python's escapes; a backslash before anything else stays, so that patterns can be written."""
    if "\\" not in raw:
        return raw
    try:
        # Two \u escapes may be the halves of one character.
        return _ESCAPE.sub(_unescaped, raw).encode("utf-16", "surrogatepass").decode("utf-16")
    except (ValueError, OverflowError) as error:
        raise wrong_syntax("An escape in a text names no character.", offset) from error


def _unescaped(found: re.Match[str]) -> str:
    four, eight, two, short = found.groups()
    code = four or eight or two
    if code:
        return chr(int(code, 16))
    return _SHORT_ESCAPES.get(short, f"\\{short}")
