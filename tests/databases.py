"""Databases with empty tables: migrated once per process, then copied.

A test of the migrations, or of a database without tables, uses `new_url` instead.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from bot.store.database import Database, open_database
from bot.store.engines import Result

_tables: list[bytes] = []
"""The SQLite file after all migrations, made at the first use."""


@asynccontextmanager
async def open_rows(folder: Path) -> AsyncIterator[Database]:
    """Open this folder's SQLite database; opening the folder again finds the same rows."""
    file = folder / "rows.db"
    if not file.exists():
        await write_tables(file)
    async with open_database(f"sqlite:///{file}") as database:
        await sync_nothing(database)
        yield database


async def sync_nothing(database: Database) -> None:
    """Switch off syncing: a crash of the machine may lose the rows, which no test keeps."""
    if database.is_sqlite:
        await on_driver(database, lambda it: it.execute("PRAGMA synchronous=OFF").close())


async def on_driver(database: Database, work: Callable[[sqlite3.Connection], None]) -> None:
    """Call `work` with SQLite's own connection, in the thread of transactions."""

    def visit(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        work(driver)

    await database.read(visit)


async def write_tables(file: Path) -> None:
    """Make `file` a SQLite database with empty tables."""
    if not _tables:
        with TemporaryDirectory() as folder:
            first = Path(folder) / "first.db"
            async with open_database(f"sqlite:///{first}"):
                pass
            _tables.append(first.read_bytes())
    file.write_bytes(_tables[0])


async def hold(
    database: Database,
    work: Callable[[Connection], Result],
    *,
    begun: asyncio.Event,
    may_end: asyncio.Event,
) -> Result:
    """Run `work` in a transaction that stays open until `may_end` is set; the event loop is not
    blocked.
    """
    async with database._in_turn(), database._engine.begun() as transaction:
        result = await transaction.run(work)
        begun.set()
        await may_end.wait()
        return result
