"""A database with a crowd of waiting runs: a real run of each kind, made by the executor, and copies of it with ids of their own.

The copies go through the store's own insert statements, in bulk; they need not outlive a power cut, so nothing is synced before the end.
What webhooks are told of a run is pruned long before a patient one goes on, so that is not copied.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from engine.loading import Source
from engine.runtime.administration import publish
from engine.runtime.requests import Caller, OpenRequest, TriggerRequest
from engine.runtime.runtime import Runtime
from engine.runtime.store.sqlite.save_statements import INSERT
from scripts.benchmarks.subject import SECRET, prepare

PATIENT: Final = "patient"
HASTY: Final = "hasty"
HASTE: Final = 3_600_000
"""Milliseconds after which the hasty ones are due; the patient ones wait for days."""

_LATE: Final = "Nobody has said anything for a while. " + "The way goes on between two hedges, and ends at another fork. " * 22
_SOURCE: Final = """\
flow: {name}
intent: {{label: Wait}}
expires_after: 30d
nodes:
  ask: {{type: ask, prompt: Are you still there?, timeout: {{after: {after}, next: late}}, next: late}}
  late: {{type: message, text: "{late}", next: ask}}
"""
"""When its time runs out it says something of 2 kB and asks again: a full turn."""

_COPIED: Final = ("conversation", "run", "wait", "turn", "message")
_ID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AT_ONCE: Final = 5_000


class Crowd(Struct, frozen=True):
    """What stands in the database: `due` of the `waiting` runs are hasty."""

    path: Path
    tenant_id: str
    waiting: int
    due: int


async def gather(path: Path, waiting: int, due: int) -> Crowd:
    """Make a database with so many waiting runs, each in a conversation of its own."""
    runtime = await Runtime.start(database_url=f"sqlite:///{path}", secret=SECRET, serving=False)
    try:
        tenant = await prepare(runtime)
        flows = ((PATIENT, "20d"), (HASTY, "1h"))
        sources = [Source(f"{name}.yaml", _SOURCE.format(name=name, after=after, late=_LATE)) for name, after in flows]
        await publish(runtime.registry, tenant.tenant_id, sources, runtime.store.now())
        await runtime.catalog.refresh()
        first = {name: await _begin(runtime, tenant.tenant_id, name) for name in (PATIENT, HASTY)}
    finally:
        await runtime.stop()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -200000"):
            connection.execute(f"PRAGMA {pragma}")
        _copy(connection, first[PATIENT], waiting - due - 1)
        _copy(connection, first[HASTY], due - 1)
    return Crowd(path, tenant.tenant_id, waiting, due)


async def _begin(runtime: Runtime, tenant_id: str, flow: str) -> str:
    """The conversation of a run that waits."""
    opened = await runtime.executor.open(tenant_id, OpenRequest(public_key_id="bench"))
    caller = Caller(tenant_id=tenant_id, conversation_id=opened.conversation_id)
    await runtime.executor.trigger(caller, TriggerRequest(intent=flow))
    return opened.conversation_id


def _copy(connection: sqlite3.Connection, conversation_id: str, count: int) -> None:
    """Copy everything that belongs to the conversation so many times."""
    rows = {table: _rows(connection, table, conversation_id) for table in _COPIED}
    (tenant_id,) = {row[0] for its in rows.values() for row in its}
    ids = {found for its in rows.values() for row in its for value in row for found in _ids(value)} - {tenant_id}
    stencils = [(INSERT[table], _Stencil(row, ids)) for table, its in rows.items() for row in its]
    numbers = iter(range(1, count + 1))
    while chunk := list(islice(numbers, _AT_ONCE)):
        connection.execute("BEGIN")
        for statement, stencil in stencils:
            connection.executemany(statement, stencil.copies(chunk))
        connection.execute("COMMIT")


def _rows(connection: sqlite3.Connection, table: str, conversation_id: str) -> list[tuple[Any, ...]]:
    of_run = "run_id IN (SELECT id FROM run WHERE conversation_id = ?)"
    chosen = {"conversation": "id = ?", "run": "conversation_id = ?", "message": "conversation_id = ?"}.get(table, of_run)
    found: list[tuple[Any, ...]] = connection.execute(f"SELECT * FROM {table} WHERE {chosen}", (conversation_id,)).fetchall()  # noqa: S608 - names of ours
    return found


class _Stencil:
    """A row whose ids are cut out, so that others can be put in: a copy of an id has the copy's number between its time and its end."""

    def __init__(self, row: tuple[Any, ...], ids: set[str]) -> None:
        self._columns = [_cut(value, ids) for value in row]

    def copies(self, numbers: list[int]) -> Iterator[tuple[Any, ...]]:
        """One row for each number."""
        for number in numbers:
            text = f"8{number >> 14:03x}-{number & 0x3FFF | 0x8000:04x}"  # 26 bits, behind an 8: the first one has a 7 there
            raw = text.encode()
            yield tuple(
                column if cut == 0 else column % ((text if isinstance(column, str) else raw,) * cut) for column, cut in self._columns
            )


def _cut(value: Any, ids: set[str]) -> tuple[Any, int]:
    """The value with a gap in each of the ids, and how many gaps there are."""
    if isinstance(value, str):
        return ("%s".join(_ends(value)), 1) if value in ids else (value, 0)
    if not isinstance(value, bytes):
        return value, 0
    parts = value.replace(b"%", b"%%")
    cut = 0
    for one in ids:
        cut += parts.count(one.encode())
        parts = parts.replace(one.encode(), "%s".join(_ends(one)).encode())
    return (parts, cut) if cut else (value, 0)


def _ends(one: str) -> tuple[str, str]:
    """The id's time, and its last group with the hyphen before it: ids of one millisecond differ there alone."""
    return one[:14], one[23:]


def _ids(value: Any) -> list[str]:
    raw = value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""
    return [found.decode() for found in _ID.findall(raw)]
