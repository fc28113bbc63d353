"""Tables in PostgreSQL that a restore replaces but this program can't read: kept in another schema.

Such tables are of a newer or earlier version, or some are missing. They are moved in the
transaction that restores the backup, so they are back if the restore fails.
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
    """Move our tables to a new schema. Return its name, or None if there are no tables.

    Raises `Broken`: `database_foreign`, or `former_not_kept` without permission to make a schema.
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
    """Drop up to `most` kept schemas older than `before`, the oldest first. Return their names."""
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
