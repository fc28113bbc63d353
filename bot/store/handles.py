"""The `handles` table: a platform's ids of files that an account of the bot has uploaded."""

import sqlalchemy as sa

from bot.store.database import Database, Part
from bot.store.tables import handles


class Handles(Part):
    """Handles by our storage keys. Each method is one whole transaction."""

    def __init__(self, database: Database, source: str) -> None:
        """`source` names the platform and the account: other accounts can't use these handles."""
        super().__init__(database)
        self._source = source

    async def get(self, key: str) -> str | None:
        """Return the platform's id of the file, or None."""
        query = sa.select(handles.c.handle).where(
            handles.c.source == self._source, handles.c.key == key
        )
        return await self._database.value(query)

    async def put(self, key: str, handle: str) -> None:
        """Store the handle of a file, and replace an earlier handle."""
        name = {"source": self._source, "key": key}
        await self._database.put(handles, name, {"handle": handle})

    async def drop(self, key: str) -> None:
        """Delete a handle that the platform no longer accepts. Idempotent."""
        gone = sa.delete(handles).where(handles.c.source == self._source, handles.c.key == key)
        await self._database.write(gone)
