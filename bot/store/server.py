"""PostgreSQL: a pool of connections. A transaction's function is SQLite's, run in a greenlet."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.errors import Unwritten
from bot.store import troubles
from bot.store.engines import PATIENCE, Engine, Result, Transaction
from bot.store.without_orm import AsyncConnection, create_async_engine


class ServerEngine(Engine):
    """With `options` of SQLAlchemy's engine; the service's own pool if none are given."""

    def __init__(self, url: sa.URL, **options: Any) -> None:
        super().__init__(url)
        pool = {
            "pool_size": 16,
            "pool_pre_ping": True,
            "connect_args": {"timeout": 30, "command_timeout": 30},
        }
        self._engine = create_async_engine(url, hide_parameters=True, **(options or pool))
        if not options:
            self._be_patient()

    async def run(
        self,
        work: Callable[[Connection], Result],
        *,
        reads: bool = False,  # noqa: ARG002 - a transaction of its own costs nothing there
        patience: float = PATIENCE,
    ) -> Result:
        """Its pool may have to make a connection, over a line that is cut.

        Raises `Unwritten`.
        """
        connection = self._engine.connect()
        try:
            async with asyncio.timeout(max(patience, 1.0)):
                await connection.start()
        except TimeoutError:
            raise Unwritten(troubles.AWAY) from None
        try:
            if patience != PATIENCE:
                await connection.execution_options(patience=patience)
            return await connection.run_sync(_whole, work)
        finally:
            await connection.close()

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Transaction]:
        async with self._engine.begin() as connection:
            yield _Greenlets(connection)

    async def dispose(self) -> None:
        await self._engine.dispose()

    def _be_patient(self) -> None:
        """No transaction waits for a lock longer than that."""
        engine = self._engine.sync_engine

        @sa.event.listens_for(engine, "connect")
        def _prepare(connection: Any, _record: object) -> None:
            cursor = connection.cursor()
            cursor.execute(f"SET lock_timeout = {PATIENCE * 1000:.0f}")
            cursor.close()
            connection.commit()

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            left = connection.get_execution_options().get("patience", PATIENCE)
            if left != PATIENCE:
                # 0 would be no limit at all.
                limit = max(1, round(left * 1000))
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {limit}")


class _Greenlets:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        return await self._connection.run_sync(work)


def _whole(connection: Connection, work: Callable[[Connection], Result]) -> Result:
    with connection.begin():
        return work(connection)
