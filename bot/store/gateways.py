"""The `gateways` table: which of them are paused. Each method is one whole transaction."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.jobs import Reason
from bot.core.ports import Pause
from bot.store.database import Database, insert
from bot.store.tables import gateways


class Gateways:
    """Which gateways are paused, until when and why."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pause(self, gateway: str, reason: Reason, *, until: float) -> None:
        """Nothing is sent to this gateway before `until`."""

        async def work(connection: AsyncConnection) -> None:
            pause = {"reason": reason.value, "paused_until": until}
            row = insert(connection, gateways).values(name=gateway, **pause)
            await connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=pause))

        await self._database.run(work)

    async def paused(self, gateway: str) -> Pause | None:
        """The latest pause, over or not."""
        query = sa.select(gateways.c.reason, gateways.c.paused_until).where(
            gateways.c.name == gateway
        )

        async def work(connection: AsyncConnection) -> Pause | None:
            row = (await connection.execute(query)).first()
            return Pause(Reason(row.reason), row.paused_until) if row else None

        return await self._database.run(work)
