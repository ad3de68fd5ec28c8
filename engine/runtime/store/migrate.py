"""Brings a database to the schema that this version of the program expects, whatever it had before."""

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import DatabaseError

from engine.errors import StoreError

_FOLDER = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Run every migration that the database lacks, all in one transaction; two processes that start at once do it once.

    StoreError when the file is no database of ours, cannot be opened, or was made by a newer version.
    """
    engine = create_engine(url, poolclass=NullPool)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            _upgrade(connection)
    except CommandError as error:
        raise StoreError(f"{engine.url.database} was made by a newer version of Baton: update the program ({error}).") from error
    except DatabaseError as error:
        raise StoreError(f"{engine.url.database} cannot be used as Baton's database: {error.orig}.") from error
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    head = ScriptDirectory.from_config(config).get_current_head()
    if MigrationContext.configure(connection).get_current_revision() == head:
        return
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        raise StoreError(f"The migration would leave {len(broken)} rows that point nowhere; nothing was changed.")


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 20000")
    _demand_ours(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    # With it on, Alembic's way of altering a table (copy, drop, rename) would delete the rows that point to it.
    connection.execute("PRAGMA foreign_keys = OFF")


def _demand_ours(connection: sqlite3.Connection) -> None:
    """A file that another program keeps its tables in is left as it is."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "alembic_version" not in tables:
        file = connection.execute("PRAGMA database_list").fetchone()[2]
        raise StoreError(f"{file} is the database of another program: name a file of Baton's own.")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
