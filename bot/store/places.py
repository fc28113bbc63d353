"""The `owners` and `places` tables: who owns this bot, and where it may work."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.access import CODE
from bot.store.database import Database, insert
from bot.store.tables import owners, places, settings


class Places:
    """Each method is one whole transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has_owner(self) -> bool:
        """Whether anybody owns this bot."""
        return await self._exists(sa.select(sa.literal(1)).select_from(owners).limit(1))

    async def is_owner(self, platform: str, person_id: str) -> bool:
        """Whether this person does."""
        return await self._exists(
            sa.select(sa.literal(1)).where(
                owners.c.platform == platform, owners.c.person == person_id
            )
        )

    async def owners(self, platform: str) -> list[str]:
        """The ids of its owners on this platform, the first one first."""
        query = sa.select(owners.c.person).where(owners.c.platform == platform)

        async def work(connection: AsyncConnection) -> list[str]:
            return list(await connection.scalars(query.order_by(owners.c.since, owners.c.person)))

        return await self._database.run(work)

    async def claim(self, code: str, platform: str, person_id: str, *, now: float) -> bool:
        """Make this person an owner if `code` is the one that is kept, which is used up by it."""
        used = (
            sa.update(settings)
            .where(settings.c.name == CODE, settings.c.value == code)
            .values(value="")
        )

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(used)).rowcount != 1:
                return False
            row = insert(connection, owners).values(platform=platform, person=person_id, since=now)
            await connection.execute(row.on_conflict_do_nothing())
            return True

        return bool(code) and await self._database.run(work)

    async def decide(
        self, platform: str, place: str, *, allowed: bool, by: str, now: float
    ) -> None:
        """Open or close a place; the last word counts."""
        decision = {"allowed": allowed, "decided_by": by, "decided_at": now}

        async def work(connection: AsyncConnection) -> None:
            row = insert(connection, places).values(platform=platform, place=place, **decision)
            await connection.execute(
                row.on_conflict_do_update(
                    index_elements=[places.c.platform, places.c.place], set_=decision
                )
            )

        await self._database.run(work)

    async def decision(self, platform: str, place: str) -> bool | None:
        """The decision on a place; None if there is none."""
        query = sa.select(places.c.allowed).where(
            places.c.platform == platform, places.c.place == place
        )

        async def work(connection: AsyncConnection) -> bool | None:
            allowed: bool | None = await connection.scalar(query)
            return allowed

        return await self._database.run(work)

    async def _exists(self, query: sa.Select[Any]) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            return await connection.scalar(query) is not None

        return await self._database.run(work)
