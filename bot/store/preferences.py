"""The `preferences` table: people's lasting choices. A row is one person on one platform."""

from dataclasses import asdict, fields
from typing import Any

import sqlalchemy as sa

from bot.core.preferences import Preferences
from bot.store.database import Part
from bot.store.statements import once
from bot.store.tables import preferences as table


class PreferencesOf(Part):
    """The lasting choices of each person."""

    async def get(self, platform: str, person_id: str) -> Preferences:
        """Return the choices of a person, which are empty if the person chose nothing."""
        theirs = _chosen(platform, person_id)
        return await self._database.one(theirs, lambda row: Preferences(**row)) or Preferences()

    async def put(self, platform: str, person_id: str, preferences: Preferences) -> None:
        """Replace the choices of a person."""
        whose = {"platform": platform, "person": person_id}
        await self._database.put(table, whose, asdict(preferences))

    async def forget(self, platform: str, person_id: str) -> None:
        """Delete the choices of a person. Idempotent."""
        await self._database.write(sa.delete(table).where(*_of(platform, person_id)))


@once
def _chosen(platform: str, person_id: str) -> sa.Select[Any]:
    columns = (table.c[field.name] for field in fields(Preferences))
    return sa.select(*columns).where(*_of(platform, person_id))


def _of(platform: str, person_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (table.c.platform == platform, table.c.person == person_id)
