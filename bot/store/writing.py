"""One job's row: read, and written behind the version fence, within a transaction."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core import moves
from bot.core.jobs import Job
from bot.core.posts import due_after
from bot.log import get_logger
from bot.store import turns
from bot.store.posts import owe
from bot.store.rows import job_of, saved_values
from bot.store.statements import one
from bot.store.tables import jobs

UNREADABLE = (ValueError, KeyError, TypeError)
"""Errors of a row that holds no job."""

log = get_logger()


async def get(connection: AsyncConnection, job_id: str, *, lock: bool = False) -> Job | None:
    """The job with this id."""
    query = sa.select(jobs).where(jobs.c.id == job_id)
    return await one(connection, query.with_for_update() if lock else query, job_of)


async def readable(connection: AsyncConnection, row: RowMapping) -> Job | None:
    """The job of `row`; one that can't be read is parked, so that it holds up nobody else."""
    try:
        return job_of(row)
    except UNREADABLE as error:
        # Its values may be a prompt: only the kind of error is logged.
        log.error("job.unreadable", job=row["id"], error=type(error).__name__)
        await connection.execute(
            sa.update(jobs).where(jobs.c.id == row["id"]).values(due_at=None, claimed_until=None)
        )
        return None


async def save(connection: AsyncConnection, before: Job, after: Job, *, now: float) -> Job | None:
    """Write `after` and the posts that it owes; None if somebody else was faster."""
    saved = replace(moves.timed(before, after, now=now), version=before.version + 1)
    leaves = moves.has_place(before) and not moves.has_place(saved)
    if leaves:
        await turns.lock(connection)
    written = await connection.execute(
        sa.update(jobs)
        .where(jobs.c.id == before.id, jobs.c.version == before.version)
        .values(saved_values(before, saved))
    )
    if written.rowcount != 1:
        return None
    if leaves:
        await turns.call_next(connection, saved, now=now)
    await owe(connection, saved, due_after(before, saved, now=now))
    return saved
