"""Copies of a whole database, to an SQLite file and back.

A copy is a snapshot, made while the service may run. A copy of SQLite is made in one step, since a
copy in several steps restarts at each write. A copy of PostgreSQL is made row by row, in a form
that both databases can read.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from bot.store import foreign
from bot.store.counters import DERIVED
from bot.store.engines import Transaction, begun, file_engine
from bot.store.files import file_of
from bot.store.identity import COPY_OF
from bot.store.migrations import upgrade
from bot.store.reading import check_version, open_reading, pages, read_only, version_of
from bot.store.tables import metadata, posts

_AT_ONCE = 50
"""Rows that are copied at a time and held in memory."""
_PATIENCE = 5.0
"""Seconds that a copy waits for a lock of another connection."""


async def copy_database(url: str, into: Path) -> str:
    """Write all rows at `url` to the new file `into`. Return the version of their tables.

    Raises `Broken` as `open_reading` does, and for tables of another version in PostgreSQL. Raises
    `OSError` or `sqlite3.Error` if `into` can't be written.
    """
    file = file_of(url)
    async with open_reading(url) as source:
        version = await source.run(version_of)
        if file is None:
            await source.run(check_version)
            async with begun(file_engine(into)) as copy:
                await copy.run(upgrade)
                await _pour(source, copy)
    if file is not None:
        await asyncio.to_thread(copy_file, file, into)
    return version


def copy_file(source: Path, into: Path) -> None:
    """Copy an SQLite file with its journal; the file may be open. Raises `sqlite3.Error`."""
    with (
        closing(sqlite3.connect(read_only(source), uri=True, timeout=_PATIENCE)) as reading,
        closing(sqlite3.connect(into)) as writing,
    ):
        reading.backup(writing, pages=-1)


def mark_copy(file: Path, *, made_at: float) -> None:
    """Mark a file as a backup, so the service does not run on its rows before a restore."""
    with closing(sqlite3.connect(file)) as copy, copy:
        copy.execute("DELETE FROM settings WHERE name = ?", (COPY_OF,))
        copy.execute("INSERT INTO settings (name, value) VALUES (?, ?)", (COPY_OF, repr(made_at)))


async def load_server(target: Transaction, source: Path) -> None:
    """Replace all rows in PostgreSQL by the rows of the file `source`. Nothing is committed.

    Raises `Broken("database_foreign")`, or `Broken("database_newer")` for tables of a newer
    program.
    """
    await target.run(_emptied)
    async with begun(file_engine(source)) as copy:
        await _pour(copy, target)
    await target.run(_count_on)


def _emptied(connection: Connection) -> None:
    if names := foreign.tables_of_others(connection):
        raise foreign.foreign(str(connection.engine.url.database), names)
    upgrade(connection)
    tables = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    # Without CASCADE, which would also empty another program's tables that refer to ours.
    connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")


def _count_on(connection: Connection) -> None:
    """Set the sequence of post ids behind the highest id."""
    newest = sa.select(sa.func.coalesce(sa.func.max(posts.c.id), 0) + 1).scalar_subquery()
    number = sa.func.pg_get_serial_sequence(posts.name, posts.c.id.name)
    connection.execute(sa.select(sa.func.setval(number, newest, False)))


async def _pour(source: Transaction, target: Transaction) -> None:
    """Copy all rows of one database to the empty tables of another."""
    for table in metadata.sorted_tables:
        if table in DERIVED:
            continue
        async for rows in pages(source, sa.select(table), _AT_ONCE):
            await target.run(partial(_insert, table, rows))


def _insert(table: sa.Table, rows: Sequence[RowMapping], connection: Connection) -> None:
    connection.execute(sa.insert(table), [_plain(row) for row in rows])


def _plain(row: RowMapping) -> dict[str, Any]:
    """Return a row that both databases accept: PostgreSQL refuses NUL in text."""
    return {
        str(name): value.replace("\0", "") if isinstance(value, str) else value
        for name, value in row.items()
    }
