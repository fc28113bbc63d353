"""Queries for reports to owners: unconfirmed jobs, jobs that do not go on, and daily sums."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.digest import Sum
from bot.core.jobs import LOCKS, Job, Reason, Status
from bot.store.database import Part
from bot.store.rows import job_of
from bot.store.statements import count, rows
from bot.store.tables import jobs

_WAITS = [*(reason.value for reason in LOCKS), Reason.PAUSED.value, Reason.AT_ONCE.value]
"""The reasons for which a queued job is not reported as stuck.

The job waits for its turn, or for the end of a pause or hold that owners know of already.
"""


def _spelt(status: Status) -> sa.ColumnElement[str]:
    """Return a literal, not a bound value: otherwise partial indexes are not used."""
    return sa.literal(status.value, literal_execute=True)


class Outlook(Part):
    """Read-only queries about jobs."""

    async def unconfirmed(self, *, since: float, most: int) -> tuple[int, Sequence[Job]]:
        open_ = sa.and_(jobs.c.status == _spelt(Status.UNCONFIRMED), jobs.c.ended_at >= since)
        latest = sa.select(jobs).where(open_).order_by(jobs.c.ended_at.desc(), jobs.c.id)

        def work(connection: Connection) -> tuple[int, Sequence[Job]]:
            found = rows(connection, latest.limit(most), job_of)
            return count(connection, jobs, open_), found

        return await self._database.run(work)

    async def day(self, since: float) -> Sequence[Sum]:
        """Count the jobs that were ordered at or after `since`, by status and reason."""
        # A cost of 1 stands for a video without a price, and is no money.
        spent = sa.case((jobs.c.spend_cost > 1, jobs.c.spend_cost), else_=0)
        number = sa.func.count().label("count")
        query = (
            sa.select(jobs.c.status, jobs.c.reason, number, sa.func.sum(spent).label("spent"))
            .where(jobs.c.created_at >= since)
            .group_by(jobs.c.status, jobs.c.reason)
        )
        return await self._database.rows(
            query,
            lambda row: Sum(**{**row, "status": Status(row["status"]), "spent": int(row["spent"])}),
        )

    async def slow(self, *, queued: float, made: float, done: float, most: int) -> Sequence[Job]:
        """Return jobs that go on by themselves but have waited too long, the oldest first.

        They were ordered before `queued` and are in the queue, were submitted before `made`, or
        were completed before `done` and their video is not downloaded.
        """
        goes_on, waits = jobs.c.due_at.is_not(None), jobs.c.status == _spelt(Status.QUEUED)
        no_reason = sa.or_(jobs.c.reason.is_(None), jobs.c.reason.not_in(_WAITS))
        first = sa.and_(waits, jobs.c.created_at < queued, no_reason)
        second = sa.and_(
            sa.not_(waits),
            sa.or_(
                sa.and_(jobs.c.status == Status.IN_PROGRESS.value, jobs.c.submitted_at < made),
                sa.and_(jobs.c.status == Status.COMPLETED.value, jobs.c.completed_at < done),
            ),
        )

        def work(connection: Connection) -> Sequence[Job]:
            found: list[Job] = []
            for each in (first, second):
                query = sa.select(jobs).where(goes_on, each).order_by(jobs.c.created_at, jobs.c.id)
                found += rows(connection, query.limit(most), job_of)
            return sorted(found, key=lambda job: (job.created_at, job.id))[:most]

        return await self._database.run(work)
