"""The `handles` table: what an account's platform calls the files of ours that it has."""

import sqlalchemy as sa

from bot.store.database import Database, Part
from bot.store.tables import handles


class Handles(Part):
    """By our own storage key. Each method is one whole transaction."""

    def __init__(self, database: Database, source: str) -> None:
        """`source` names the platform and the account: others can't use its handles."""
        super().__init__(database)
        self._source = source

    async def get(self, key: str) -> str | None:
        """The platform's name for the file, if it has it."""
        query = sa.select(handles.c.handle).where(
            handles.c.source == self._source, handles.c.key == key
        )
        return await self._database.value(query)

    async def put(self, key: str, handle: str) -> None:
        """Remember it; the last one counts."""
        name = {"source": self._source, "key": key}
        await self._database.put(handles, name, {"handle": handle})

    async def drop(self, key: str) -> None:
        """The platform does not know it any more. Idempotent."""
        gone = sa.delete(handles).where(handles.c.source == self._source, handles.c.key == key)
        await self._database.write(gone)
