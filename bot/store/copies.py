"""The copies of videos on the operator's own servers: a column of jobs, written only there."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.jobs import Status
from bot.core.steps.clearing import Copy
from bot.store.database import Part
from bot.store.tables import jobs


class Copies(Part):
    """Implements the core's `clearing.Copies`."""

    async def due(
        self, gateways: Collection[str], waits: Sequence[float], *, now: float, most: int
    ) -> list[Copy]:
        is_due = [
            sa.and_(jobs.c.copy_tries == tries, jobs.c.delivered_at <= now - wait)
            for tries, wait in enumerate(waits)
        ]
        names = ("id", "gateway", "base_url", "gateway_id", "copy_tries")
        query = (
            sa.select(*(jobs.c[name] for name in names))
            .where(jobs.c.copy_tries.is_not(None), jobs.c.status == Status.DELIVERED.value)
            .where(jobs.c.gateway.in_(gateways), sa.or_(*is_due))
            .order_by(jobs.c.delivered_at)
            .limit(most)
        )
        return await self._database.rows(query, lambda row: Copy(*(row[name] for name in names)))

    async def tried(self, copy: Copy, *, tries: int | None) -> None:
        """Store the tries. The row keeps its version: no step of a delivered job depends on it."""
        change = sa.update(jobs).where(jobs.c.id == copy.job_id).values(copy_tries=tries)

        def work(connection: Connection) -> None:
            connection.execute(change)

        await self._database.run(work)
