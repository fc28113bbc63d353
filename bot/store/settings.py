"""Small facts the service keeps about itself: its link key, what it registered."""

import sqlalchemy as sa

from bot.store.database import Part
from bot.store.tables import settings


class Settings(Part):
    """Named texts."""

    async def get(self, name: str) -> str | None:
        """The value, or None."""
        query = sa.select(settings.c.value).where(settings.c.name == name)
        return await self._database.value(query)

    async def put(self, name: str, value: str) -> None:
        """Set the value, replacing an earlier one."""
        await self._database.put(settings, {"name": name}, {"value": value})
