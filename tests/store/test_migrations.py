"""What migrating promises: the schema that the program declares, from nothing or again, and one clear line when it cannot be."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from engine.errors import StoreError
from engine.runtime.invariants import check_invariants
from engine.runtime.store import migrate as migrating
from engine.runtime.store import rows
from engine.runtime.store.migrate import migrate
from engine.runtime.store.sqlite.lock import ServerLock
from engine.runtime.store.sqlite.open import open_registry, open_sqlite
from engine.runtime.store.tables import METADATA, NEWEST_MIGRATION
from engine.testing.clock import ManualClock
from tests.store.turns import end_wait, start

ROW_OF_TABLE = {
    "conversation": rows.ConversationRow,
    "run": rows.RunRow,
    "wait": rows.WaitRow,
    "turn": rows.TurnRow,
    "usage": rows.UsageRow,
    "outbox": rows.OutboxRow,
    "delivery": rows.DeliveryRow,
    "idempotency": rows.IdempotencyRow,
    "effect_result": rows.EffectResultRow,
}


def schema_of(path: Path) -> set[tuple[str, str]]:
    """Every table and index of the file with the text that made it, spaces and quotes apart."""
    connection = sqlite3.connect(path)
    try:
        made = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'").fetchall()
    finally:
        connection.close()
    return {(name, "".join(sql.replace('"', "").split())) for name, sql in made}


def downgrade(path: Path, revision: str) -> None:
    """Take migrations back."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()


def test_migrating_an_empty_file_gives_the_schema_that_is_declared(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/migrated.db")
    declared = create_engine(f"sqlite:///{tmp_path}/declared.db")
    METADATA.create_all(declared)
    declared.dispose()
    assert len(schema_of(tmp_path / "migrated.db")) > len(METADATA.tables)
    assert schema_of(tmp_path / "migrated.db") == schema_of(tmp_path / "declared.db")


def test_alembic_finds_nothing_left_to_do_after_migrating(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/baton.db"
    migrate(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_migrating_again_changes_nothing_and_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "baton.db"
    migrate(f"sqlite:///{path}")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("INSERT INTO tenant VALUES ('t', 'acme', 1)")
    migrate(f"sqlite:///{path}")
    assert connection.execute("SELECT name FROM tenant").fetchall() == [("acme",)]
    connection.close()


async def test_a_file_is_not_migrated_under_a_server_that_runs_on_it(tmp_path: Path) -> None:
    path = tmp_path / "baton.db"
    migrate(f"sqlite:///{path}")
    downgrade(path, "0001")
    before = schema_of(path)
    with ServerLock(path), pytest.raises(StoreError, match=r"^Another server runs on [^\n]*$"):
        await open_registry(path)
    assert schema_of(path) == before
    await (await open_registry(path)).close()
    assert schema_of(path) != before


def test_taking_the_migrations_back_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "baton.db"
    migrate(f"sqlite:///{path}")
    downgrade(path, "base")
    assert schema_of(path) == set()


def of_another(path: Path) -> None:
    """The same runs under another tenant, whose turns have ids of their own."""
    columns = "conversation_id, flow, version, intent, status, rev, epoch, input_rev, state, started_at, ended_at, end_reason, lease_until"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"INSERT INTO run SELECT 'another', id, {columns}, attempts FROM run WHERE tenant_id = 't'")  # noqa: S608 - ours
        connection.execute("INSERT INTO turn SELECT 'another', 'u-' || id, run_id, rev, event, at, done, reply, trace FROM turn")


async def test_turns_of_a_database_that_knew_them_by_an_index_become_a_chain(tmp_path: Path) -> None:
    path = tmp_path / "baton.db"
    store, registry = await open_sqlite(path, ManualClock())
    runs = [await start(store) for _ in range(3)]
    for run_id in (runs[0], runs[0], runs[1]):
        await end_wait(store, run_id, "answered")
    before = [await store.turns("t", run_id) for run_id in runs]
    await store.close()
    await registry.close()
    downgrade(path, "0001")
    assert "turn_by_run" in dict(schema_of(path))
    of_another(path)
    store, registry = await open_sqlite(path, ManualClock())
    assert [await store.turns("t", run_id) for run_id in runs] == before
    assert [len(turns) for turns in before] == [3, 2, 1]
    for run_id, turns in zip(runs, before, strict=True):
        assert [row.id for row in await store.turns("another", run_id)] == [f"u-{row.id}" for row in turns]
    assert await end_wait(store, runs[0], "answered") == "answered"
    await store.close()
    await registry.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table in ("run", "turn"):
            connection.execute(f"DELETE FROM {table} WHERE tenant_id = 'another'")  # noqa: S608 - they have neither waits nor messages
    assert check_invariants(path) == []


def test_a_database_of_a_newer_version_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "baton.db"
    migrate(f"sqlite:///{path}")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=r"^[^\n]*newer version[^\n]*$"):
        migrate(f"sqlite:///{path}")


def test_a_file_that_is_no_database_is_refused_in_one_line_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"^[^\n]*notes.txt cannot be used[^\n]*$"):
        migrate(f"sqlite:///{path}")
    assert path.read_text(encoding="utf-8") == "not a database " * 100


def test_the_database_of_another_program_is_refused_in_one_line_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (id)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"^[^\n]*shop.db is the database of another program[^\n]*$"):
        migrate(f"sqlite:///{path}")
    assert path.read_bytes() == before


@pytest.mark.parametrize("table", ROW_OF_TABLE)
def test_a_table_has_the_columns_of_its_row_in_the_same_order(table: str) -> None:
    assert [column.name for column in METADATA.tables[table].columns] == list(ROW_OF_TABLE[table].__struct_fields__)


def test_the_tenant_leads_every_primary_key_of_what_tenants_own() -> None:
    first = {name: next(iter(table.primary_key.columns)).name for name, table in METADATA.tables.items()}
    assert {name for name, column in first.items() if column != "tenant_id"} == {"tenant", "meta"}


def test_the_tables_name_the_newest_migration() -> None:
    assert ScriptDirectory(str(Path(migrating.__file__).parent / "migrations")).get_current_head() == NEWEST_MIGRATION
