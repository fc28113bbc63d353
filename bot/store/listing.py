"""Lists of rows for an operator: one snapshot, read while the service may run."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.jobs import Job, Status
from bot.core.posts import Post
from bot.store.engines import Result, Transaction
from bot.store.reading import check_version, open_reading
from bot.store.rows import job_of, post_of
from bot.store.statements import Runs
from bot.store.tables import jobs, posts


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A filter of jobs. None, or an empty set of statuses, means any."""

    statuses: frozenset[Status] = frozenset()
    platform: str | None = None
    person: str | None = None
    """A person's id, or a name regardless of case."""
    community: str | None = None
    gateway: str | None = None
    since: float | None = None
    """Only jobs that were ordered at or after this time, in seconds since the epoch, pass."""


class Listing(Runs):
    """The rows of one snapshot."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run a function that reads in the open transaction."""
        return await self._transaction.run(work)

    async def newest(self, wanted: Wanted, *, most: int) -> list[Job]:
        """Return up to `most` jobs that pass the filter, the latest first."""
        query = sa.select(jobs).where(*_conditions(wanted))
        newest = query.order_by(jobs.c.created_at.desc(), jobs.c.id).limit(most)
        return await self.rows(newest, job_of)

    async def counts(self, wanted: Wanted) -> dict[Status, int]:
        """Count the jobs that pass the filter, by status. Statuses without a job are left out."""
        count = sa.func.count().label("count")
        query = sa.select(jobs.c.status, count).where(*_conditions(wanted))
        found = await self.rows(query.group_by(jobs.c.status), dict)
        counted = {Status(row["status"]): int(row["count"]) for row in found}
        return {status: counted[status] for status in Status if status in counted}

    async def gateways(self) -> list[str]:
        """Return the names of all gateways in jobs."""
        return await self.values(sa.select(jobs.c.gateway).distinct())

    async def communities(self) -> list[tuple[str, str]]:
        """Return the platform and id of every community in jobs."""
        query = sa.select(jobs.c.platform, jobs.c.community).distinct()
        named = query.where(jobs.c.community.is_not(None))
        return await self.rows(named, lambda row: (row["platform"], row["community"]))

    async def ids(self, beginning: str, *, most: int) -> list[str]:
        """Return the ids that begin with `beginning`, or only that id if it exists."""
        return await ids_like(self, beginning, most=most)

    async def job(self, job_id: str) -> Job:
        """Return the job with this id. There must be such a job: see `ids`."""
        (found,) = await self.rows(sa.select(jobs).where(jobs.c.id == job_id), job_of)
        return found

    async def posts(self, job_id: str) -> list[Post]:
        """Return the posts of this job, both unsent and in chat."""
        theirs = sa.select(posts).where(posts.c.job_id == job_id).order_by(posts.c.id)
        return await self.rows(theirs, post_of)


async def ids_like(runs: Runs, beginning: str, *, most: int) -> list[str]:
    """Return the ids of jobs that begin with `beginning`, or only that id if it exists."""
    ids = await runs.values(
        sa.select(jobs.c.id)
        .where(jobs.c.id.startswith(beginning, autoescape=True))
        .order_by(jobs.c.id)
        .limit(most)
    )
    return [beginning] if beginning in ids else ids


@asynccontextmanager
async def open_listing(url: str) -> AsyncIterator[Listing]:
    """Open a snapshot of the database at `url` until the context ends.

    Raises `Broken` as `open_reading` does, and for tables of another version.
    """
    async with open_reading(url) as transaction:
        await transaction.run(check_version)
        yield Listing(transaction)


def _conditions(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.statuses:
        yield jobs.c.status.in_([status.value for status in wanted.statuses])
    for column, value in (
        (jobs.c.platform, wanted.platform),
        (jobs.c.community, wanted.community),
        (jobs.c.gateway, wanted.gateway),
    ):
        if value is not None:
            yield column == value
    if wanted.person is not None:
        name = jobs.c.order_data["call", "person", "name"].as_string()
        is_called = sa.func.lower(name) == sa.func.lower(wanted.person)
        yield sa.or_(jobs.c.person == wanted.person, is_called)
    if wanted.since is not None:
        yield jobs.c.created_at >= wanted.since
