"""One job's row: read, and written behind the version fence, within a transaction."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from bot.core import moves
from bot.core.jobs import Job
from bot.core.posts import due_after
from bot.log import get_logger
from bot.store import turns
from bot.store.posts import owe
from bot.store.rows import by_id, job_of, saved_values
from bot.store.statements import once, one
from bot.store.tables import jobs

UNREADABLE = (ValueError, KeyError, TypeError)
"""Errors of a row that holds no job."""

log = get_logger()


def get(connection: Connection, job_id: str, *, lock: bool = False) -> Job | None:
    """The job with this id."""
    return one(connection, by_id(job_id, lock=lock), job_of)


def readable(connection: Connection, row: RowMapping) -> Job | None:
    """The job of `row`; one that can't be read is parked, so that it holds up nobody else."""
    try:
        return job_of(row)
    except UNREADABLE as error:
        park(connection, row["id"], error)
        return None


def park(connection: Connection, job_id: str, error: Exception) -> None:
    """Let a job be that can't be read."""
    # Its values may be a prompt: only the kind of error is logged.
    log.error("job.unreadable", job=job_id, error=type(error).__name__)
    connection.execute(
        sa.update(jobs).where(jobs.c.id == job_id).values(due_at=None, claimed_until=None)
    )


def save(connection: Connection, before: Job, after: Job, *, now: float) -> Job | None:
    """Write `after` and the posts that it owes; None if somebody else was faster."""
    saved = replace(moves.timed(before, after, now=now), version=before.version + 1)
    leaves = moves.has_place(before) and not moves.has_place(saved)
    if leaves:
        turns.lock(connection)
    change, same = _same(before.id, before.version)
    written = connection.execute(change, {**saved_values(before, saved), **same})
    if written.rowcount != 1:
        return None
    if leaves:
        turns.call_next(connection, saved, now=now)
    owe(connection, saved, due_after(before, saved, now=now))
    return saved


@once
def _same(job_id: str, version: int) -> sa.Update:
    """A change of a row that is as it was read; its columns come with their values."""
    return sa.update(jobs).where(jobs.c.id == job_id, jobs.c.version == version)
