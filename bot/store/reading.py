"""The rows as they are at one moment, read beside the running service, and nothing changed.

It neither takes the service's lock nor brings tables up to date; SQLite is opened read-only, and
PostgreSQL is asked in a read-only transaction.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.core.errors import Broken, DatabaseAbsent, DatabaseDamaged, DatabaseOlder
from bot.store import migrations
from bot.store.engines import begun
from bot.store.foreign import check_ours, foreign, tables_of_others

PATIENCE = 5
"""Seconds that the database may take for an answer."""


@asynccontextmanager
async def open_reading(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection to the database at `url`, of whatever version its tables are.

    Raises `Broken`: `database_absent`, `database_foreign`, `database_empty`, or
    `database_damaged` for a file that can't be read.
    """
    file = _file(url)
    if file and not file.exists():
        raise DatabaseAbsent(file=str(file.absolute()))
    if file:
        check_ours(file)
    with _readable(file):
        async with begun(_engine(url, file)) as connection:
            await _check_tables(connection, str(file or make_url(url).host))
            yield connection


async def version_of(connection: AsyncConnection) -> str:
    """The version of its tables."""
    found = await connection.execute(sa.text("SELECT version_num FROM alembic_version"))
    return str(found.scalar())


async def check_version(connection: AsyncConnection) -> None:
    """Only tables as this program knows them can be read.

    Raises `Broken`: `database_older` or `database_newer`.
    """
    version = await version_of(connection)
    if version == migrations.head():
        return
    if version in migrations.known():
        raise DatabaseOlder(found=version, known=migrations.head())
    raise Broken("database_newer", found=version, known=migrations.head())


def read_only(file: Path) -> str:
    """The address under which SQLite opens this file and never writes to it."""
    return f"file:{quote(str(file.absolute()))}?mode=ro"


def _file(url: str) -> Path | None:
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def _engine(url: str, file: Path | None) -> AsyncEngine:
    if file is None:
        return create_async_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
            connect_args={"timeout": PATIENCE, "command_timeout": PATIENCE},
        )
    address = read_only(file)
    engine = create_async_engine(
        "sqlite+aiosqlite://",
        async_creator=lambda: aiosqlite.connect(address, uri=True, timeout=PATIENCE),
        poolclass=NullPool,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins no transaction for a mere look

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


@contextmanager
def _readable(file: Path | None) -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        if file is None:
            raise
        raise DatabaseDamaged(file=str(file), verdict=str(error.orig)) from error


async def _check_tables(connection: AsyncConnection, where: str) -> None:
    if names := await connection.run_sync(tables_of_others):
        raise foreign(where, names)
    if not await connection.run_sync(lambda it: sa.inspect(it).has_table("alembic_version")):
        raise DatabaseAbsent("database_empty", where=where)
