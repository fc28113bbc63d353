"""The database: runs functions as whole transactions.

Transactions run one after another on SQLite and in parallel on PostgreSQL. A transaction runs to
its end even if its caller is cancelled: a transaction left open would block all other writers, and
its rows may be committed although the caller saw no result (reliability facts F6, F7).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from bot.core import asking
from bot.core.errors import Unwritten
from bot.log import get_logger
from bot.store import files, swap, troubles
from bot.store.engines import PATIENCE, Engine, Result, engine_of
from bot.store.files import file_of, journal_of, set_aside, size_of, sound
from bot.store.foreign import check_ours, foreign, tables_of_others
from bot.store.identity import Home, saved_copy
from bot.store.locks import BEAT, FileLock, lock_file, lock_name
from bot.store.migrations import check_known, upgrade
from bot.store.saving import SavedCopy, unfinished
from bot.store.statements import Runs, take_turns

_ADMISSION = 0x5A4F_4554
"""Key of the PostgreSQL advisory lock that lets admissions run one at a time."""
_AT_ONCE = 0.1
"""Seconds of waiting that do not shorten the patience: setting another timeout takes time too."""

log = get_logger()


class Guard(Protocol):
    """The lock that the process holds on its database."""

    async def check(self) -> str | None:
        """Check the lock. Return the problem, or None. Raises `Broken` if the process must stop."""


class Database(Runs):
    """Runs functions of a connection as transactions that run on if the caller is cancelled."""

    def __init__(
        self, engine: Engine, guard: Guard | None = None, *, patience: float = PATIENCE
    ) -> None:
        self._engine = engine
        self._guard = guard
        self._patience = patience
        self.is_sqlite = engine.is_sqlite
        self.file = file_of(engine.url)
        self.trouble: str | None = None
        """How the open file differs from the file on disk; "lost" if a server's lock is lost; else
        None."""
        # SQLite has one connection, hence one transaction at a time; PostgreSQL has its pool.
        self._turn = asyncio.Semaphore(1 if self.is_sqlite else 16)
        self._under_way: set[asyncio.Task[Any]] = set()
        self._copy = SavedCopy(engine, self._turn)

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in one transaction: committed if it returns, rolled back if it raises.

        Raises `Unwritten` if the transaction can't begin within `PATIENCE`, or if the database
        refuses writes.
        """
        return await self._shielded(self._whole(work))

    async def _shielded(self, whole: Coroutine[None, None, Result]) -> Result:
        task = asyncio.ensure_future(whole)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        with troubles.translated():
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                task.add_done_callback(_unheard)
                raise

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work`, which only reads.

        On SQLite no other function runs at the same time, so `work` needs neither a transaction
        nor a lock.
        """
        return await self._shielded(self._whole(work, reads=True))

    async def admit(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` as an admission. Admissions run one at a time, as each counts earlier ones.

        On SQLite, BEGIN IMMEDIATE ensures this anyway. Raises `Unwritten` if the file is gone,
        because the new row would be lost, and if the person was already told "no" meanwhile.
        """

        def admitted(connection: Connection) -> Result:
            if not connection.in_transaction():
                connection.begin()  # SQLite waits for other writers here, not at a statement
            take_turns(connection, _ADMISSION)
            if asking.is_over():
                raise Unwritten(troubles.BUSY)
            return work(connection)

        return await self._shielded(self._whole(admitted, admits=True))

    async def must_be_there(self) -> None:
        """Raise `Unwritten` if rows written now would not be found at the next start.

        The check costs two file system calls on SQLite. On PostgreSQL there is no check, since
        the server keeps its files.
        """
        if self.is_sqlite and await self.check():
            raise Unwritten("database_gone")

    @property
    def is_gone(self) -> bool:
        """Whether rows are written to a file that no later start will open."""
        return self.is_sqlite and self.trouble is not None

    async def check(self) -> str | None:
        """Check that the open database is still the one on disk, and that its lock is held.

        Save the problem in `trouble`, log a change, and return the problem, or None.
        """
        before = self.trouble
        if self._guard is not None:
            self.trouble = await self._guard.check()
        if self.trouble and self.trouble != before:
            # Logged once. The service goes on with the open file, and a copy of it is saved.
            log.critical("database.gone", how=self.trouble)
        elif before and not self.trouble:
            log.warning("database.regained")
            if self.is_sqlite:
                self._copy.retire()
        return self.trouble

    async def watch(self, sleep: Callable[[float], Awaitable[object]]) -> None:
        """Check the database every `BEAT` seconds, until cancelled.

        Raises `Broken("database_taken")` if another process took the database.
        """
        while True:
            await sleep(BEAT)
            if await self.check() and self.is_gone:
                await self._copy.check()

    async def finish(self) -> None:
        """Wait for the transactions that still run; save a copy if the file is gone."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)
        if self.is_gone:
            await self._copy.renew()

    async def _whole(
        self, work: Callable[[Connection], Result], *, reads: bool = False, admits: bool = False
    ) -> Result:
        async with self._in_turn() as left:
            if admits:
                await self.must_be_there()
            patience = left if abs(left - PATIENCE) > _AT_ONCE else PATIENCE
            return await self._engine.run(work, reads=reads, patience=patience)

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[float]:
        """Wait for a free transaction; yield the seconds of patience that are left."""
        clock = asyncio.get_running_loop()
        begun = clock.time()
        try:
            async with asyncio.timeout(self._patience):
                await self._turn.acquire()
        except TimeoutError:
            raise Unwritten(troubles.BUSY) from None
        try:
            left = self._patience - (clock.time() - begun)
            if left <= 0:  # acquired at the very moment of the timeout
                raise Unwritten(troubles.BUSY)
            yield left
        finally:
            self._turn.release()


class Part:
    """A part of the store, whose methods each run one whole transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database


def _unheard(task: asyncio.Task[Any]) -> None:
    """Log the error of a transaction whose caller was cancelled."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, Exception):
        log.warning("database.unheard", error=troubles.code_of(error) or type(error).__name__)


@asynccontextmanager
async def open_database(
    url: str, *, home: Home | None = None, patience: float = PATIENCE
) -> AsyncIterator[Database]:
    """Open the database, upgrade its tables, and hold its lock until the context ends.

    Raises `Broken("database_in_use")` if another process uses the database,
    `Broken("database_damaged")` if SQLite's check of the file fails, and
    `Broken("database_missing")` or `Broken("database_other")` if this is not the database of
    `home`: an empty database is never made in its place. Raises `Broken("database_foreign")`, and
    changes nothing, if the tables belong to another program.
    """
    file = file_of(url)
    if file and swap.note_of(file).exists():
        with lock_name(file):
            swap.undo(file)
    async with _guarded(url, file) as guard:
        if file and isinstance(guard, FileLock):
            _prepare(file, home, is_new=guard.is_new)
            guard.close_to_others()
        engine = engine_of(url)
        database = Database(engine, guard, patience=patience)
        journal = None
        try:
            await files.check(engine, file)
            await _upgrade(database, file, home)
            journal = journal_of(file)
            if file:
                await database.check()  # remembers the inode of the journal
            yield database
        finally:
            await database.finish()
            await engine.dispose()
            if file and database.is_gone:
                set_aside(file, journal)


def _prepare(file: Path, home: Home | None, *, is_new: bool) -> None:
    """Check that the file is ours, and remove leftovers: with the lock, before SQLite opens it."""
    check_ours(file)
    if home:
        home.check_saved(file, is_new=is_new)
    if size_of(file) == 0:
        set_aside(file, journal_of(file))
        if home:
            home.check_new(file)
    unfinished(saved_copy(file)).unlink(missing_ok=True)


async def check_database(url: str, *, home: Home | None = None) -> None:
    """Raise what `open_database` would raise for this database. Its rows are not changed."""
    file = file_of(url)
    if file is None:
        await _check_file(engine_of(url), file, home)
        return
    if home:
        home.check_saved(file, is_new=not file.exists())
    if size_of(file) == 0:
        if home:
            home.check_new(file)
        if file.with_name(f"{file.name}.lock").exists():
            with lock_name(file):
                pass  # raises if the lock is held, or if we have no permission for its file
        return
    with lock_file(file):
        check_ours(file)
        await _check_file(engine_of(url), file, home)


async def _check_file(engine: Engine, file: Path | None, home: Home | None) -> None:
    try:
        await files.check(engine, file)
        with sound(file):
            await engine.run(lambda connection: _check(connection, file, home), reads=True)
    finally:
        await engine.dispose()


def _check(connection: Connection, file: Path | None, home: Home | None) -> None:
    if file is None:
        from bot.store.server_lock import check_server

        check_server(connection)
        if names := tables_of_others(connection):
            raise foreign(str(connection.engine.url.database), names)
    check_known(connection)
    if home:
        home.check(connection, file)


@asynccontextmanager
async def _guarded(url: str, file: Path | None) -> AsyncIterator[Guard | None]:
    if file:
        with lock_file(file) as lock:
            yield lock
    elif make_url(url).get_backend_name() == "sqlite":
        yield None
    else:
        from bot.store.server_lock import lock_server

        async with lock_server(url) as held:
            yield held


async def _upgrade(database: Database, file: Path | None, home: Home | None) -> None:
    """Upgrade the tables, if this is the database of `home`."""

    def work(connection: Connection) -> str | None:
        if names := tables_of_others(connection):
            raise foreign(str(file or connection.engine.url.database), names)
        is_new = not sa.inspect(connection).has_table("settings")
        upgrade(connection)
        return home.settled(connection, file, is_new=is_new) if home else None

    with sound(file):
        id_ = await database._whole(work)
    if home and id_:
        home.mark(id_)
