"""The marker beside a database: a lost or exchanged database must not start empty in silence.

The database has a random id, and the data folder a file with the same one. Jobs that are paid for
stand in the rows alone: where these are gone, somebody has to say so.
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
"""The setting with the time of a backup: only its own file has it, and none that runs."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder. `anew`: its operator has said that a new database is wanted."""

    folder: Path
    anew: bool = False

    @property
    def marker(self) -> Path:
        """The file with the database's id."""
        return self.folder / "database-id"

    def check_new(self, file: Path | None) -> None:
        """Before a database is made. Raises `Broken("database_missing")` if there was one."""
        if self.anew:
            return
        trace = next(self._traces(), None)
        if trace is None:
            return
        where = str(file) if file else "database_url"
        raise Broken("database_missing", file=where, trace=str(trace))

    def check_saved(self, file: Path, *, is_new: bool) -> None:
        """Before a file is opened beside which a copy was saved: its rows may be the newer ones.

        `is_new`: the file was not there.
        Raises `Broken`. Where a new database is wanted, the copy is put away.
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
        """The id that the database has from now on.

        Raises `Broken` (`database_missing`, `database_other`) if it is not the one of this folder.
        """
        _check_no_copy(connection, file)
        known, expected = setting(connection, NAME), self._expected()
        is_empty = is_new or (known is None and not _has_jobs(connection))
        if is_empty and (is_new or expected):
            self.check_new(file)
        if known and expected and known != expected and not self.anew:
            raise Broken("database_other", marker=str(self.marker))
        # A backup from before there was a marker, or the tables of an earlier version, have none.
        id_ = known or (None if self.anew else expected) or secrets.token_hex(16)
        if known is None:
            connection.execute(sa.insert(settings).values(name=NAME, value=id_))
        return id_

    def adopt(self, connection: Connection) -> None:
        """Give the rows of a backup the id that is expected here, if one is."""
        if expected := self._expected():
            connection.execute(sa.delete(settings).where(settings.c.name == NAME))
            connection.execute(sa.insert(settings).values(name=NAME, value=expected))

    def check(self, connection: Connection, file: Path | None) -> None:
        """As `settled`, for a database that nothing is written into."""
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
        """Write the marker, unless it says so already. Raises `OSError`."""
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
        """Where it shows that there was a database before."""
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
    """Where the rows of a file that was deleted under a running service are saved."""
    return file.with_name(file.name + ".saved")


def put_away(copy: Path) -> None:
    """Name a copy so that nobody takes it for the latest rows."""
    old = copy.replace(copy.with_name(copy.name + ".old"))
    log.warning("database.copy_put_away", file=str(old))


def _check_no_copy(connection: Connection, file: Path | None) -> None:
    """The rows of a backup must be made safe before anything runs on them."""
    if setting(connection, COPY_OF) is not None:
        raise Broken("database_is_backup", file=str(file or "database_url"))


def _has_jobs(connection: Connection) -> bool:
    return connection.scalar(sa.select(jobs.c.id).limit(1)) is not None
