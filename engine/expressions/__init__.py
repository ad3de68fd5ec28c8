"""Templates and expressions: Jinja's syntax over JSON values, in a sandbox by construction.

Jinja only reads the source. Its tree is checked against an allow-list and turned into closures over JSON values, so there is
nothing to break out of: no attribute of a Python object is read, nothing is called but our own filters and tests, and all work
is counted.

    source -> parsing (parts) -> tokens (Jinja's lexer and parser) -> compiling (allow-list) -> Template
                                                                      operators, catalogue (filters, tests)
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
