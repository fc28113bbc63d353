"""The `acts` table: operators' commands, with who, when and why. Rows are only added."""

from dataclasses import fields

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from bot.core.acts import Act
from bot.store.database import Part
from bot.store.tables import acts


def note(connection: Connection, act: Act) -> None:
    """Write an act, in the same transaction as its changes."""
    values = {field.name: getattr(act, field.name) for field in fields(Act)}
    connection.execute(sa.insert(acts).values({**values, "details": dict(act.details)}))


class Acts(Part):
    """Queries for acts, and the writing of acts that change no other row."""

    async def add(self, act: Act) -> None:
        """Write an act after it was carried out."""
        await self._database.run(lambda connection: note(connection, act))

    async def latest(self, most: int, subject: str | None = None) -> list[Act]:
        """Return up to `most` acts, about `subject` if given, the newest first."""
        query = sa.select(acts).order_by(acts.c.id.desc()).limit(most)
        if subject is not None:
            query = query.where(acts.c.subject == subject)
        return await self._database.rows(query, _act_of)


def _act_of(row: RowMapping) -> Act:
    return Act(**{field.name: row[field.name] for field in fields(Act)})
