"""The `settings` table: small facts about the service, such as its link key."""

from bot.store.database import Part
from bot.store.statements import setting
from bot.store.tables import settings


class StoredValues(Part):
    """The rows of the `settings` table: texts by name."""

    async def get(self, name: str) -> str | None:
        """Return the value of a setting, or None."""
        return await self._database.run(lambda connection: setting(connection, name))

    async def put(self, name: str, value: str) -> None:
        """Set the value of a setting, and replace an earlier value."""
        await self._database.put(settings, {"name": name}, {"value": value})
