"""The marker file of a database, which detects a lost or replaced database at the start.

The database has a random id, and a file in the data folder has the same id. Only the rows know the
jobs that are paid for. So a start without those rows must fail, unless the operator asks for a new
database.
"""

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.errors import Broken
from bot.log import get_logger
from bot.store.statements import setting
from bot.store.tables import jobs, settings

NAME = "database.id"
"""The setting with the id of the database."""
COPY_OF = "backup.made_at"
"""The setting with the time of a backup. Only the file of a backup has it, no running database."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder, with the marker file of its database.

    `anew`: the operator asked for a new database.
    """

    folder: Path
    anew: bool = False

    @property
    def marker(self) -> Path:
        """The file with the database's id."""
        return self.folder / "database-id"

    def check_new(self, file: Path | None) -> None:
        """Raise `Broken("database_missing")` if there was a database before.

        Call before a new database is made.
        """
        if self.anew:
            return
        trace = next(self._traces(), None)
        if trace is None:
            return
        where = str(file) if file else "database_url"
        raise Broken("database_missing", file=where, trace=str(trace))

    def check_saved(self, file: Path, *, is_new: bool) -> None:
        """Raise `Broken` if there is a saved copy of the file, whose rows may be newer.

        Call before the file is opened. `is_new`: the file did not exist. If the operator asked for
        a new database, the copy is renamed instead.
        """
        copy = saved_copy(file)
        if not copy.exists():
            return
        if self.anew:
            put_away(copy)
            return
        code = "database_replaced"
        if is_new:
            code = "database_saved"
        elif file.stat().st_size == 0:
            code = "database_emptied"
        raise Broken(code, file=str(file), copy=str(copy))

    def settled(self, connection: Connection, file: Path | None, *, is_new: bool) -> str:
        """Return the id of the database, and write it to the database if there is none yet.

        Raises `Broken`: `database_missing` or `database_other` if this is not the database of this
        folder, `database_is_backup` for the rows of a backup.
        """
        _check_no_copy(connection, file)
        known, expected = setting(connection, NAME), self._expected()
        is_empty = is_new or (known is None and not _has_jobs(connection))
        if is_empty and (is_new or expected):
            self.check_new(file)
        if known and expected and known != expected and not self.anew:
            raise Broken("database_other", marker=str(self.marker))
        # Tables of an earlier version, and old backups, have no id.
        id_ = known or (None if self.anew else expected) or secrets.token_hex(16)
        if known is None:
            connection.execute(sa.insert(settings).values(name=NAME, value=id_))
        return id_

    def adopt(self, connection: Connection) -> None:
        """Give the rows of a backup the id in the marker file, if there is one."""
        if expected := self._expected():
            connection.execute(sa.delete(settings).where(settings.c.name == NAME))
            connection.execute(sa.insert(settings).values(name=NAME, value=expected))

    def check(self, connection: Connection, file: Path | None) -> None:
        """Raise what `settled` would raise, and write nothing."""
        expected = self._expected()
        has_tables = sa.inspect(connection).has_table("settings")
        known = setting(connection, NAME) if has_tables else None
        if has_tables:
            _check_no_copy(connection, file)
        if not has_tables or (known is None and expected and not _has_jobs(connection)):
            self.check_new(file)
        if known and expected and known != expected:
            raise Broken("database_other", marker=str(self.marker))

    def mark(self, id_: str) -> None:
        """Write the id to the marker file, unless it is there already. Raises `OSError`."""
        if self._expected() == id_:
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.marker.with_name(self.marker.name + ".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{id_}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.marker)

    def _expected(self) -> str | None:
        try:
            return self.marker.read_text("ascii", "replace").strip() or None
        except FileNotFoundError:
            return None

    def _traces(self) -> Iterator[Path]:
        """Yield files and folders which show that there was a database before."""
        if self._expected():
            yield self.marker
        former = self.folder / "pending-ids.jsonl"
        if former.exists() and former.stat().st_size:
            yield former
        for name in ("media", "playground"):
            for folder, _, files in os.walk(self.folder / name):
                if files:
                    yield Path(folder)


def saved_copy(file: Path) -> Path:
    """Return the path where rows are saved if the file is deleted while the service runs."""
    return file.with_name(file.name + ".saved")


def put_away(copy: Path) -> None:
    """Rename a saved copy, so it is not taken for the latest rows."""
    old = copy.replace(copy.with_name(copy.name + ".old"))
    log.warning("database.copy_put_away", file=str(old))


def _check_no_copy(connection: Connection, file: Path | None) -> None:
    """Raise `Broken("database_is_backup")` for the rows of a backup, which must be restored."""
    if setting(connection, COPY_OF) is not None:
        raise Broken("database_is_backup", file=str(file or "database_url"))


def _has_jobs(connection: Connection) -> bool:
    return connection.scalar(sa.select(jobs.c.id).limit(1)) is not None
