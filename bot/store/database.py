"""The connection: one for SQLite, a pool for PostgreSQL; whole transactions only.

A transaction runs to its end even if its caller is cancelled: a half-open one would lock every
other writer out, and the row may be written although nobody saw it (reliability facts F6, F7).
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.core import asking
from bot.core.errors import Unwritten
from bot.log import get_logger
from bot.store import files, troubles
from bot.store.engines import PATIENCE, server_engine, sqlite_engine
from bot.store.files import file_of, journal_of, set_aside, size_of, sound
from bot.store.identity import Home, saved_copy
from bot.store.locks import BEAT, check_server, lock_file, lock_server
from bot.store.migrations import upgrade

Result = TypeVar("Result")

_ADMISSION = 0x5A4F_4554
"""Key of the PostgreSQL advisory lock that admissions take in turn."""
_AT_ONCE = 0.1
"""Seconds of waiting that leave the rest of the patience as it is."""
_SAVED_EVERY = 15
"""Looks between two copies of a file that is gone: half a minute."""

log = get_logger()


class Guard(Protocol):
    """The lock that the process holds on its database."""

    async def look(self) -> str | None:
        """The trouble with it; None if there is none. Raises `Broken` where we have to stop."""


class Database:
    """Runs functions of a connection as shielded transactions."""

    def __init__(
        self, engine: AsyncEngine, guard: Guard | None = None, *, patience: float = PATIENCE
    ) -> None:
        self._engine = engine
        self._guard = guard
        self._patience = patience
        self.is_sqlite = engine.dialect.name == "sqlite"
        self.trouble: str | None = None
        """How the open file differs from the one on the disk, or that the server's lock is lost."""
        # SQLite has one connection, hence one transaction at a time; PostgreSQL has its pool.
        self._turn = asyncio.Semaphore(1 if self.is_sqlite else 16)
        self._under_way: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        """Run `work` in one transaction: committed if it returns, rolled back if it raises.

        Raises `Unwritten` if it can't begin within `PATIENCE`, or if the database takes nothing.
        """
        task = asyncio.ensure_future(self._whole(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        with troubles.translated():
            return await asyncio.shield(task)

    async def lock_admission(self, connection: AsyncConnection) -> None:
        """Make admissions queue up. SQLite's BEGIN IMMEDIATE has done so already.

        Raises `Unwritten` where the file is gone, for a new promise would go with it, and where
        the person has been told "no" meanwhile.
        """
        if asking.is_over():
            raise Unwritten(troubles.BUSY)
        if self.is_gone:
            raise Unwritten("database_gone")
        if not self.is_sqlite:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADMISSION)))

    @property
    def is_gone(self) -> bool:
        """Whether what is written goes into a file that nobody will open again."""
        return self.is_sqlite and self.trouble is not None

    async def is_ours(self) -> bool:
        """Whether the open database is the one that the next start will find."""
        return self.trouble is None

    async def look(self) -> str | None:
        """Compare the open database with the one that is there, and remember what is wrong."""
        before = self.trouble
        if self._guard is not None:
            self.trouble = await self._guard.look()
        if self.trouble and self.trouble != before:
            # Once: what runs goes on in the open file, of which a copy is saved.
            log.critical("database.gone", how=self.trouble)
        elif before and not self.trouble:
            log.warning("database.regained")
        return self.trouble

    async def watch(self, sleep: Callable[[float], Awaitable[object]]) -> None:
        """Look until cancelled. Raises `Broken("database_taken")` where we have to stop."""
        beats = 0
        while True:
            await sleep(BEAT)
            if await self.look() and self.is_gone:
                if beats % _SAVED_EVERY == 0:
                    await self.save_copy()
                beats += 1

    async def save_copy(self) -> None:
        """Write the rows of a file that is gone to a new one beside it."""
        copy = saved_copy(Path(str(self._engine.url.database)))
        fresh = copy.with_name(copy.name + ".new")
        try:
            fresh.unlink(missing_ok=True)
            async with self._turn, self._engine.connect() as connection:
                # Outside of transactions, and only one of ours would be under way.
                raw = (await connection.get_raw_connection()).driver_connection
                assert raw is not None
                await raw.execute("VACUUM INTO ?", (str(fresh),))
            fresh.chmod(0o600)
            fresh.replace(copy)
        except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
            log.critical("database.unsaved", file=str(copy), error=type(error).__name__)
        else:
            log.critical("database.saved", file=str(copy))

    async def finish(self) -> None:
        """Wait for transactions whose callers have gone; save what would go with its file."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)
        if self.is_gone:
            await self.save_copy()

    async def _whole(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        async with self._in_turn() as left, self._connected(left) as connection:
            if abs(left - PATIENCE) > _AT_ONCE:
                await connection.execution_options(patience=left)
            async with connection.begin():
                return await work(connection)

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[float]:
        """Yields how many seconds of the patience are left."""
        clock = asyncio.get_running_loop()
        begun = clock.time()
        try:
            async with asyncio.timeout(self._patience):
                await self._turn.acquire()
        except TimeoutError:
            raise Unwritten(troubles.BUSY) from None
        try:
            left = self._patience - (clock.time() - begun)
            if left <= 0:  # it became ours in the very moment in which it was too late
                raise Unwritten(troubles.BUSY)
            yield left
        finally:
            self._turn.release()

    @asynccontextmanager
    async def _connected(self, limit: float) -> AsyncIterator[AsyncConnection]:
        """A connection; on PostgreSQL its pool may have to make one, over a line that is cut."""
        connection = self._engine.connect()
        try:
            async with asyncio.timeout(None if self.is_sqlite else max(limit, 1.0)):
                await connection.start()
        except TimeoutError:
            raise Unwritten(troubles.AWAY) from None
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def open_database(
    url: str, *, home: Home | None = None, patience: float = PATIENCE
) -> AsyncIterator[Database]:
    """Connect, bring the tables up to date, and hold the lock while in use.

    Raises `Broken("database_in_use")` if another process has it, `Broken("database_damaged")` if
    a file does not pass its own check, and `Broken("database_missing")` or
    `Broken("database_other")` if it is not the one of `home`: never starts empty instead.
    """
    file = file_of(url)
    if file and size_of(file) == 0:
        set_aside(file, journal_of(file))
        if home:
            home.check_new(file)
    async with _guarded(url, file) as guard:
        engine = sqlite_engine(url) if file else server_engine(url)
        database = Database(engine, guard, patience=patience)
        journal = None
        try:
            await files.check(engine, file)
            await _upgrade(database, file, home)
            journal = journal_of(file)
            yield database
        finally:
            await database.finish()
            await engine.dispose()
            if file and database.is_gone:
                set_aside(file, journal)


async def check_database(url: str, *, home: Home | None = None) -> None:
    """See whether the service could use it, and change nothing in it. Raises as that would."""
    file = file_of(url)
    if file and size_of(file) == 0:
        if home:
            home.check_new(file)
        return
    if file is None:
        await _look_into(server_engine(url), file, home)
        return
    with lock_file(file):
        await _look_into(sqlite_engine(url), file, home)


async def _look_into(engine: AsyncEngine, file: Path | None, home: Home | None) -> None:
    try:
        await files.check(engine, file)
        with sound(file):
            async with engine.connect() as connection:
                if file is None:
                    await check_server(connection)
                if home:
                    await home.check(connection, file)
    finally:
        await engine.dispose()


@asynccontextmanager
async def _guarded(url: str, file: Path | None) -> AsyncIterator[Guard | None]:
    if file:
        with lock_file(file) as lock:
            yield lock
    elif make_url(url).get_backend_name() == "sqlite":
        yield None
    else:
        async with lock_server(url) as held:
            yield held


def insert(connection: AsyncConnection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, which each database spells in its own dialect."""
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


async def _upgrade(database: Database, file: Path | None, home: Home | None) -> None:
    """Bring the tables up to date, if it is the database of `home`."""

    async def work(connection: AsyncConnection) -> str | None:
        is_new = not await connection.run_sync(lambda it: sa.inspect(it).has_table("settings"))
        await connection.run_sync(upgrade)
        return await home.settled(connection, file, is_new=is_new) if home else None

    with sound(file):
        id_ = await database._whole(work)
    if home and id_:
        home.mark(id_)
