"""Templates and expressions: Jinja's syntax over JSON values, in a sandbox by construction.

Jinja only reads the source. Its tree is checked against an allow-list and turned into closures over JSON values, so there is
nothing to break out of: no attribute of a Python object is read, nothing is called but our own filters and tests, and all work
is counted.

    source -> parsing (parts) -> tokens (Jinja's lexer and parser) -> compiling (allow-list) -> Template
                                                                      operators, catalogue (filters, tests)

What holds here where Jinja leaves a choice or would surprise:

- A number is no boolean and a boolean no number: `1 == true` is false, `1 + true` is `expression.type`. Order exists among numbers
  and among texts alone. `+` joins two texts or two lists; `*` and `%` take numbers.
- ISO 8601 texts on both sides of a comparison compare as moments, those without an offset in the scope's time zone; in `in`, `unique` and
  within lists they are texts. `add` moves by exact spans: a day is 24 hours, whatever the clocks do.
- What is missing stays missing along a path, also below null; `default` takes it, and null too. Inline `if` without `else` gives null.
- A whole float prints without `.0`; it stays a float. A number has an exponent only where it needs more than 40 decimal
  places. `round` takes halves away from zero, and gives an integer when no places are kept.
- A negative position counts from the end of a list. `first`, `last`, `min` and `max` of an empty list are null.
- `int` and `float` of what is no number are `expression.value` unless they are given a default. Filters that make texts take null as
  an empty one.
- `matching` finds its pattern anywhere in the text; `^` and `$` bind it to the ends. `matching` and `containing` are false for null.
- `map`, `select` and `reject` take an attribute (`select` and `reject` also the value it must equal), never the name of a filter or test.
- `{{-` and `-}}` are refused, so that `{{ -1 }}` means one thing; `{#` is text; literal braces are written `{{ "{{" }}`.
- A template with braces has at most 20,000 characters and 400 expressions, an expression 4,000 characters, 24 levels of brackets and a tree
  100 deep (`expression.syntax`). Quoting existing text counts for the turn, making new text for the expression too. Searching a text costs
  an item for each 64 characters, and for a pattern also by its size.
"""

from engine.expressions.catalogue import FILTERS, TESTS
from engine.expressions.compiling import Reference
from engine.expressions.patterns import compile_pattern, finds
from engine.expressions.scope import (
    EXPRESSION_CHARACTERS,
    EXPRESSION_ITEMS,
    ROOTS,
    TURN_CHARACTERS,
    TURN_ITEMS,
    Budget,
    Scope,
)
from engine.expressions.template import Template, compile_expression, compile_template

__all__ = [
    "EXPRESSION_CHARACTERS",
    "EXPRESSION_ITEMS",
    "FILTERS",
    "ROOTS",
    "TESTS",
    "TURN_CHARACTERS",
    "TURN_ITEMS",
    "Budget",
    "Reference",
    "Scope",
    "Template",
    "compile_expression",
    "compile_pattern",
    "compile_template",
    "finds",
]
