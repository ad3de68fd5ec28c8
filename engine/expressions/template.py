"""A template: a text with expressions in it, compiled once and evaluated often."""

from collections.abc import Iterator
from typing import Final, cast

from msgspec import Struct

from engine.errors import ExpressionError
from engine.expressions.compiling import Compiled, Reference, compile_source
from engine.expressions.operators import Evaluate
from engine.expressions.parsing import Part, split
from engine.expressions.scope import ROOTS, Scope
from engine.expressions.tokens import wrong_syntax
from engine.expressions.values import Missing, printed, undefined
from engine.model.values import Json

_NO_ROOTS: Final[frozenset[str]] = frozenset()


class Placed(Struct, frozen=True, eq=False):
    """An expression of a template, and where it starts there."""

    evaluate: Evaluate
    offset: int
    plain: bool
    closed: bool
    """True: it works on what is written out alone, so that it gives the same, or fails, whenever it is evaluated."""


class Template(Struct, frozen=True, eq=False):
    """A compiled template: immutable, and safe to share between threads.

    Whatever its source and whatever it sees, evaluating it gives a JSON value or raises ExpressionError.
    """

    source: str
    is_text: bool
    """True: the result is always a text; False: the template is one expression, and keeps its native type."""
    constant: bool
    """True: it holds no expression."""
    references: tuple[Reference, ...]
    """What its expressions read, in the order in which it is written there."""
    parts: tuple[str | Placed, ...]

    def value(self, scope: Scope) -> Json:
        """What the template gives: a native value for one expression, else a text; a missing part raises `expression.undefined`."""
        if self.constant:
            return self.source
        if self.is_text:
            return self._text(scope, lenient=False)
        value = _evaluated(cast("Placed", self.parts[0]), scope)
        if isinstance(value, Missing):
            raise _at(undefined(value), cast("Placed", self.parts[0]))
        return value

    def render(self, scope: Scope) -> str:
        """The template as a text for people: null is nothing, and so is a missing part, of which `scope.warnings` tells."""
        return self.source if self.constant else self._text(scope, lenient=True)

    def failures(self, scope: Scope) -> Iterator[ExpressionError]:
        """Why those of its expressions fail that work on what is written out alone; where a part is missing, a text lets it pass."""
        for part in self.parts:
            if isinstance(part, Placed) and part.closed:
                try:
                    _evaluated(part, scope)
                except ExpressionError as error:
                    if error.code != "expression.undefined":
                        yield error

    def _text(self, scope: Scope, *, lenient: bool) -> str:
        texts = [part if isinstance(part, str) else _printed(part, scope, lenient=lenient) for part in self.parts]
        scope.budget.copy_characters(sum(map(len, texts)))
        return "".join(texts)


def compile_template(source: str, extra_roots: frozenset[str] = _NO_ROOTS) -> Template:
    """Compile a text with `{{ }}` in it; raises ExpressionError with the offset of the first thing wrong."""
    parts = split(_sound(source))
    if parts == (source,):
        return Template(source, is_text=True, constant=True, references=(), parts=())
    return _assembled(source, parts, extra_roots)


def compile_expression(source: str, extra_roots: frozenset[str] = _NO_ROOTS) -> Template:
    """Compile a bare expression, which braces may surround; its value is always native."""
    stripped = _sound(source).strip()
    start = source.find(stripped)
    if not stripped.startswith("{{"):
        return _assembled(source, (Part(source, 0),), extra_roots)
    try:
        parts = split(stripped)
    except ExpressionError as error:
        error.offset = start + (error.offset or 0)
        raise
    if len(parts) != 1 or isinstance(parts[0], str):
        raise wrong_syntax("One expression is needed here.", start, "it is one as it stands: leave the braces out")
    return _assembled(source, (Part(parts[0].source, parts[0].offset + start),), extra_roots)


def _sound(source: str) -> str:
    """The source itself, if all its characters are whole."""
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise wrong_syntax("The text holds half of a character.", error.start) from error
    return source


def _assembled(source: str, parts: tuple[str | Part, ...], extra_roots: frozenset[str]) -> Template:
    roots = ROOTS | extra_roots
    placed: list[str | Placed] = []
    references: list[Reference] = []
    for part in parts:
        if isinstance(part, str):
            placed.append(part)
            continue
        compiled = _compiled(part, roots)
        placed.append(Placed(compiled.evaluate, part.offset, compiled.plain, closed=not compiled.references and not compiled.plain))
        references.extend(Reference(found.root, found.path, found.offset + part.offset) for found in compiled.references)
    return Template(source, is_text=len(parts) > 1, constant=False, references=tuple(references), parts=tuple(placed))


def _compiled(part: Part, roots: frozenset[str]) -> Compiled:
    try:
        return compile_source(part.source, roots)
    except ExpressionError as error:
        error.offset = part.offset + (error.offset or 0)
        raise


def _at(error: ExpressionError, part: Placed) -> ExpressionError:
    """The same error, knowing at least the expression in which it came about."""
    if error.offset is None:
        error.offset = part.offset
    return error


def _evaluated(part: Placed, scope: Scope) -> Json | Missing:
    if part.plain:
        return part.evaluate(scope)
    scope.budget.begin()
    try:
        return part.evaluate(scope)
    except ExpressionError as error:
        _at(error, part)
        raise
    except RecursionError as error:
        raise ExpressionError("expression.budget", "A value is nested too deeply.", offset=part.offset) from error


def _printed(part: Placed, scope: Scope, *, lenient: bool) -> str:
    """One expression's value inside a text, escaped where the text is markup."""
    try:
        value = _evaluated(part, scope)
        if isinstance(value, str):
            text = value
        else:
            if part.plain:
                scope.budget.begin()
            text = printed(value, scope.budget)
    except ExpressionError as error:
        if not (lenient and error.code == "expression.undefined"):
            _at(error, part)
            raise
        scope.warn(str(error))
        return ""
    except RecursionError as error:
        raise ExpressionError("expression.budget", "A value is nested too deeply.", offset=part.offset) from error
    return text if scope.escape is None or not text else scope.escape(text)
