"""The turns of jobs at a gateway that makes a limited number of videos of a model at once.

A job that finds no free slot waits as a row with a late due time. A job that leaves a slot makes
the first waiting job due at once. Both happen under one lock, so that no slot is given twice or
left unused.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.core.jobs import IN_FLIGHT, SOFT_DEADLINE, Job, Reason
from bot.store.rows import QUEUED
from bot.store.statements import execute, once, take_turns
from bot.store.tables import jobs

_SLOTS = 0x5A4F_4555
"""Key of the PostgreSQL advisory lock on all slots."""
_FLYING: sa.BindParameter[list[str]] = sa.bindparam(
    "flying", sorted(IN_FLIGHT), expanding=True, literal_execute=True
)
"""Statuses of jobs that take a slot: literals in the statement, as in their partial index."""
_MANY = 1_000_000_000
"""A count of jobs larger than any queue."""


def lock(connection: Connection) -> None:
    """Take the lock on all slots. Must be called before any row is locked, to avoid deadlocks."""
    take_turns(connection, _SLOTS)


def jobs_before(
    connection: Connection, job: Job, *, now: float, most: int
) -> tuple[int, float | None]:
    """Return how many slots are taken or reserved for earlier jobs, and when the first one expires.

    Taken slots and earlier jobs are each counted up to `most`. A slot expires `SOFT_DEADLINE`
    after its POST.
    """
    # A job older than the soft deadline may be stuck for a day: its slot no longer counts.
    taken = _taken(*_alike(job), now - SOFT_DEADLINE, most)
    since = [float(row[0]) for row in execute(connection, taken)]
    ahead = execute(connection, _ahead(*_alike(job), job.turn, job.created_at, most)).scalar_one()
    return len(since) + ahead, since[0] + SOFT_DEADLINE if since else None


def ahead(connection: Connection, *, job: Job) -> int:
    """Return how many jobs wait for the same slots and have their turn before this job."""
    everybody = _ahead(*_alike(job), job.turn, job.created_at, _MANY)
    return int(execute(connection, everybody).scalar_one())


def call_next(connection: Connection, job: Job, *, now: float) -> None:
    """Make the first job due that waits for the slots of this job's model.

    Rows that are locked, and `job` itself, are passed over.
    """
    execute(connection, _call(*_alike(job), now))


@once
def _taken(gateway: str, model: str, but: str, since: float, most: int) -> sa.Select[Any]:
    """Select when the jobs that take a slot were submitted, the earliest first."""
    flying = (jobs.c.status.in_(_FLYING), jobs.c.submitted_at > since)
    left = sa.select(jobs.c.submitted_at).where(*_those(gateway, model, but), *flying)
    return left.order_by(jobs.c.submitted_at).limit(most)


@once
def _ahead(
    gateway: str, model: str, but: str, turn: int, since: float, most: int
) -> sa.Select[Any]:
    """Count the waiting jobs with an earlier turn, up to `most`."""
    same = sa.and_(jobs.c.turn == turn, jobs.c.created_at < since)
    earlier = sa.or_(jobs.c.turn < turn, same)
    found = sa.select(jobs.c.id).where(*_waiting(gateway, model, but), earlier).limit(most)
    return sa.select(sa.func.count()).select_from(found.subquery())


@once
def _call(gateway: str, model: str, but: str, now: float) -> sa.Update:
    first = (
        sa.select(jobs.c.id)
        .where(*_waiting(gateway, model, but))
        .order_by(jobs.c.turn, jobs.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte()
    )
    return sa.update(jobs).where(jobs.c.id.in_(sa.select(first.c.id))).values(due_at=now)


def _alike(job: Job) -> tuple[str, str, str]:
    """Return the gateway and model that this job needs, and its id, which queries leave out."""
    return job.gateway, job.request.model, job.id


def _waiting(gateway: str, model: str, but: str) -> list[sa.ColumnElement[bool]]:
    queued = (jobs.c.status == QUEUED, jobs.c.reason == Reason.AT_ONCE.value)
    return [*_those(gateway, model, but), *queued]


def _those(gateway: str, model: str, but: str) -> tuple[sa.ColumnElement[bool], ...]:
    same = (jobs.c.gateway == gateway, jobs.c.model == model)
    return (*same, jobs.c.due_at.is_not(None), jobs.c.id != but)
