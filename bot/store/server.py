"""The engine of PostgreSQL: a pool of connections.

It runs the same synchronous functions as the engine of SQLite, in greenlets.
"""

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
    """The engine of PostgreSQL. `options`: SQLAlchemy's options in place of the service's pool."""

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
        reads: bool = False,  # noqa: ARG002 - on PostgreSQL a transaction for reads costs nothing
        patience: float = PATIENCE,
    ) -> Result:
        """Run `work` as a transaction.

        Raises `Unwritten` if the pool can't connect to the server within `patience`, or one second
        if that is longer.
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
        """Set `lock_timeout`, so no transaction waits for a lock longer than its patience."""
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
                # 0 would mean no limit.
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
