"""Alembic, run by the program itself: forward only, each step one transaction."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.core.errors import Broken


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Bring the tables of `connection` to the newest version this program knows, or to this one.

    All of it is in the transaction of `connection`: a crash leaves the tables as they were.
    Raises `Broken("database_newer")` for tables that a newer program has written.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    check_known(connection)
    command.upgrade(config, to)


def check_known(connection: sa.Connection) -> None:
    """Raise `Broken("database_newer")` for tables that a newer program has written."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in known():
        raise Broken("database_newer", found=found, known=str(head()))


def head() -> str | None:
    """The newest version this program knows. Raises `Broken("program_forked")` if there are two."""
    if heads := forks():
        raise Broken("program_forked", files=", ".join(heads))
    return ScriptDirectory(str(Path(__file__).parent)).get_current_head()


def known() -> frozenset[str]:
    """Every version that this program can bring up to date, and the newest."""
    revisions = ScriptDirectory(str(Path(__file__).parent)).walk_revisions()
    return frozenset(revision.revision for revision in revisions)


def forks(folder: Path = Path(__file__).parent) -> tuple[str, ...]:
    """The newest versions, where there are several: files of two programs lie side by side."""
    heads = ScriptDirectory(str(folder)).get_heads()
    return tuple(sorted(heads)) if len(heads) > 1 else ()
