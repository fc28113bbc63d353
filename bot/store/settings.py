"""Small facts the service keeps about itself: its link key, what it registered."""

from bot.store.database import Part
from bot.store.statements import setting
from bot.store.tables import settings


class StoredValues(Part):
    """Named texts."""

    async def get(self, name: str) -> str | None:
        """The value, or None."""
        return await self._database.run(lambda connection: setting(connection, name))

    async def put(self, name: str, value: str) -> None:
        """Set the value, replacing an earlier one."""
        await self._database.put(settings, {"name": name}, {"value": value})
