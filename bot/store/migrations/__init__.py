"""Upgrades of the tables by the program itself, in one transaction. There are no downgrades.

Alembic runs the upgrades, and is imported only when an upgrade is due. The known versions are read
from the migration files. A new database gets the present tables directly.
"""

import re
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from bot.core.errors import Broken
from bot.store import counters
from bot.store.tables import metadata

_HERE = Path(__file__).parent
_REVISION = re.compile(r"^(?:down_)?revision = (.+)$", re.MULTILINE)
_version = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table, as Alembic makes it."""


def upgrade(connection: sa.Connection, to: str | None = None) -> None:
    """Upgrade the tables of `connection` to the newest version, or to the version `to`.

    The upgrade is in the transaction of `connection`, so a crash leaves the tables unchanged.
    Raises `Broken("database_newer")` for tables that a newer program has written.
    """
    found = _found(connection)
    if found is None and to is None:
        _make_all(connection)
    elif found != (to or head()):
        check_known(connection)
        _run_alembic(connection, to or "head")


def check_known(connection: sa.Connection) -> None:
    """Raise `Broken("database_newer")` for tables that a newer program has written."""
    found = _found(connection)
    if found is not None and found not in known():
        raise Broken("database_newer", found=found, known=str(head()))


def head() -> str | None:
    """Return the newest known version. Raises `Broken("program_forked")` if there are several."""
    if heads := forks():
        raise Broken("program_forked", files=", ".join(heads))
    return next(iter(_heads(_HERE)), None)


def known() -> frozenset[str]:
    """Return all versions of the tables that this program knows."""
    return frozenset(revision for revision, _ in _revisions(_HERE))


def forks(folder: Path = _HERE) -> tuple[str, ...]:
    """Return the newest versions if there are several, from mixed files of two programs."""
    heads = _heads(folder)
    return tuple(heads) if len(heads) > 1 else ()


def _heads(folder: Path) -> list[str]:
    """Return the versions that no other version follows."""
    revisions = list(_revisions(folder))
    followed = {before for _, before in revisions}
    return sorted(revision for revision, _ in revisions if revision not in followed)


def _revisions(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each version with the version before it."""
    for file in folder.glob("versions/*.py"):
        if said := _REVISION.findall(file.read_text("utf-8")):
            revision, before = map(literal_eval, said)
            yield revision, before


def _found(connection: sa.Connection) -> str | None:
    """Return the version of the tables, or None if there are no tables yet."""
    if not sa.inspect(connection).has_table(_version.name):
        return None
    found: str | None = connection.execute(sa.select(_version)).scalar()
    return found


def _make_all(connection: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        connection.execute(CreateTable(table))
        # In a fixed order: of two indexes with equal cost, SQLite chooses by creation order.
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            index.create(connection)
    for statement in counters.triggers(connection.dialect.name):
        connection.exec_driver_sql(statement)
    _version.create(connection)
    connection.execute(sa.insert(_version).values(version_num=head()))


def _run_alembic(connection: sa.Connection, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
