"""Reading and writing of one job's row within a transaction, with a check of its version."""

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
"""Errors from parsing a row that holds no valid job."""

log = get_logger()


def get(connection: Connection, job_id: str, *, lock: bool = False) -> Job | None:
    """Return the job with this id, or None. `lock`: lock its row."""
    return one(connection, by_id(job_id, lock=lock), job_of)


def readable(connection: Connection, row: RowMapping) -> Job | None:
    """Return the job in `row`. Return None for a row that can't be parsed, and park it."""
    try:
        return job_of(row)
    except UNREADABLE as error:
        park(connection, row["id"], error)
        return None


def park(connection: Connection, job_id: str, error: Exception) -> None:
    """Park a job whose row can't be parsed: no worker claims it any more."""
    # The message may quote a prompt, so only the type of the error is logged.
    log.error("job.unreadable", job=job_id, error=type(error).__name__)
    connection.execute(
        sa.update(jobs).where(jobs.c.id == job_id).values(due_at=None, claimed_until=None)
    )


def save(connection: Connection, before: Job, after: Job, *, now: float) -> Job | None:
    """Write `after` and its due posts. Return the saved job, or None if the row has changed.

    A job that leaves its slot makes the next waiting job due.
    """
    saved = replace(moves.timed(before, after, now=now), version=before.version + 1)
    leaves = moves.has_slot(before) and not moves.has_slot(saved)
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
    """Build an update of a row if its version is unchanged; the values name its columns."""
    return sa.update(jobs).where(jobs.c.id == job_id, jobs.c.version == version)
