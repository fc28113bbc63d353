"""The engines: functions of a connection, each run whole as one transaction.

SQLite has one connection, and a thread of its own that a transaction visits once, however many
statements it has. A driver that goes there for every statement costs several times as much
(docs/performance.md).
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

Result = TypeVar("Result")

PATIENCE = 2.0
"""Seconds for which a transaction waits until it can begin, its own turn included."""
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={PATIENCE * 1000:.0f}",
    "secure_delete=ON",
    "trusted_schema=OFF",
)


class Transaction(Protocol):
    """One that is open: several functions see the same rows, and are committed together."""

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in it."""


class Engine(ABC):
    """Runs functions of a connection."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"

    @abstractmethod
    async def run(
        self,
        work: Callable[[Connection], Result],
        *,
        reads: bool = False,
        patience: float = PATIENCE,
    ) -> Result:
        """Run `work` in one transaction: committed if it returns, rolled back if it raises.

        `reads`: it only reads. `patience`: seconds in which it can begin. What has begun runs to
        its end, even if the caller is cancelled.
        """

    @abstractmethod
    def begun(self) -> AbstractAsyncContextManager[Transaction]:
        """One transaction for several functions."""

    @abstractmethod
    async def dispose(self) -> None:
        """Close every connection."""


class SqliteEngine(Engine):
    """One connection, which begins a transaction as its only writer."""

    def __init__(
        self,
        url: sa.URL,
        connect: Callable[[], sqlite3.Connection],
        *,
        begin: str,
        pragmas: Sequence[str] = (),
    ) -> None:
        """`begin`: how a transaction begins that may write."""
        super().__init__(url)
        self._patience: float | None = PATIENCE
        """Of the transaction under way; None if it only reads."""
        # An error that quotes the values of its statement would carry prompts into the log.
        self._engine = sa.create_engine(
            "sqlite://", creator=connect, poolclass=StaticPool, hide_parameters=True
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")

        @sa.event.listens_for(self._engine, "connect")
        def _prepare(connection: Any, _record: object) -> None:
            # The driver would otherwise begin transactions when it thinks fit; we do it ourselves.
            connection.isolation_level = None
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}").close()

        @sa.event.listens_for(self._engine, "begin")
        def _begins(connection: Connection) -> None:
            if self._patience is not None:
                with _patient(connection.connection.driver_connection, self._patience):
                    connection.exec_driver_sql(begin)

    async def run(
        self,
        work: Callable[[Connection], Result],
        *,
        reads: bool = False,
        patience: float = PATIENCE,
    ) -> Result:
        """While it only reads nobody else writes: that needs no transaction, and takes no lock."""
        return await self._visit(self._whole, work, None if reads else patience)

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Transaction]:
        """Nothing else may run meanwhile."""
        connection = await self._visit(self._engine.connect)
        try:
            transaction = await self._visit(connection.begin)
            try:
                yield _Visits(self._visit, connection)
            except BaseException:
                await asyncio.shield(self._visit(transaction.rollback))
                raise
            await asyncio.shield(self._visit(transaction.commit))
        finally:
            await asyncio.shield(self._visit(connection.close))

    async def dispose(self) -> None:
        await self._visit(self._engine.dispose)
        self._thread.shutdown(wait=False)

    def _whole(self, work: Callable[[Connection], Result], patience: float | None) -> Result:
        """On the thread."""
        self._patience = patience
        try:
            with self._engine.connect() as connection:
                result = work(connection)
                connection.commit()  # of what its first statement began
                return result
        finally:
            self._patience = PATIENCE

    async def _visit(self, function: Callable[..., Result], *values: Any) -> Result:
        """Call it on the thread, with the context of this task."""
        loop, context = asyncio.get_running_loop(), copy_context()
        return await loop.run_in_executor(self._thread, context.run, function, *values)


class _Visits:
    """The open transaction of a connection on its thread."""

    def __init__(self, visit: Callable[..., Any], connection: Connection) -> None:
        self._visit = visit
        self._connection = connection

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        result: Result = await self._visit(work, self._connection)
        return result


def engine_of(url: str) -> Engine:
    """The engine that the service runs on."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    from bot.store.server import ServerEngine  # asyncio's half of SQLAlchemy is 6 MB

    return ServerEngine(parsed)


def file_engine(file: Path) -> Engine:
    """The same for a file, whatever its name."""
    return _sqlite_engine(sa.URL.create("sqlite", database=str(file)))


def _sqlite_engine(url: sa.URL) -> Engine:
    connect = partial(sqlite3.connect, url.database or ":memory:")
    return SqliteEngine(url, connect, begin="BEGIN IMMEDIATE", pragmas=_PRAGMAS)


@asynccontextmanager
async def begun(engine: Engine) -> AsyncIterator[Transaction]:
    """One transaction, and no other: the engine is closed behind it."""
    try:
        async with engine.begun() as transaction:
            yield transaction
    finally:
        await engine.dispose()


@contextmanager
def _patient(driver: Any, patience: float) -> Iterator[None]:
    if patience == PATIENCE:
        yield
        return
    (always,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute(f"PRAGMA busy_timeout={patience * 1000:.0f}").close()
    try:
        yield
    finally:
        driver.execute(f"PRAGMA busy_timeout={always}").close()
