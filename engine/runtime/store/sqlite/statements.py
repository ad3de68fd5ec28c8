"""What statements are made of: the tables, and how they are compiled once to SQL text, which the driver's own cursor runs.

No statement reads a clock. Values are given by position, which the driver binds several times as fast as names: for inserts in the
order of the table's columns, for all others in the order that stands beside the statement.
"""

import re
from typing import Final

from msgspec import Struct
from sqlalchemy import ClauseElement, ColumnElement, FromClause, Table, bindparam, literal_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.sql.compiler import SQLCompiler

from engine.runtime.store.tables import METADATA

RUN: Final = METADATA.tables["run"]
WAIT: Final = METADATA.tables["wait"]
TURN: Final = METADATA.tables["turn"]
CONVERSATION: Final = METADATA.tables["conversation"]
MESSAGE: Final = METADATA.tables["message"]
IDEMPOTENCY: Final = METADATA.tables["idempotency"]
TASK: Final = METADATA.tables["task"]
SIGNAL: Final = METADATA.tables["signal"]
LISTENING: Final = METADATA.tables["listening"]
META: Final = METADATA.tables["meta"]

FIRST: Final[ColumnElement[int]] = literal_column("0")
"""The offset of a positional statement with a limit: where it has none, SQLAlchemy writes `OFFSET ?` on SQLite and binds a 0 to it."""

_POSITIONAL: Final = sqlite.dialect(paramstyle="qmark")
_NAMED: Final = sqlite.dialect(paramstyle="named")


def named(statement: ClauseElement) -> str:
    """SQL text with `:name` parameters; the whole numbers among its constants stand in the text."""
    compiled = statement.compile(dialect=_NAMED)
    text = str(compiled)
    for name, value in compiled.params.items():
        if isinstance(value, int):
            text = re.sub(rf":{name}\b", str(value), text)
    return text


def positional(statement: ClauseElement, *names: str) -> str:
    """SQL text with `?` parameters, which are the named ones in this order."""
    compiled = statement.compile(dialect=_POSITIONAL)
    if isinstance(compiled, SQLCompiler) and tuple(compiled.positiontup or ()) != names:
        raise AssertionError(f"The parameters stand in the order {compiled.positiontup}.")
    return str(compiled)


def columns(table: FromClause, row: type[Struct]) -> list[ColumnElement[object]]:
    """The table's columns in the order of the row's fields."""
    return [table.c[name] for name in row.__struct_fields__]


def inserted(table: Table) -> Insert:
    """A row of the table, with a parameter for each column."""
    return insert(table).values({column.name: bindparam(column.name) for column in table.columns})


def upserted(table: Table, key: list[str], *, only: ColumnElement[bool] | None = None) -> Insert:
    """The same over the row that has the key already; `only` where that holds of the row."""
    new = inserted(table)
    others = {column.name: new.excluded[column.name] for column in table.columns if column.name not in key}
    return new.on_conflict_do_update(index_elements=key, set_=others, where=only)
