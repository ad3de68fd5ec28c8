"""The registry's port in one SQLite file; any process may change it while a server runs on it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
import msgspec
import sqlalchemy
from msgspec import Struct
from sqlalchemy import AsyncAdaptedQueuePool, Connection, and_, bindparam, event, func, literal_column
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from engine.errors import StoreError, TenantExists, Unavailable
from engine.model.values import Millis
from engine.runtime.store.registry import (
    ApiKeyRow,
    ConnectionRow,
    Draft,
    FlowHead,
    FlowVersionRow,
    PriceRow,
    PublicKeyRow,
    Register,
    Resealed,
    TenantRow,
    WebhookRow,
)
from engine.runtime.store.sqlite.connect import BUSY_MILLIS, existing
from engine.runtime.store.tables import (
    METADATA,
    ApiKeyTable,
    ConnectionTable,
    FlowVersionTable,
    MetaTable,
    PriceTable,
    PublicKeyTable,
    Stored,
    TenantTable,
    WebhookTable,
)

RowT = TypeVar("RowT", bound=Struct)
StoredT = TypeVar("StoredT", bound=Stored)

_LAST_VERSION = 2**63 - 1
_PACKED = frozenset({"intents", "origins", "scopes", "events"})
_SEALED = ((ConnectionTable, "secret"), (WebhookTable, "secret"), (WebhookTable, "old_secret"))
_NEXT_REVISION = (
    insert(MetaTable)
    .inline()
    .values(name=literal_column("'revision'"), value=bindparam("first", 1))
    .on_conflict_do_update(index_elements=["name"], set_={"value": col(MetaTable.value) + 1})
)
_VERSION = METADATA.tables["flow_version"]
_NEWEST = (
    sqlalchemy.select(_VERSION.c.tenant_id, _VERSION.c.flow, func.max(_VERSION.c.version).label("version"))
    .group_by(_VERSION.c.tenant_id, _VERSION.c.flow)
    .subquery()
)
_HEADS = (
    sqlalchemy.select(_VERSION.c.tenant_id, _VERSION.c.flow, _VERSION.c.version, _VERSION.c.digest, _VERSION.c.intent)
    .join(
        _NEWEST,
        and_(
            _VERSION.c.tenant_id == _NEWEST.c.tenant_id,
            _VERSION.c.flow == _NEWEST.c.flow,
            _VERSION.c.version == _NEWEST.c.version,
        ),
    )
    .order_by(_VERSION.c.tenant_id, _VERSION.c.flow)
)


class SqliteRegistry:
    """Short transactions on connections of its own; `open_registry` makes it."""

    def __init__(self, path: Path) -> None:
        async def connect() -> aiosqlite.Connection:
            connection = await aiosqlite.connect(existing(path), uri=True, isolation_level=None)
            await connection.execute_fetchall(f"PRAGMA busy_timeout = {BUSY_MILLIS}")
            await connection.execute_fetchall("PRAGMA synchronous = FULL")
            return connection

        self._engine = create_async_engine("sqlite+aiosqlite://", async_creator=connect, poolclass=AsyncAdaptedQueuePool, pool_size=1)
        event.listen(self._engine.sync_engine, "begin", _begin)
        self._reading = self._engine.execution_options(reading=True)

    async def revision(self) -> int:
        """One row by its key."""
        async with self._read() as session:
            return await _revision(session)

    async def register(self) -> Register:
        """One reading transaction."""
        async with self._read() as session:
            return Register(
                revision=await _revision(session),
                tenants=tuple(_row(TenantRow, found) for found in await session.exec(select(TenantTable).order_by(TenantTable.id))),
                public_keys=tuple(
                    _row(PublicKeyRow, found)
                    for found in await session.exec(select(PublicKeyTable).order_by(PublicKeyTable.tenant_id, PublicKeyTable.id))
                ),
                api_keys=tuple(
                    _row(ApiKeyRow, found)
                    for found in await session.exec(select(ApiKeyTable).order_by(ApiKeyTable.tenant_id, ApiKeyTable.id))
                ),
                flows=await _heads(session),
                prices=tuple(
                    _row(PriceRow, found)
                    for found in await session.exec(
                        select(PriceTable).order_by(PriceTable.tenant_id, PriceTable.model, col(PriceTable.effective_from))
                    )
                ),
                connections=tuple(
                    _row(ConnectionRow, found)
                    for found in await session.exec(select(ConnectionTable).order_by(ConnectionTable.tenant_id, ConnectionTable.name))
                ),
                webhooks=tuple(
                    _row(WebhookRow, found)
                    for found in await session.exec(select(WebhookTable).order_by(WebhookTable.tenant_id, WebhookTable.id))
                ),
            )

    async def add_tenant(self, tenant: TenantRow, public_key: PublicKeyRow, api_key: ApiKeyRow) -> None:
        """The look for the name and the rows are one transaction."""
        async with self._change() as session:
            if (await session.exec(select(TenantTable).where(TenantTable.name == tenant.name))).first():
                raise TenantExists(f"There is a tenant {tenant.name!r} already.")
            session.add_all([_stored(TenantTable, tenant), _stored(PublicKeyTable, public_key), _stored(ApiKeyTable, api_key)])
            await _raise_revision(session)

    async def put_public_key(self, row: PublicKeyRow) -> None:
        """By tenant and id."""
        await self._put(_stored(PublicKeyTable, row))

    async def put_api_key(self, row: ApiKeyRow) -> None:
        """By tenant and id."""
        await self._put(_stored(ApiKeyTable, row))

    async def publish(self, tenant_id: str, drafts: Sequence[Draft], at: Millis) -> Sequence[FlowVersionRow]:
        """Versions count on from the active one."""
        published: list[FlowVersionRow] = []
        async with self._change() as session:
            for draft in drafts:
                active = await _active(session, tenant_id, draft.flow)
                if active is not None and active.digest == draft.digest:
                    continue
                version = 1 if active is None else active.version + 1
                row = FlowVersionRow(tenant_id=tenant_id, version=version, published_at=at, **msgspec.structs.asdict(draft))
                session.add(_stored(FlowVersionTable, row))
                await session.flush()
                published.append(row)
            if published:
                await _raise_revision(session)
        return published

    async def version(self, tenant_id: str, flow: str, version: int) -> FlowVersionRow | None:
        """By its key; a number that no column can hold is nobody's."""
        if version > _LAST_VERSION:
            return None
        async with self._read() as session:
            found = await session.get(FlowVersionTable, (tenant_id, flow, version))
            return None if found is None else _row(FlowVersionRow, found)

    async def documents(self) -> Sequence[tuple[FlowHead, bytes]]:
        """One statement for all."""
        async with self._read() as session:
            connection = await session.connection()
            found = await connection.execute(_HEADS.add_columns(_VERSION.c.document))
            return [(_head(row[:-1]), row[-1]) for row in found]

    async def put_prices(self, rows: Sequence[PriceRow]) -> None:
        """One transaction for all."""
        if not rows:
            return
        async with self._change() as session:
            for row in rows:
                replaced = delete(PriceTable).where(
                    col(PriceTable.tenant_id) == row.tenant_id,
                    col(PriceTable.model) == row.model,
                    col(PriceTable.effective_from) == row.effective_from,
                )
                await session.exec(replaced)
                session.add(_stored(PriceTable, row))
                await session.flush()
            await _raise_revision(session)

    async def put_connection(self, row: ConnectionRow) -> None:
        """By tenant and name."""
        await self._put(_stored(ConnectionTable, row))

    async def drop_connection(self, tenant_id: str, name: str) -> bool:
        """By tenant and name."""
        return await self._drop(ConnectionTable, (tenant_id, name))

    async def put_webhook(self, row: WebhookRow) -> None:
        """By tenant and id."""
        await self._put(_stored(WebhookTable, row))

    async def drop_webhook(self, tenant_id: str, webhook_id: str) -> bool:
        """By tenant and id."""
        return await self._drop(WebhookTable, (tenant_id, webhook_id))

    async def drop_old_secrets(self, until: Millis) -> int:
        """One statement, so that no other change of an endpoint is lost."""
        async with self._change() as session:
            dropped = update(WebhookTable).where(col(WebhookTable.old_until) <= until).values(old_secret=None, old_until=None)
            count: int = (await session.exec(dropped)).rowcount
            if count:
                await _raise_revision(session)
            return count

    async def reseal(self, secrets: Sequence[Resealed]) -> int:
        """A statement for each place where one may stand: nothing is read that another process could change meanwhile."""
        count = 0
        async with self._change() as session:
            for secret in secrets:
                for table, name in _SEALED:
                    stands = (col(table.tenant_id) == secret.tenant_id, getattr(table, name) == secret.was)
                    count += (await session.exec(update(table).where(*stands).values({name: secret.sealed}))).rowcount
            if count:
                await _raise_revision(session)
        return count

    async def close(self) -> None:
        """Let go of the file."""
        await self._engine.dispose()

    async def _put(self, row: Stored) -> None:
        async with self._change() as session:
            await session.merge(row)
            await _raise_revision(session)

    async def _drop(self, table: type[Stored], key: tuple[str, str]) -> bool:
        async with self._change() as session:
            found = await session.get(table, key)
            if found is None:
                return False
            await session.delete(found)
            await _raise_revision(session)
            return True

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[AsyncSession]:
        try:
            async with AsyncSession(self._reading, expire_on_commit=False) as session, session.begin():
                yield session
        except DBAPIError as error:
            raise Unavailable(retry_after=1) from error

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[AsyncSession]:
        try:
            async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
                yield session
        except IntegrityError as error:
            raise StoreError(f"Nothing was changed: another row has the same key ({error.orig}).") from error
        except DBAPIError as error:
            raise Unavailable(retry_after=1) from error


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    # A change takes the write lock at once: to read first and lock later is how updates get lost or refused.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


async def _revision(session: AsyncSession) -> int:
    found = await session.exec(select(MetaTable.value).where(MetaTable.name == "revision"))
    return found.one_or_none() or 0


async def _raise_revision(session: AsyncSession) -> None:
    await session.exec(_NEXT_REVISION)


async def _heads(session: AsyncSession) -> tuple[FlowHead, ...]:
    connection = await session.connection()
    found = await connection.execute(_HEADS)
    return tuple(map(_head, found))


def _head(row: Sequence[Any]) -> FlowHead:
    tenant, flow, version, digest, intent = row
    return FlowHead(tenant_id=tenant, flow=flow, version=version, digest=digest, intent=intent)


async def _active(session: AsyncSession, tenant_id: str, flow: str) -> FlowVersionTable | None:
    of_flow = select(FlowVersionTable).where(FlowVersionTable.tenant_id == tenant_id, FlowVersionTable.flow == flow)
    return (await session.exec(of_flow.order_by(col(FlowVersionTable.version).desc()).limit(1))).first()


def _stored(table: type[StoredT], row: Struct) -> StoredT:
    values: dict[str, Any] = msgspec.structs.asdict(row)
    for name in _PACKED & values.keys():
        values[name] = None if values[name] is None else msgspec.msgpack.encode(values[name])
    return table(**values)


def _row(kind: type[RowT], found: Stored) -> RowT:
    values = {name: getattr(found, name) for name in kind.__struct_fields__}
    for name in _PACKED & values.keys():
        values[name] = None if values[name] is None else msgspec.msgpack.decode(values[name])
    return kind(**values)
