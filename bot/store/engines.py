"""The engines: what each database is told at every connection, and when a transaction begins."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from bot.store.driver import Connection, Driver

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


def sqlite_engine(url: str) -> AsyncEngine:
    """One connection, which begins a transaction as its only writer."""
    # An error that quotes the values of its statement would carry prompts into the log.
    engine = create_async_engine(url, module=Driver(), poolclass=StaticPool, hide_parameters=True)

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
        options = connection.get_execution_options()
        ours = connection.connection.dbapi_connection
        if isinstance(ours, Connection) and not options.get("reads"):
            left = options.get("patience", PATIENCE)
            ours.begin("BEGIN IMMEDIATE", patience=left if left != PATIENCE else None)

    return engine


def server_engine(url: str) -> AsyncEngine:
    """PostgreSQL, with a pool."""
    engine = create_async_engine(
        url,
        pool_size=16,
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args={"timeout": 30, "command_timeout": 30},
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = {PATIENCE * 1000:.0f}")
        cursor.close()
        connection.commit()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        left = connection.get_execution_options().get("patience", PATIENCE)
        if left != PATIENCE:
            # 0 would be no limit at all.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, round(left * 1000))}")

    return engine


@asynccontextmanager
async def begun(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, and no other: the engine is closed behind it."""
    try:
        async with engine.begin() as connection:
            yield connection
    finally:
        await engine.dispose()
