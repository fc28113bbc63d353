"""The connection: one for SQLite, a pool for PostgreSQL; whole transactions only.

A transaction runs to its end even if its caller is cancelled: a half-open one would lock every
other writer out, and the row may be written although nobody saw it (reliability facts F6, F7).
"""

import asyncio
import fcntl
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from bot.core.errors import Broken
from bot.store.migrations import upgrade

Result = TypeVar("Result")

_ADMISSION = 0x5A4F_4554
"""Key of the PostgreSQL advisory lock that admissions take in turn."""
_SMALLEST = 512
"""Bytes of SQLite's smallest page: it takes a file of one byte for a new one."""
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=5000",
    "secure_delete=ON",
    "trusted_schema=OFF",
)


# An error that quotes the values of its statement would carry prompts into the log.
_SERVER: dict[str, Any] = {
    "pool_size": 16,
    "hide_parameters": True,
    "pool_pre_ping": True,
    "connect_args": {"command_timeout": 30},
}


class Database:
    """Runs functions of a connection as shielded transactions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one connection, hence one transaction at a time; PostgreSQL has its pool.
        self._turn = asyncio.Semaphore(1 if self.is_sqlite else 16)
        self._under_way: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        """Run `work` in one transaction: committed if it returns, rolled back if it raises."""
        task = asyncio.ensure_future(self._whole(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def lock_admission(self, connection: AsyncConnection) -> None:
        """Make admissions queue up. SQLite's BEGIN IMMEDIATE has done so already."""
        if not self.is_sqlite:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADMISSION)))

    async def finish(self) -> None:
        """Wait for transactions whose callers have gone."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _whole(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        async with self._turn, self._engine.begin() as connection:
            return await work(connection)


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Connect, bring the tables up to date, and hold the file's lock while in use.

    Raises `Broken("database_in_use")` if another process has the SQLite file, and
    `Broken("database_damaged")` if it does not pass its own check: never starts empty instead.
    """
    with _only_process(_file(url)):
        _keep_private(_file(url))
        engine = _sqlite(url) if _file(url) else create_async_engine(url, **_SERVER)
        database = Database(engine)
        try:
            await _check(engine, _file(url))
            await _upgrade(database, _file(url))
            yield database
        finally:
            await database.finish()
            await engine.dispose()


async def check_database(url: str) -> None:
    """See whether the service could use it, and change nothing in it. Raises as that would."""
    file = _file(url)
    if file and not file.exists():
        return
    with _only_process(file):
        engine = _sqlite(url) if file else create_async_engine(url, **_SERVER)
        try:
            await _check(engine, file)
            if file is None:
                async with engine.connect() as connection:
                    await connection.execute(sa.select(1))
        finally:
            await engine.dispose()


def insert(connection: AsyncConnection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, which each database spells in its own dialect."""
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def _file(url: str) -> Path | None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _sqlite(url: str) -> AsyncEngine:
    engine = create_async_engine(url, poolclass=StaticPool, hide_parameters=True)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver would otherwise begin transactions when it thinks fit; we do it ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


async def _check(engine: AsyncEngine, file: Path | None) -> None:
    if file is None:
        return
    if 0 < _size(file) < _SMALLEST:
        raise Broken("database_damaged", file=str(file), verdict="cut short")
    with _sound(file):
        async with engine.begin() as connection:
            answer = await connection.exec_driver_sql("PRAGMA quick_check(1)")
            verdict = answer.scalar_one()
    if verdict != "ok":
        raise Broken("database_damaged", file=str(file), verdict=str(verdict))


def _keep_private(file: Path | None) -> None:
    """It holds prompts, and the key that links are signed with; its journal gets the same mode."""
    if file is None:
        return
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    if file.stat().st_mode & 0o077:
        with suppress(PermissionError):  # a file that others own is theirs to guard
            file.chmod(0o600)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


async def _upgrade(database: Database, file: Path | None) -> None:
    """Bring the tables up to date; processes that start together take turns."""

    async def work(connection: AsyncConnection) -> None:
        await database.lock_admission(connection)
        await connection.run_sync(upgrade)

    with _sound(file):
        await database.run(work)


@contextmanager
def _sound(file: Path | None) -> Iterator[None]:
    """Translate what SQLite says of a file that it can't make sense of."""
    try:
        yield
    # The driver can't even decode a complaint that quotes damaged text.
    except (sa.exc.DatabaseError, UnicodeDecodeError) as error:
        if file is None:
            raise
        complaint = str(error.orig) if isinstance(error, sa.exc.DatabaseError) else str(error)
        if "locked" in complaint:
            raise Broken("database_in_use", file=str(file), holder="?") from error
        raise Broken("database_damaged", file=str(file), verdict=complaint) from error


@contextmanager
def _only_process(file: Path | None) -> Iterator[None]:
    """Hold `<file>.lock`, which names its holder; the kernel frees it when the process dies."""
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.with_name(file.name + ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "?"
            raise Broken("database_in_use", file=str(file), holder=holder) from None
        _sign(lock)
        yield


def _sign(lock: IO[str]) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()} @ {socket.gethostname()}\n")
    lock.flush()
