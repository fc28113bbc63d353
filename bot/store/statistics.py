"""Sums over jobs, for an operator: how many jobs have each status, and what was spent."""

import sqlalchemy as sa

from bot.core.jobs import Status
from bot.core.statistics import QUARTER, Sum
from bot.store.database import Part
from bot.store.tables import jobs

_COLON = sa.literal(":")
_KEYS: dict[str, sa.ColumnElement[str]] = {
    "day": sa.cast(sa.cast(sa.func.floor(jobs.c.created_at / QUARTER), sa.BigInteger), sa.Text),
    "model": jobs.c.model,
    "gateway": jobs.c.gateway,
    "person": jobs.c.platform + _COLON + jobs.c.person,
    "community": jobs.c.platform + _COLON + sa.func.coalesce(jobs.c.community, "@"),
}


class Sums(Part):
    """Read-only queries for sums over jobs."""

    async def sums(self, by: str, since: float) -> list[Sum]:
        """Sum the jobs that were ordered at or after `since`, by status and the key named `by`."""
        key = _KEYS[by].label("key")
        # A cost of 1 stands for a video without a price, and is no money.
        spent = sa.case((jobs.c.spend_cost > 1, jobs.c.spend_cost), else_=0)
        name: sa.ColumnElement[str] = sa.literal("")
        if by == "person":
            name = sa.func.max(jobs.c.order_data["call", "person", "name"].as_string())
        count = sa.func.count().label("count")
        query = (
            sa.select(
                key, jobs.c.status, name.label("name"), count, sa.func.sum(spent).label("spent")
            )
            .where(jobs.c.created_at >= since)
            .group_by(sa.literal_column("1"), jobs.c.status)
        )
        return await self._database.rows(
            query,
            lambda row: Sum(
                key=str(row["key"]),
                status=Status(row["status"]),
                name=row["name"],
                count=int(row["count"]),
                spent=int(row["spent"]),
            ),
        )
