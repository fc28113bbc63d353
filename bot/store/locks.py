"""The guard that one process has the database to itself, and sees when that is no longer true.

Two services on the same rows would take each other's live requests for those of a dead process.
"""

import asyncio
import fcntl
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bot.core.errors import Broken, DatabaseInUse
from bot.log import get_logger
from bot.store.files import SMALLEST, journal_of

BEAT = 2.0
"""Seconds between two looks at the guard."""
_LIMIT = 5.0
"""Seconds after which PostgreSQL has not answered."""

log = get_logger()

# --- SQLite --------------------------------------------------------------------------------------


class FileLock:
    """Locks on the database file and on `<file>.lock`; the kernel frees both with the process."""

    def __init__(self, file: Path, number: int, *, is_new: bool) -> None:
        """`number`: the descriptor of the database file, open for as long as SQLite has it.

        `is_new`: it was not there before.
        """
        self.is_new = is_new
        self.file = file
        self._number = number
        self._journal: int | None = None
        self._is_emptied = False

    def close_to_others(self) -> None:
        """It holds prompts, and the key that links are signed with; its journal gets its mode."""
        if os.fstat(self._number).st_mode & 0o077:
            with suppress(PermissionError):  # a file that others own is theirs to guard
                os.fchmod(self._number, 0o600)

    async def look(self) -> str | None:
        """How the file that is open differs from the one on the disk; None if it is the same."""
        # Once it was cut it stays so: SQLite may write single pages behind the hole.
        self._is_emptied |= os.fstat(self._number).st_size < SMALLEST
        try:
            there = self.file.stat()
        except OSError:
            return "deleted"
        mine = os.fstat(self._number)
        if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
            return "replaced"
        if self._is_emptied:
            return "emptied"
        return self._look_at_journal()

    def _look_at_journal(self) -> str | None:
        """The file holds the last writing alone."""
        journal = journal_of(self.file)
        if self._journal is None:
            self._journal = journal
        return "journal deleted" if journal != self._journal else None


@contextmanager
def lock_file(file: Path) -> Iterator[FileLock]:
    """Hold both locks. `<file>.lock` names its holder; without it the file's own lock still holds.

    Raises `Broken("database_in_use")`. Nothing else may open and close the file meanwhile: every
    close takes SQLite's own locks away from this process.
    """
    with _noted(file) as note:
        is_new = not file.exists()
        number = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform == "linux":  # elsewhere this lock would stand in SQLite's own way
                _lock(number, file, None)
            _sign(note)
            yield FileLock(file, number, is_new=is_new)
        except Broken:
            if is_new and os.fstat(number).st_size == 0:
                file.unlink(missing_ok=True)  # a start that is refused leaves nothing behind
            raise
        finally:
            os.close(number)


@contextmanager
def lock_name(file: Path) -> Iterator[None]:
    """Hold the first of both locks: no process of ours opens or makes the file meanwhile.

    Raises `Broken("database_in_use")`.
    """
    with _noted(file):
        yield


@contextmanager
def _noted(file: Path) -> Iterator[IO[str]]:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.with_name(file.name + ".lock").open("a+") as note:
        _lock(note.fileno(), file, note)
        yield note


def _lock(number: int, file: Path, note: IO[str] | None) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if note is not None:
            note.seek(0)
        holder = (note.read().strip() if note else "") or "?"
        raise DatabaseInUse(file=str(file), holder=holder) from None


def _sign(note: IO[str]) -> None:
    note.seek(0)
    note.truncate()
    note.write(f"{_name()}\n")
    note.flush()


def _name() -> str:
    return f"{os.getpid()} @ {socket.gethostname()}"


# --- PostgreSQL ----------------------------------------------------------------------------------

_KEY = 0x5A4F_4556
"""First half of the advisory lock's key; the second is the schema, so schemas have one each."""
_SCHEMA = "hashtext(coalesce(current_schema(), ''))"
_TRY = sa.text(f"SELECT pg_try_advisory_lock({_KEY}, {_SCHEMA})")
_HOLDER = sa.text(  # no value is in it but constants of ours
    "SELECT application_name, pid = pg_backend_pid() FROM pg_locks"  # noqa: S608
    " JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    f" AND classid = {_KEY} AND objid = ({_SCHEMA}::bigint & 4294967295)::oid AND objsubid = 2"
)
"""Its session's name, and whether that is the one that asks."""
_SETTINGS = {
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "8000",
}
"""A machine that is dead, or whose line is cut, loses its lock within ten seconds."""
_PREFIX = "zoetrope "


class ServerLock:
    """An advisory lock of a session of its own; the server frees it with the connection."""

    def __init__(self, url: str) -> None:
        self._database = sa.engine.make_url(url).database
        # By its token a process knows a session of its own that the server has not given up yet;
        # 63 characters are what the server keeps of a name.
        self._name = f"{_PREFIX}{_name()[:40]} #{secrets.token_hex(4)}"
        self._engine = create_async_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args={"timeout": _LIMIT, "command_timeout": _LIMIT},
        )
        self._connection: AsyncConnection | None = None

    async def take(self) -> None:
        """Connect and lock. Raises `Broken("database_in_use")` with the holder's name."""
        connection = await self._engine.connect()
        try:
            settings = {"application_name": self._name, **_SETTINGS}
            asked = [sa.func.set_config(key, value, False) for key, value in settings.items()]
            await connection.execute(sa.select(*asked))
            if not await connection.scalar(_TRY):
                session, _ = await _holder(connection)
                raise _in_use(self._database, session)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def look(self) -> str | None:
        """Take it back if it was lost; "lost" until that works.

        Raises `Broken("database_taken")` if another process has it by now.
        """
        try:
            if self._connection and await _holder(self._connection) == (self._name, True):
                return None
        except Exception as error:  # noqa: BLE001 - whatever it is, the session is gone
            log.warning("database.lock_lost", error=type(error).__name__)
        await self._drop()
        try:
            await self.take()
        except Broken as broken:
            if broken.values["session"] == self._name:
                return "lost"  # not yet given up
            holder = broken.values["holder"]
            raise Broken("database_taken", file=self._database, holder=holder) from broken
        except Exception:  # noqa: BLE001 - the server is away
            return "lost"
        log.info("database.lock_regained")
        return None

    async def close(self) -> None:
        """Give it back."""
        await self._drop()
        await self._engine.dispose()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.invalidate()
            with suppress(Exception):
                await connection.close()


@asynccontextmanager
async def lock_server(url: str) -> AsyncIterator[ServerLock]:
    """Hold the lock. Raises `Broken("database_in_use")`."""
    lock = ServerLock(url)
    try:
        await lock.take()
        yield lock
    finally:
        await asyncio.shield(lock.close())


async def check_server(connection: AsyncConnection) -> None:
    """See whether somebody has it, without taking it. Raises `Broken("database_in_use")`."""
    session, _ = await _holder(connection)
    if session is not None:
        raise _in_use(connection.engine.url.database, session)


async def _holder(connection: AsyncConnection) -> tuple[str | None, bool]:
    row = (await connection.execute(_HOLDER)).first()
    return (str(row[0]), bool(row[1])) if row else (None, False)


def _in_use(database: str | None, session: str | None) -> Broken:
    holder = (session or "").removeprefix(_PREFIX).partition(" #")[0] or "?"
    return DatabaseInUse(file=database or "", holder=holder, session=session or "")
