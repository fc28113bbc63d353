"""The database: whole transactions only, in turn on SQLite, side by side on PostgreSQL.

A transaction runs to its end even if its caller is cancelled: a half-open one would lock every
other writer out, and the row may be written although nobody saw it (reliability facts F6, F7).
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
"""Key of the PostgreSQL advisory lock that admissions take in turn."""
_AT_ONCE = 0.1
"""Seconds of waiting that leave the rest of the patience as it is: to say so takes time too."""

log = get_logger()


class Guard(Protocol):
    """The lock that the process holds on its database."""

    async def check(self) -> str | None:
        """The trouble with it; None if there is none. Raises `Broken` where we have to stop."""


class Database(Runs):
    """Runs functions of a connection as shielded transactions."""

    def __init__(
        self, engine: Engine, guard: Guard | None = None, *, patience: float = PATIENCE
    ) -> None:
        self._engine = engine
        self._guard = guard
        self._patience = patience
        self.is_sqlite = engine.is_sqlite
        self.file = file_of(engine.url)
        self.trouble: str | None = None
        """How the open file differs from the one on the disk, or that the server's lock is lost."""
        # SQLite has one connection, hence one transaction at a time; PostgreSQL has its pool.
        self._turn = asyncio.Semaphore(1 if self.is_sqlite else 16)
        self._under_way: set[asyncio.Task[Any]] = set()
        self._copy = SavedCopy(engine, self._turn)

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in one transaction: committed if it returns, rolled back if it raises.

        Raises `Unwritten` if it can't begin within `PATIENCE`, or if the database takes nothing.
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

        On SQLite nobody else writes meanwhile, so it needs neither a transaction nor the lock.
        """
        return await self._shielded(self._whole(work, reads=True))

    async def admit(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` as an admission: these queue up, as each counts the ones before it.

        SQLite's BEGIN IMMEDIATE sees to that anyway. Raises `Unwritten` where the file is gone,
        for a new promise would go with it, and where the person has been told "no" meanwhile.
        """

        def admitted(connection: Connection) -> Result:
            if not connection.in_transaction():
                connection.begin()  # SQLite waits for others here, not at its first statement
            take_turns(connection, _ADMISSION)
            if asking.is_over():
                raise Unwritten(troubles.BUSY)
            return work(connection)

        return await self._shielded(self._whole(admitted, admits=True))

    async def must_be_there(self) -> None:
        """Look whether the next start will find what is written. Raises `Unwritten` if not.

        On SQLite it costs two questions to the file system; PostgreSQL's file is its server's.
        """
        if self.is_sqlite and await self.check():
            raise Unwritten("database_gone")

    @property
    def is_gone(self) -> bool:
        """Whether what is written goes into a file that nobody will open again."""
        return self.is_sqlite and self.trouble is not None

    async def check(self) -> str | None:
        """Compare the open database with the one that is there, and remember what is wrong."""
        before = self.trouble
        if self._guard is not None:
            self.trouble = await self._guard.check()
        if self.trouble and self.trouble != before:
            # Once: what runs goes on in the open file, of which a copy is saved.
            log.critical("database.gone", how=self.trouble)
        elif before and not self.trouble:
            log.warning("database.regained")
            if self.is_sqlite:
                self._copy.retire()
        return self.trouble

    async def watch(self, sleep: Callable[[float], Awaitable[object]]) -> None:
        """Look until cancelled. Raises `Broken("database_taken")` where we have to stop."""
        while True:
            await sleep(BEAT)
            if await self.check() and self.is_gone:
                await self._copy.check()

    async def finish(self) -> None:
        """Wait for transactions whose callers have gone; save what would go with its file."""
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


class Part:
    """A part of the store: each of its methods is one whole transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database


def _unheard(task: asyncio.Task[Any]) -> None:
    """The caller of a transaction has gone: the log hears how it ended."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, Exception):
        log.warning("database.unheard", error=troubles.code_of(error) or type(error).__name__)


@asynccontextmanager
async def open_database(
    url: str, *, home: Home | None = None, patience: float = PATIENCE
) -> AsyncIterator[Database]:
    """Connect, bring the tables up to date, and hold the lock while in use.

    Raises `Broken("database_in_use")` if another process has it, `Broken("database_damaged")` if
    a file does not pass its own check, and `Broken("database_missing")` or
    `Broken("database_other")` if it is not the one of `home`: never starts empty instead. Of
    another program's tables (`Broken("database_foreign")`) nothing is changed.
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
                await database.check()  # from now on its journal is known
            yield database
        finally:
            await database.finish()
            await engine.dispose()
            if file and database.is_gone:
                set_aside(file, journal)


def _prepare(file: Path, home: Home | None, *, is_new: bool) -> None:
    """Under the lock, before SQLite opens it: see that it is ours, and clear what lies about."""
    check_ours(file)
    if home:
        home.check_saved(file, is_new=is_new)
    if size_of(file) == 0:
        set_aside(file, journal_of(file))
        if home:
            home.check_new(file)
    unfinished(saved_copy(file)).unlink(missing_ok=True)


async def check_database(url: str, *, home: Home | None = None) -> None:
    """See whether the service could use it, and change nothing in it. Raises as that would."""
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
                pass  # whoever made that file may have closed it to us
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
    """Bring the tables up to date, if it is the database of `home`."""

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
