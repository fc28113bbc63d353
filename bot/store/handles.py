"""The `handles` table: what an account's platform calls the files of ours that it has."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, insert
from bot.store.tables import handles


class Handles:
    """By our own storage key. Each method is one whole transaction."""

    def __init__(self, database: Database, source: str) -> None:
        """`source` names the platform and the account: others can't use its handles."""
        self._database = database
        self._source = source

    async def get(self, key: str) -> str | None:
        """The platform's name for the file, if it has it."""
        query = sa.select(handles.c.handle).where(
            handles.c.source == self._source, handles.c.key == key
        )

        async def work(connection: AsyncConnection) -> str | None:
            handle: str | None = await connection.scalar(query)
            return handle

        return await self._database.run(work)

    async def put(self, key: str, handle: str) -> None:
        """Remember it; the last one counts."""

        async def work(connection: AsyncConnection) -> None:
            row = insert(connection, handles).values(source=self._source, key=key, handle=handle)
            await connection.execute(
                row.on_conflict_do_update(index_elements=["source", "key"], set_={"handle": handle})
            )

        await self._database.run(work)

    async def drop(self, key: str) -> None:
        """The platform does not know it any more. Idempotent."""
        gone = sa.delete(handles).where(handles.c.source == self._source, handles.c.key == key)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(gone)

        await self._database.run(work)
