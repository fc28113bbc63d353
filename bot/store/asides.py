"""Former tables of PostgreSQL that this program can't read: kept as they are, in another schema.

Those of a newer version, of an earlier one, or with a table lost. Moved there in the transaction
that puts a backup in their place, they are back if that fails.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.errors import Broken
from bot.store import foreign
from bot.store.tables import metadata

_FORM = "before_restore_%Y%m%dt%H%M%Sz"
_FORBIDDEN = "42501"
_NAMES = sa.text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'")


def put_aside(connection: Connection, *, now: float) -> str | None:
    """Move our tables away; answers the name of their schema, or None if there are none.

    Raises `Broken`: `database_foreign`, or `former_not_kept` where no schema may be made.
    """
    database = str(connection.engine.url.database)
    if names := foreign.tables_of_others(connection):
        raise foreign.foreign(database, names)
    there = sa.inspect(connection).get_table_names()
    ours = [name for name in there if name in metadata.tables or name == "alembic_version"]
    if not ours:
        return None
    taken, second = set(connection.scalars(_NAMES).all()), int(now)
    while (schema := datetime.fromtimestamp(second, UTC).strftime(_FORM)) in taken:
        second += 1
    try:
        connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _FORBIDDEN:
            raise Broken("former_not_kept", database=database) from error
        raise
    for name in ours:
        connection.exec_driver_sql(f'ALTER TABLE "{name}" SET SCHEMA "{schema}"')
    return schema


def age_out(connection: Connection, *, before: float, most: int) -> list[str]:
    """Remove those that were put aside before then, the oldest first; answers their names."""
    if connection.dialect.name == "sqlite":
        return []
    names = sorted(connection.scalars(_NAMES).all())
    gone = [name for name in names if (_made_at(name) or before) < before][:most]
    for name in gone:
        connection.exec_driver_sql(f'DROP SCHEMA "{name}" CASCADE')
    return gone


def _made_at(name: str) -> float | None:
    try:
        return datetime.strptime(name, _FORM).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
