"""Copies of a whole database: into a file of SQLite, and out of one again.

A copy is of one moment and is made beside the running service. SQLite's own is taken in one step:
one of several steps would begin again at each write. PostgreSQL's is one of rows, table by table,
which both databases read.
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
"""Rows that are held in memory on their way."""
_PATIENCE = 5.0
"""Seconds that a lock of somebody else may hold a copy up."""


async def copy_database(url: str, into: Path) -> str:
    """Write all rows at `url` to the new file `into`; answers the version of their tables.

    Raises `Broken` as `open_reading` does, `database_older` for tables of PostgreSQL that an
    earlier version has made, and `OSError` or `sqlite3.Error` if `into` can't be written.
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
    """Copy a file of SQLite with its journal, whoever has it open. Raises `sqlite3.Error`."""
    with (
        closing(sqlite3.connect(read_only(source), uri=True, timeout=_PATIENCE)) as reading,
        closing(sqlite3.connect(into)) as writing,
    ):
        reading.backup(writing, pages=-1)


def mark_copy(file: Path, *, made_at: float) -> None:
    """Let nobody run on these rows: they have to be restored."""
    with closing(sqlite3.connect(file)) as copy, copy:
        copy.execute("DELETE FROM settings WHERE name = ?", (COPY_OF,))
        copy.execute("INSERT INTO settings (name, value) VALUES (?, ?)", (COPY_OF, repr(made_at)))


async def load_server(target: Transaction, source: Path) -> None:
    """Put the rows of the file `source` in the place of all that PostgreSQL has, uncommitted.

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
    # Without CASCADE: a table of another program that points to ours is not emptied along.
    connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")


def _count_on(connection: Connection) -> None:
    """New posts get numbers behind those that came along."""
    newest = sa.select(sa.func.coalesce(sa.func.max(posts.c.id), 0) + 1).scalar_subquery()
    number = sa.func.pg_get_serial_sequence(posts.name, posts.c.id.name)
    connection.execute(sa.select(sa.func.setval(number, newest, False)))


async def _pour(source: Transaction, target: Transaction) -> None:
    """All rows of one database into the empty tables of another."""
    for table in metadata.sorted_tables:
        if table in DERIVED:
            continue
        async for rows in pages(source, sa.select(table), _AT_ONCE):
            await target.run(partial(_insert, table, rows))


def _insert(table: sa.Table, rows: Sequence[RowMapping], connection: Connection) -> None:
    connection.execute(sa.insert(table), [_plain(row) for row in rows])


def _plain(row: RowMapping) -> dict[str, Any]:
    """A row that both databases take: PostgreSQL has no text with a NUL in it."""
    return {
        str(name): value.replace("\0", "") if isinstance(value, str) else value
        for name, value in row.items()
    }
