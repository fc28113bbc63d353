"""Small facts the service keeps about itself: its link key, what it registered."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, insert
from bot.store.tables import settings


class Settings:
    """Named texts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> str | None:
        """The value, or None."""
        query = sa.select(settings.c.value).where(settings.c.name == name)

        async def work(connection: AsyncConnection) -> str | None:
            return await connection.scalar(query)

        return await self._database.run(work)

    async def put(self, name: str, value: str) -> None:
        """Set the value, replacing an earlier one."""

        async def work(connection: AsyncConnection) -> None:
            row = insert(connection, settings).values(name=name, value=value)
            await connection.execute(
                row.on_conflict_do_update(index_elements=["name"], set_={"value": value})
            )

        await self._database.run(work)
