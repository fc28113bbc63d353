"""Sums over jobs, for an operator: how many jobs have each status, and what was spent and told."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping

from bot.core.jobs import Status
from bot.core.statistics import QUARTER, Sum
from bot.core.told import Told
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

    async def told(self, by: str, since: float) -> list[Told]:
        """Sum the told costs of jobs ordered at or after `since`, by the key named `by`."""
        return await self._database.rows(_told(since, _KEYS[by]), _told_of)

    async def told_by_model(self, since: float) -> list[Told]:
        """Sum the told costs by model, quality, and whether the video was to have no sound."""
        quality = sa.func.coalesce(jobs.c.request_data["quality"].as_string(), "")
        is_silent = sa.case(
            (jobs.c.request_data["audio"].as_boolean().is_(False), "silent"), else_=""
        )
        return await self._database.rows(_told(since, jobs.c.model, quality, is_silent), _told_of)


def _told(since: float, *keys: sa.ColumnElement[str]) -> sa.Select[Any]:
    """Build the query for the told costs of jobs ordered at or after `since`, grouped by `keys`."""
    groups = (
        *(key.label(f"key{at}") for at, key in enumerate(keys)),
        jobs.c.told_currency.label("currency"),
        jobs.c.told_is_fee.label("is_fee"),
        # A cost of 1 stands for a video without a price.
        (jobs.c.spend_cost != 1).label("is_priced"),
        (jobs.c.spend_cost == 0).label("is_released"),
    )
    # The seconds of an order's video may cost money besides those of the new one.
    given = sa.func.coalesce(jobs.c.request_data["input_seconds"].as_integer(), 0)
    seconds = jobs.c.seconds + given
    sums = {"seconds": seconds, "estimate": jobs.c.spend_cost, "told": jobs.c.told_cost}
    return (
        sa.select(*groups, sa.func.count().label("count"))
        .add_columns(*(sa.func.sum(each).label(name) for name, each in sums.items()))
        .where(jobs.c.created_at >= since, jobs.c.told_cost.is_not(None))
        .group_by(*(sa.literal_column(str(at)) for at in range(1, len(groups) + 1)))
    )


def _told_of(row: RowMapping) -> Told:
    """Return the sums in `row`."""
    return Told(
        keys=tuple(str(row[name]) for name in row if name.startswith("key")),
        currency=row["currency"],
        is_fee=bool(row["is_fee"]),
        is_priced=bool(row["is_priced"]),
        is_released=bool(row["is_released"]),
        **{name: int(row[name]) for name in ("count", "seconds", "estimate", "told")},
    )
