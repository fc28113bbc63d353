"""The `acts` table: who did what as an operator, when and why. Rows are only ever added."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.acts import Act
from bot.store.database import Database
from bot.store.tables import acts


async def note(connection: AsyncConnection, act: Act) -> None:
    """Write it, in the transaction of what it does."""
    await connection.execute(
        sa.insert(acts).values(
            at=act.at,
            actor=act.actor,
            action=act.action,
            subject=act.subject,
            why=act.why,
            details=dict(act.details),
        )
    )


class Acts:
    """The acts, to be read; and those that change no row besides."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, act: Act) -> None:
        """Write it, once it is done."""
        await self._database.run(lambda connection: note(connection, act))

    async def latest(self, most: int, subject: str | None = None) -> list[Act]:
        """The newest first."""
        query = sa.select(acts).order_by(acts.c.id.desc()).limit(most)
        if subject is not None:
            query = query.where(acts.c.subject == subject)

        async def work(connection: AsyncConnection) -> list[Act]:
            return [
                Act(
                    at=row.at,
                    actor=row.actor,
                    action=row.action,
                    subject=row.subject,
                    why=row.why,
                    details=row.details,
                )
                for row in await connection.execute(query)
            ]

        return await self._database.run(work)
