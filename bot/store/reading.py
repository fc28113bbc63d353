"""Read-only snapshots of a database, made while the service may run.

A snapshot takes no lock of the service and does not upgrade tables. SQLite is opened read-only, and
PostgreSQL runs a read-only transaction.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from bot.core.errors import Broken, DatabaseAbsent, DatabaseDamaged, DatabaseOlder
from bot.store import migrations
from bot.store.engines import Engine, SqliteEngine, Transaction, begun
from bot.store.foreign import check_ours, foreign, tables_of_others

PATIENCE = 5
"""Seconds that the database may take to answer."""


@asynccontextmanager
async def open_reading(url: str) -> AsyncIterator[Transaction]:
    """Open a read-only transaction of the database at `url`, with tables of any version.

    Raises `Broken`: `database_absent`, `database_foreign`, `database_empty`, or
    `database_damaged` for a file that can't be read.
    """
    file = _file(url)
    if file and not file.exists():
        raise DatabaseAbsent(file=str(file.absolute()))
    if file:
        check_ours(file)
    with _readable(file):
        async with begun(_engine(url, file)) as transaction:
            where = str(file or make_url(url).host)
            await transaction.run(lambda connection: _check_tables(connection, where))
            yield transaction


def version_of(connection: Connection) -> str:
    """Return the version of the tables of `connection`."""
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")))


def check_version(connection: Connection) -> None:
    """Raise `Broken` (`database_older` or `database_newer`) for tables of another version."""
    version = version_of(connection)
    if version == migrations.head():
        return
    if version in migrations.known():
        raise DatabaseOlder(found=version, known=migrations.head())
    raise Broken("database_newer", found=version, known=migrations.head())


async def pages(
    transaction: Transaction, query: sa.Executable, size: int
) -> AsyncIterator[Sequence[RowMapping]]:
    """Yield the rows of `query`, `size` rows at a time: no more are held in memory."""
    lazily = query.execution_options(stream_results=True, max_row_buffer=size)
    found = await transaction.run(lambda connection: connection.execute(lazily).mappings())
    while rows := await transaction.run(lambda _: found.fetchmany(size)):
        yield rows


def read_only(file: Path) -> str:
    """Return the URI with which SQLite opens this file read-only."""
    return f"file:{quote(str(file.absolute()))}?mode=ro"


def _file(url: str) -> Path | None:
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def _engine(url: str, file: Path | None) -> Engine:
    if file is not None:
        connect = partial(sqlite3.connect, read_only(file), uri=True, timeout=PATIENCE)
        return SqliteEngine(make_url(url), connect, begin="BEGIN")
    from bot.store.server import ServerEngine

    return ServerEngine(
        make_url(url),
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
        connect_args={"timeout": PATIENCE, "command_timeout": PATIENCE},
    )


@contextmanager
def _readable(file: Path | None) -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        if file is None:
            raise
        raise DatabaseDamaged(file=str(file), verdict=str(error.orig)) from error


def _check_tables(connection: Connection, where: str) -> None:
    if names := tables_of_others(connection):
        raise foreign(where, names)
    if not sa.inspect(connection).has_table("alembic_version"):
        raise DatabaseAbsent("database_empty", where=where)
