"""Sums over jobs, for an operator: what was made, failed and spent, by quarter of an hour."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.jobs import Status
from bot.core.statistics import QUARTER, Bin
from bot.store.database import Database
from bot.store.tables import jobs


class Statistics:
    """Reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bins(self, *, since: float) -> list[Bin]:
        """The jobs that were ordered since then, added up."""
        quarter = sa.func.floor(jobs.c.created_at / QUARTER)
        name = jobs.c.order_data["person"]["name"].as_string()
        # 1 stands for a video without a price, and is no money.
        spent = sa.case((jobs.c.spend_cost > 1, jobs.c.spend_cost), else_=0)
        by = (
            quarter,
            jobs.c.status,
            jobs.c.model,
            jobs.c.gateway,
            jobs.c.platform,
            jobs.c.person,
            jobs.c.community,
        )
        query = (
            sa.select(*by, sa.func.max(name), sa.func.count(), sa.func.sum(spent))
            .where(jobs.c.created_at >= since)
            .group_by(*by)
        )

        async def work(connection: AsyncConnection) -> list[Bin]:
            return [
                Bin(
                    at=float(row[0]) * QUARTER,
                    status=Status(row[1]),
                    model=row[2],
                    gateway=row[3],
                    platform=row[4],
                    person=row[5],
                    community=row[6],
                    name=row[7] or "",
                    count=int(row[8]),
                    spent=int(row[9]),
                )
                for row in await connection.execute(query)
            ]

        return await self._database.run(work)
