"""The `preferences` table: what people chose for good. A row is one person on one platform."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.preferences import Preferences
from bot.store.database import Database, insert
from bot.store.tables import preferences as table


class PreferencesOf:
    """Each method is one whole transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, platform: str, person_id: str) -> Preferences:
        """Those of a person; of one who chose nothing they are empty."""
        columns = (table.c.family, table.c.seconds, table.c.aspect, table.c.quality)
        query = sa.select(*columns, table.c.private).where(*_of(platform, person_id))

        async def work(connection: AsyncConnection) -> Preferences:
            row = (await connection.execute(query)).mappings().first()
            return Preferences(**row) if row else Preferences()

        return await self._database.run(work)

    async def put(self, platform: str, person_id: str, preferences: Preferences) -> None:
        """These from now on."""
        values = {
            "family": preferences.family,
            "seconds": preferences.seconds,
            "aspect": preferences.aspect,
            "quality": preferences.quality,
            "private": preferences.private,
        }

        async def work(connection: AsyncConnection) -> None:
            row = insert(connection, table).values(platform=platform, person=person_id, **values)
            keys = list(table.primary_key)
            await connection.execute(row.on_conflict_do_update(index_elements=keys, set_=values))

        await self._database.run(work)

    async def forget(self, platform: str, person_id: str) -> None:
        """Idempotent."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(sa.delete(table).where(*_of(platform, person_id)))

        await self._database.run(work)


def _of(platform: str, person_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (table.c.platform == platform, table.c.person == person_id)
