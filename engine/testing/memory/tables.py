"""Rows of a store in memory, and what one decision changes of them: all of it or nothing."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from engine.runtime.store.port import StaleRecord

RowT = TypeVar("RowT", bound=Struct)
Key = tuple[Any, ...]


class Table(Generic[RowT]):
    """Rows by key; kept encoded, so that nobody changes what is stored by changing what was read."""

    def __init__(self, kind: type[RowT]) -> None:
        self._rows: dict[Key, bytes] = {}
        self._decoder = msgspec.msgpack.Decoder(kind)

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    def __getitem__(self, key: Key) -> RowT:
        return self._decoder.decode(self._rows[key])

    def __iter__(self) -> Iterator[RowT]:
        return map(self._decoder.decode, list(self._rows.values()))

    def get(self, key: Key) -> RowT | None:
        """The row, if there is one."""
        return self[key] if key in self._rows else None

    def of(self, wanted: Callable[[RowT], bool]) -> list[RowT]:
        """The rows that are wanted, in the order in which their keys came."""
        return [row for row in self if wanted(row)]

    def put(self, key: Key, row: bytes) -> None:
        """Keep the encoded row."""
        self._rows[key] = row

    def drop(self, key: Key) -> None:
        """Forget the row."""
        del self._rows[key]

    def update(self, other: "Table[RowT]") -> None:
        """Take over the rows of another one."""
        self._rows.update(other._rows)  # noqa: SLF001 - one of its own kind


class Changes:
    """What one decision would write; it is put into the tables when all of it has been found good."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, Key], tuple[Table[Any], bytes | None]] = {}

    def insert(self, table: Table[RowT], key: Key, row: RowT) -> None:
        """A row that must be new."""
        if key in table or (id(table), key) in self._rows:
            raise StaleRecord(f"There is such a row already: {key}.")
        self.put(table, key, row)

    def put(self, table: Table[RowT], key: Key, row: RowT) -> None:
        """A row, new or not."""
        self._rows[id(table), key] = (table, msgspec.msgpack.encode(row))

    def drop(self, table: Table[RowT], key: Key) -> None:
        """A row that is forgotten."""
        self._rows[id(table), key] = (table, None)

    def apply(self) -> None:
        """Put everything into the tables."""
        for (_, key), (table, row) in self._rows.items():
            if row is None:
                table.drop(key)
            else:
                table.put(key, row)
