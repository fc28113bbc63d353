"""Databases whose tables are there and empty: migrated once per process, then copied.

A test of the migrations, or of what comes before them, takes `new_url`: there is nothing yet.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.store.database import Database, open_database

_tables: list[bytes] = []
"""The file that SQLite makes of all migrations; none before it is asked for."""


@asynccontextmanager
async def open_rows(folder: Path) -> AsyncIterator[Database]:
    """The SQLite database of this folder; the same folder again finds the same rows."""
    file = folder / "rows.db"
    if not file.exists():
        await write_tables(file)
    async with open_database(f"sqlite+aiosqlite:///{file}") as database:
        await sync_nothing(database)
        yield database


async def sync_nothing(database: Database) -> None:
    """A crash of the machine may cost this database its rows: it has none worth keeping."""
    if database.is_sqlite:
        async with database._engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.execute("PRAGMA synchronous=OFF")


async def write_tables(file: Path) -> None:
    """Make `file` a SQLite database with empty tables."""
    if not _tables:
        with TemporaryDirectory() as folder:
            first = Path(folder) / "first.db"
            async with open_database(f"sqlite+aiosqlite:///{first}"):
                pass
            _tables.append(first.read_bytes())
    file.write_bytes(_tables[0])
