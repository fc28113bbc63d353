"""The engines, which run a function of a connection as one whole transaction.

SQLite has one connection and one thread of its own. A whole transaction runs there in one call. A
driver that calls the thread for each statement costs several times as much (docs/performance.md).
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
"""Seconds that a transaction may wait before it begins, including for other transactions."""
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={PATIENCE * 1000:.0f}",
    "secure_delete=ON",
    "trusted_schema=OFF",
)


class Transaction(Protocol):
    """An open transaction: several functions see the same rows and are committed together."""

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in this transaction."""


class Engine(ABC):
    """Base class of engines, which run functions of a connection."""

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

        `reads`: `work` only reads. `patience`: seconds that the transaction may wait before it
        begins. A transaction that has begun runs to its end, even if the caller is cancelled.
        """

    @abstractmethod
    def begun(self) -> AbstractAsyncContextManager[Transaction]:
        """Open one transaction for several functions."""

    @abstractmethod
    async def dispose(self) -> None:
        """Close every connection."""


class SqliteEngine(Engine):
    """The engine of SQLite: one connection on a thread of its own."""

    def __init__(
        self,
        url: sa.URL,
        connect: Callable[[], sqlite3.Connection],
        *,
        begin: str,
        pragmas: Sequence[str] = (),
    ) -> None:
        """`begin`: the statement that begins a writing transaction."""
        super().__init__(url)
        self._patience: float | None = PATIENCE
        """Seconds that the running transaction may wait for the lock; None if it only reads."""
        # Parameters are hidden, as errors would bring prompts into the log.
        self._engine = sa.create_engine(
            "sqlite://", creator=connect, poolclass=StaticPool, hide_parameters=True
        )
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")

        @sa.event.listens_for(self._engine, "connect")
        def _prepare(connection: Any, _record: object) -> None:
            # Turns off the driver's implicit transactions; we begin them ourselves.
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
        """Run `work` as `Engine.run` does.

        A read needs neither a lock nor a transaction, because no other function runs meanwhile.
        """
        return await self._visit(self._whole, work, None if reads else patience)

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Transaction]:
        """Open one transaction for several functions.

        The caller must run nothing else on this engine while the transaction is open.
        """
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
        """Run `work` as one transaction. Called on the thread."""
        self._patience = patience
        try:
            with self._engine.connect() as connection:
                result = work(connection)
                connection.commit()  # the first statement began the transaction
                return result
        finally:
            self._patience = PATIENCE

    async def _visit(self, function: Callable[..., Result], *values: Any) -> Result:
        """Call `function` on the thread, with the context variables of this task."""
        loop, context = asyncio.get_running_loop(), copy_context()
        return await loop.run_in_executor(self._thread, context.run, function, *values)


class _Visits:
    """An open transaction, whose functions run on the thread of its connection."""

    def __init__(self, visit: Callable[..., Any], connection: Connection) -> None:
        self._visit = visit
        self._connection = connection

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        result: Result = await self._visit(work, self._connection)
        return result


def engine_of(url: str) -> Engine:
    """Return the engine that the service uses for the database at `url`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    from bot.store.server import ServerEngine  # imported late: SQLAlchemy's asyncio takes 6 MB

    return ServerEngine(parsed)


def file_engine(file: Path) -> Engine:
    """Return the service's engine for an SQLite file of any name."""
    return _sqlite_engine(sa.URL.create("sqlite", database=str(file)))


def _sqlite_engine(url: sa.URL) -> Engine:
    connect = partial(sqlite3.connect, url.database or ":memory:")
    return SqliteEngine(url, connect, begin="BEGIN IMMEDIATE", pragmas=_PRAGMAS)


@asynccontextmanager
async def begun(engine: Engine) -> AsyncIterator[Transaction]:
    """Open one transaction, and dispose of the engine afterwards."""
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
