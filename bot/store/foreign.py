"""Detection of a database of another program, so that nothing in it is changed."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from bot.core.errors import Broken
from bot.store.files import journal_of, size_of
from bot.store.tables import jobs, metadata

_SHOWN = 5
"""Maximum number of table names in the error."""


def tables_of_others(connection: sa.Connection) -> list[str]:
    """Return the names of another program's tables that conflict with ours.

    In an SQLite file every table of another program is a conflict. A schema of PostgreSQL may be
    shared with tables of other names.
    """
    there = sa.inspect(connection)
    # In a damaged file, names may not be text.
    names = sorted(name for name in there.get_table_names() if isinstance(name, str))
    if jobs.name in names:
        columns = {column["name"] for column in there.get_columns(jobs.name)}
        if {jobs.c.gateway_id.name, jobs.c.order_data.name} <= columns:
            return []
    if connection.dialect.name == "sqlite":
        return names
    return [name for name in names if name in metadata.tables or name == "alembic_version"]


def foreign(where: str, names: Sequence[str]) -> Broken:
    """Return the error that names the tables of another program."""
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return Broken("database_foreign", file=where, tables=shown)


def check_ours(file: Path) -> None:
    """Raise `Broken("database_foreign")` if another program made the file.

    The file is opened read-only, because opening it for writes could change it.
    """
    if size_of(file) == 0:
        return
    # `immutable` keeps SQLite from making a journal if there is none.
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
        return  # locked or damaged: a later check raises the right error
    finally:
        engine.dispose()
    if names:
        raise foreign(str(file), names)
