"""DBOS on its SQLite system database, launched for a benchmark: no logs, no admin server, the shortest polling that it allows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS

from scripts.benchmarks.peers.racing import Durability


@asynccontextmanager
async def launched(path: Path) -> AsyncIterator[sa.Engine]:
    """DBOS on a new file; WAL costs less than the journal that it would leave as it is."""
    engine = sa.create_engine(f"sqlite:///{path}")

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"  # as its own engine is set
        for pragma in ("busy_timeout = 30000", "foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")

    DBOS(
        config={
            "name": "bench",
            "system_database_url": f"sqlite:///{path}",
            "system_database_engine": engine,
            "notification_listener_polling_interval_sec": 0.001,
            "run_admin_server": False,
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    try:
        yield engine
    finally:
        await asyncio.to_thread(DBOS.destroy)
        engine.dispose()


def durability(engine: sa.Engine) -> Durability:
    """Of a connection of its own pool."""
    with engine.connect() as connection:
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    return Durability(str(journal), int(synchronous))
