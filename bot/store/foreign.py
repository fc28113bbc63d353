"""A database of another program: it is told, and nothing in it is changed."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from bot.core.errors import Broken
from bot.store.files import journal_of, size_of
from bot.store.tables import jobs, metadata

_SHOWN = 5
"""How many names of tables an operator needs to know whose they are."""


def tables_of_others(connection: sa.Connection) -> list[str]:
    """The tables of another program that stand where ours would.

    A file is one program's alone. A schema of PostgreSQL may be shared, if no name is in the way.
    """
    there = sa.inspect(connection)
    # A damaged file may have names that are no text.
    names = sorted(name for name in there.get_table_names() if isinstance(name, str))
    if jobs.name in names:
        columns = {column["name"] for column in there.get_columns(jobs.name)}
        if {jobs.c.gateway_id.name, jobs.c.order_data.name} <= columns:
            return []
    if connection.dialect.name == "sqlite":
        return names
    return [name for name in names if name in metadata.tables or name == "alembic_version"]


def foreign(where: str, names: Sequence[str]) -> Broken:
    """The error that says so."""
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return Broken("database_foreign", file=where, tables=shown)


def check_ours(file: Path) -> None:
    """Raises `Broken("database_foreign")`. Opening the file to write would change it already."""
    if size_of(file) == 0:
        return
    # Without a journal to read, SQLite would make one.
    how = "mode=ro" if journal_of(file) else "immutable=1"
    engine = sa.create_engine(
        f"sqlite+pysqlite:///file:{quote(str(file.absolute()))}?{how}&uri=true",
        poolclass=sa.pool.NullPool,
        hide_parameters=True,
    )
    try:
        with engine.connect() as connection:
            names = tables_of_others(connection)
    except (sa.exc.DatabaseError, UnicodeDecodeError):
        return  # locked, or damaged: the check that follows tells which
    finally:
        engine.dispose()
    if names:
        raise foreign(str(file), names)
