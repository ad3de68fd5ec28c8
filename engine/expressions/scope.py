"""What an expression may see, and how much work it may do."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.errors import ExpressionError
from engine.model.values import Json

EXPRESSION_ITEMS: Final = 10_000
EXPRESSION_CHARACTERS: Final = 10_000
TURN_ITEMS: Final = 200_000
TURN_CHARACTERS: Final = 262_144
MOST_WARNINGS: Final = 100
SEARCHED_AT_ONCE: Final = 64
"""So many characters that are searched through count as one item touched."""

ROOTS: Final = frozenset({"vars", "nodes", "trigger", "conversation", "inputs", "run", "callbacks", "now"})
"""The names that every expression may start from."""


class Budget:
    """Counts the work of one turn: items touched and characters made, never seconds.

    Passing a bound, the turn's or that of the expression under way, raises `expression.budget`.
    """

    __slots__ = ("_characters_end", "_items_end", "_turn_characters", "_turn_items", "characters", "items")

    def __init__(self, items: int = TURN_ITEMS, characters: int = TURN_CHARACTERS) -> None:
        self.items = 0
        """Items touched so far in this turn."""
        self.characters = 0
        """Characters made so far in this turn."""
        self._turn_items = items
        self._turn_characters = characters
        self.begin()

    def begin(self) -> None:
        """The next expression starts: what it may spend is counted from here."""
        # Without min(), which would be the dearest part of reading a variable.
        items, characters = self.items + EXPRESSION_ITEMS, self.characters + EXPRESSION_CHARACTERS
        self._items_end = items if items < self._turn_items else self._turn_items  # noqa: FURB136
        self._characters_end = characters if characters < self._turn_characters else self._turn_characters  # noqa: FURB136

    def spend_items(self, count: int) -> None:
        """Count items before they are touched."""
        self.items += count
        if self.items > self._items_end:
            raise ExpressionError("expression.budget", "The expression touches too many items.")

    def spend_characters(self, count: int) -> None:
        """Count characters before they are made."""
        self.characters += count
        if self.characters > self._characters_end:
            raise ExpressionError("expression.budget", "The expression makes too long a text.")

    def copy_characters(self, count: int) -> None:
        """Count characters that existed and are put into something new: against the turn alone, for long answers may be quoted."""
        self.characters += count
        # What is copied takes nothing from what the expression may make.
        self._characters_end = min(self._characters_end + count, self._turn_characters)
        if self.characters > self._turn_characters:
            raise ExpressionError("expression.budget", "The expressions of this turn make too much text.")

    def copy_parts(self, count: int, characters: int = 0) -> None:
        """Count parts of what is put together, with their characters: against the turn alone, for they are no expression."""
        self.items += count
        self._items_end = min(self._items_end + count, self._turn_items)
        if self.items > self._turn_items:
            raise ExpressionError("expression.budget", "What this turn puts together has too many parts.")
        if characters:
            self.copy_characters(characters)

    def search_characters(self, count: int) -> None:
        """Count a text that is about to be searched through."""
        self.spend_items(count // SEARCHED_AT_ONCE + 1)

    def weigh(self, value: Json) -> None:
        """Count everything inside value, however deep.

        Whoever puts values together calls it, so that nothing doubles by being quoted twice, again and again.
        """
        waiting = [value]
        while waiting:
            part = waiting.pop()
            if isinstance(part, str):
                self.copy_characters(len(part))
            elif isinstance(part, list):
                self.spend_items(len(part))
                waiting.extend(part)
            elif isinstance(part, dict):
                self.spend_items(len(part))
                self.copy_characters(sum(map(len, part)))
                waiting.extend(part.values())
            elif part is not None and not isinstance(part, bool | int | float):
                raise ExpressionError("expression.type", "A value is not JSON.")


class Scope:
    """What the expressions of one turn or node see; made once for it and not shared between threads.

    The values of `roots` are JSON: None, booleans, numbers, `str`, `list`, `dict`. A root that is absent is missing like any other part.
    `escape` is applied to the values of expressions inside texts; `warnings` collects what `Template.render` found missing (at most 100).
    """

    __slots__ = ("budget", "escape", "locale", "roots", "timezone", "warnings")

    def __init__(
        self,
        roots: Mapping[str, Any],
        budget: Budget,
        locale: str = "en",
        timezone: str = "UTC",
        escape: Callable[[str], str] | None = None,
        warnings: list[str] | None = None,
    ) -> None:
        self.roots = roots
        self.budget = budget
        self.locale = locale
        self.timezone = timezone
        self.escape = escape
        self.warnings: list[str] = [] if warnings is None else warnings

    def extended(self, roots: Mapping[str, Any]) -> "Scope":
        """The same scope with more roots; budget and warnings are shared."""
        return Scope({**self.roots, **roots}, self.budget, self.locale, self.timezone, self.escape, self.warnings)

    def warn(self, message: str) -> None:
        """Keep a warning for the trace."""
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(message)
