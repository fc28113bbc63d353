"""The lock that lets only one process use a PostgreSQL database.

The lock is an advisory lock. The server releases it when the session that holds it ends.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.pool import NullPool

from bot.core.errors import Broken, DatabaseInUse
from bot.log import get_logger
from bot.store.locks import name_of_process
from bot.store.without_orm import AsyncConnection, create_async_engine

_LIMIT = 5.0
"""Seconds to wait for an answer of the server."""
_KEY = 0x5A4F_4556
"""First half of the advisory lock's key. The other half is a hash of the schema's name."""
_SCHEMA = "hashtext(coalesce(current_schema(), ''))"
_TRY = sa.text(f"SELECT pg_try_advisory_lock({_KEY}, {_SCHEMA})")
_HOLDER = sa.text(  # contains only constants of ours
    "SELECT application_name, pid = pg_backend_pid() FROM pg_locks"  # noqa: S608
    " JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    f" AND classid = {_KEY} AND objid = ({_SCHEMA}::bigint & 4294967295)::oid AND objsubid = 2"
)
"""The name of the session that holds the lock, and whether it is the querying session."""
_SETTINGS = {
    "tcp_keepalives_idle": "3",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "8000",
}
"""TCP settings by which the server ends the session of a dead machine within ten seconds."""
_PREFIX = "zoetrope "

log = get_logger()


class ServerLock:
    """An advisory lock in a session of its own. The server releases it when the session ends."""

    def __init__(self, url: str) -> None:
        self._database = sa.engine.make_url(url).database
        # The random token identifies an old session of this process that the server has not ended
        # yet. The server keeps 63 characters of a name.
        self._name = f"{_PREFIX}{name_of_process()[:40]} #{secrets.token_hex(4)}"
        self._engine = create_async_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args={"timeout": _LIMIT, "command_timeout": _LIMIT},
        )
        self._connection: AsyncConnection | None = None

    async def take(self) -> None:
        """Connect and take the lock. Raises `Broken("database_in_use")` with the holder's name."""
        connection = await self._engine.connect()
        try:
            settings = {"application_name": self._name, **_SETTINGS}
            asked = [sa.func.set_config(key, value, False) for key, value in settings.items()]
            await connection.execute(sa.select(*asked))
            if not await connection.scalar(_TRY):
                session, _ = await connection.run_sync(_holder)
                raise _in_use(self._database, session)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def check(self) -> str | None:
        """Take the lock again if it was lost. Return "lost" while that fails, else None.

        Raises `Broken("database_taken")` if another process has the lock by now.
        """
        try:
            if self._connection and await self._connection.run_sync(_holder) == (self._name, True):
                return None
        except Exception as error:  # noqa: BLE001 - with any error the session is gone
            log.warning("database.lock_lost", error=type(error).__name__)
        await self._drop()
        try:
            await self.take()
        except Broken as broken:
            if broken.values["session"] == self._name:
                return "lost"  # the server has not ended our old session yet
            holder = broken.values["holder"]
            raise Broken("database_taken", file=self._database, holder=holder) from broken
        except Exception:  # noqa: BLE001 - the server is away
            return "lost"
        log.info("database.lock_regained")
        return None

    async def close(self) -> None:
        """Release the lock and close the connection."""
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
    """Hold the lock until the context ends. Raises `Broken("database_in_use")`."""
    lock = ServerLock(url)
    try:
        await lock.take()
        yield lock
    finally:
        await asyncio.shield(lock.close())


def check_server(connection: Connection) -> None:
    """Raise `Broken("database_in_use")` if a process has the lock. The lock is not taken."""
    session, _ = _holder(connection)
    if session is not None:
        raise _in_use(connection.engine.url.database, session)


def _holder(connection: Connection) -> tuple[str | None, bool]:
    row = connection.execute(_HOLDER).first()
    return (str(row[0]), bool(row[1])) if row else (None, False)


def _in_use(database: str | None, session: str | None) -> Broken:
    holder = (session or "").removeprefix(_PREFIX).partition(" #")[0] or "?"
    return DatabaseInUse(file=database or "", holder=holder, session=session or "")
